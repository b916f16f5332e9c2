//! What a source offers, before and after it is unpacked.

use std::io;
use std::path::Path;

use mesh_bundle::{Digest, FileSet, Refusal, Rung, archive};

/// What lies at a source, before anything is made of it.
#[derive(Debug)]
pub enum Raw {
    /// An archive's bytes.
    Archive(Vec<u8>),
    /// A folder's files.
    Folder(FileSet),
}

impl Raw {
    /// Differs where any byte does.
    #[must_use]
    pub fn digest(&self) -> Digest {
        match self {
            Self::Archive(bytes) => Digest::of(bytes),
            Self::Folder(files) => {
                let mut all = Vec::new();
                for (path, bytes) in files {
                    all.extend_from_slice(Digest::of(path.as_bytes()).as_bytes());
                    all.extend_from_slice(Digest::of(bytes).as_bytes());
                }
                Digest::of(&all)
            }
        }
    }

    /// The files of a bundle.
    ///
    /// # Errors
    /// A [`Refusal`] at [`mesh_bundle::Rung::Bound`] for an archive that is none, or holds too much.
    pub fn unpack(self) -> Result<Offer, Refusal> {
        Ok(match self {
            Self::Archive(bytes) => Offer { files: archive::read(&bytes)?, archive: Some(bytes) },
            Self::Folder(files) => Offer { files, archive: None },
        })
    }
}

/// A bundle as it was read.
#[derive(Debug)]
pub struct Offer {
    /// Its files.
    pub files: FileSet,
    /// The archive's bytes, where it came as one: they are stored as they are.
    pub archive: Option<Vec<u8>>,
}

/// A source that cannot be read.
pub(super) fn unreadable(path: &Path, error: &io::Error) -> Refusal {
    let message = format!("cannot read `{}`: {error}", path.display());
    Refusal::new(Rung::Bound, "unreadable-source", message)
}
