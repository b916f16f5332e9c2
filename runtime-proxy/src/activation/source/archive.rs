//! An archive file as a source.

use std::path::PathBuf;

use mesh_bundle::{Refusal, limits};

use super::offer::unreadable;
use super::{Fingerprint, Raw, Source};
use crate::files::{self, Links};

/// One archive file, replaced by a rename.
#[derive(Clone, Debug)]
pub(super) struct Archive {
    pub(super) path: PathBuf,
}

impl Source for Archive {
    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of([self.path.as_path()])
    }

    fn read(&self) -> Result<Raw, Refusal> {
        let bytes = files::read(&self.path, limits::BUNDLE_BYTES as u64, Links::Followed);
        bytes.map(Raw::Archive).map_err(|error| unreadable(&self.path, &error))
    }

    fn is_local(&self) -> bool {
        true
    }
}
