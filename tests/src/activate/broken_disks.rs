//! Disks that break the store's promise on purpose: a harness that does not catch them proves nothing.

use std::io;
use std::path::{Path, PathBuf};

use mesh_proxy::store::{Disk, RealDisk};

/// How a disk is bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Bad {
    /// Writes in place: no second file, no sync, no rename. A crash in between leaves half.
    InPlace,
    /// Writes beside and renames, and syncs nothing. A power cut loses or tears what was acknowledged.
    NoSync,
}

/// The machine's file system, used rightly or in a bad way.
#[derive(Clone, Copy, Debug, Default)]
pub struct AnyDisk(pub Option<Bad>);

impl AnyDisk {
    fn is(self, bad: Bad) -> bool {
        self.0 == Some(bad)
    }
}

impl Disk for AnyDisk {
    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        RealDisk.read(path, limit)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        RealDisk.list(dir)
    }

    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        RealDisk.make_dir(dir)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        if self.is(Bad::InPlace) {
            return RealDisk.write(&in_place(path), bytes);
        }
        RealDisk.write(path, bytes)
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        if self.0.is_some() { Ok(()) } else { RealDisk.sync(path) }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        if self.is(Bad::InPlace) { Ok(()) } else { RealDisk.rename(from, to) }
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        if self.0.is_some() { Ok(()) } else { RealDisk.sync_dir(dir) }
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }
}

/// The place that a file is written beside: the name without what says that it is not yet whole.
fn in_place(path: &Path) -> PathBuf {
    if path.extension().is_some_and(|ending| ending == "unfinished") {
        path.with_extension("")
    } else {
        path.to_owned()
    }
}
