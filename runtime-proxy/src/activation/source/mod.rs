//! Where bundles are offered.

mod archive;
mod folder;
mod local;
mod offer;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use mesh_bundle::Refusal;

pub use local::LocalPath;
pub use offer::{Offer, Raw};

/// A place that offers bundles. It is looked at often, and read where it looks different.
pub trait Source: Send {
    /// Looks without reading; never waits.
    fn fingerprint(&self) -> Fingerprint;

    /// Reads the whole offer: rung 1 for what is on the way in.
    ///
    /// # Errors
    /// A [`Refusal`] at [`mesh_bundle::Rung::Bound`]: nothing there, too much, or something that no bundle holds.
    fn read(&self) -> Result<Raw, Refusal>;

    /// Whether it is this machine's, where somebody builds again by hand: from there, a second bundle under an equal
    /// generation is taken.
    fn is_local(&self) -> bool;
}

/// What a cheap look at a source shows; another one means that there may be another bundle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fingerprint(Vec<Option<Mark>>);

/// Inode, size and time of a file's last change, in seconds and nanoseconds.
type Mark = (u64, u64, i64, i64);

impl Fingerprint {
    /// Of files in order; those that are not there count too.
    fn of<'p>(paths: impl IntoIterator<Item = &'p Path>) -> Self {
        let mark = |path: &Path| {
            let data = fs::metadata(path).ok()?;
            Some((data.ino(), data.len(), data.mtime(), data.mtime_nsec()))
        };
        Self(paths.into_iter().map(mark).collect())
    }
}
