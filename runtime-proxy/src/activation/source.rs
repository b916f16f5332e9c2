//! Where bundles are offered: a folder or an archive.

use std::fs::{self, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use mesh_bundle::{Digest, FileSet, Refusal, Rung, archive, limits};

/// How deep a bundle's folders go: `units/routes/public/edge.json`.
const DEPTH: usize = 4;

/// A folder or an archive file.
#[derive(Clone, Debug)]
pub struct Source {
    path: PathBuf,
}

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
    /// A [`Refusal`] at [`Rung::Bound`] for an archive that is none, or holds too much.
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

/// What a cheap look at a source shows; another one means that there may be another bundle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fingerprint(Vec<Option<(u64, u64, i64, i64)>>);

impl Source {
    /// A source at `path`, which need not exist yet.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Looks without reading: inode, size and time of what changes with every release.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let look = |path: &Path| {
            fs::metadata(path)
                .ok()
                .map(|data: Metadata| (data.ino(), data.len(), data.mtime(), data.mtime_nsec()))
        };
        let mut seen = vec![look(&self.path)];
        if self.path.is_dir() {
            seen.extend(
                ["manifest.json", "release.dsse", "state.json", "signature.dsse"]
                    .map(|f| look(&self.path.join(f))),
            );
        }
        Fingerprint(seen)
    }

    /// Reads the whole bundle: rung 1 for what is on the way in.
    ///
    /// # Errors
    /// A [`Refusal`] at [`Rung::Bound`]: nothing there, too much, or something that no bundle holds.
    pub fn read(&self) -> Result<Raw, Refusal> {
        let refuse = |error: io::Error| {
            let message = format!("cannot read `{}`: {error}", self.path.display());
            Refusal::new(Rung::Bound, "unreadable-source", message)
        };
        if self.path.is_dir() {
            let mut files = FileSet::new();
            let mut budget = Budget { files: limits::BUNDLE_FILES, bytes: limits::BUNDLE_BYTES };
            read_dir(&self.path, "", DEPTH, &mut files, &mut budget).map_err(refuse)?;
            return Ok(Raw::Folder(files));
        }
        let limit = limits::BUNDLE_BYTES as u64;
        let file = fs::File::open(&self.path).map_err(refuse)?;
        // Room for all of it at once: a vector that doubles would take up to twice the bound.
        let size = file.metadata().map_or(0, |data| data.len().min(limit + 1));
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        file.take(limit + 1).read_to_end(&mut bytes).map_err(refuse)?;
        if bytes.len() as u64 > limit {
            return Err(refuse(io::ErrorKind::FileTooLarge.into()));
        }
        Ok(Raw::Archive(bytes))
    }
}

struct Budget {
    files: usize,
    bytes: usize,
}

fn read_dir(
    dir: &Path,
    prefix: &str,
    depth: usize,
    files: &mut FileSet,
    budget: &mut Budget,
) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_str().ok_or_else(|| io::Error::other("a file name is not UTF-8"))?;
        let path = format!("{prefix}{name}");
        let kind = entry.file_type()?;
        if kind.is_dir() && depth > 1 {
            read_dir(&entry.path(), &format!("{path}/"), depth - 1, files, budget)?;
            continue;
        }
        if !kind.is_file() {
            return Err(io::Error::other(format!("`{}` is no file of a bundle", path.escape_debug())));
        }
        budget.files = budget.files.checked_sub(1).ok_or_else(|| io::Error::other("too many files"))?;
        let mut bytes = Vec::new();
        let limit = budget.bytes.min(limits::SIDE_FILE_BYTES);
        fs::File::open(entry.path())?.take(limit as u64 + 1).read_to_end(&mut bytes)?;
        if bytes.len() > limit {
            return Err(io::Error::other(format!("`{}` is too large", path.escape_debug())));
        }
        budget.bytes -= bytes.len();
        files.insert(path, bytes);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_and_its_archive_read_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let files: FileSet =
            [("manifest.json", "m"), ("units/services/a.json", "a"), ("units/routes/g/r.json", "r")]
                .into_iter()
                .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
                .collect();
        for (path, bytes) in &files {
            let path = dir.path().join("bundle").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let archived = dir.path().join("bundle.mcb");
        fs::write(&archived, archive::write(&files).unwrap()).unwrap();
        let folder = Source::new(&dir.path().join("bundle")).read().unwrap();
        let before = folder.digest();
        assert_eq!(folder.unpack().unwrap().files, files);
        assert_eq!(Source::new(&archived).read().unwrap().unpack().unwrap().files, files);
        fs::write(dir.path().join("bundle/units/services/a.json"), "b").unwrap();
        assert_ne!(Source::new(&dir.path().join("bundle")).read().unwrap().digest(), before);
    }

    #[test]
    fn links_and_missing_sources_are_refused_in_words() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join("manifest.json")).unwrap();
        let refusal = Source::new(dir.path()).read().unwrap_err();
        assert!(refusal.message.contains("no file of a bundle"), "{refusal}");
        let gone = Source::new(&dir.path().join("gone.mcb")).read().unwrap_err();
        assert_eq!((gone.rung, gone.code.as_str()), (Rung::Bound, "unreadable-source"));
    }

    #[test]
    fn a_replaced_source_looks_different() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("b.mcb");
        let source = Source::new(&path);
        let nothing = source.fingerprint();
        fs::write(&path, "one").unwrap();
        let one = source.fingerprint();
        fs::write(dir.path().join("new"), "two").unwrap();
        fs::rename(dir.path().join("new"), &path).unwrap();
        let two = source.fingerprint();
        assert!(nothing != one && one != two && two == source.fingerprint());
    }
}
