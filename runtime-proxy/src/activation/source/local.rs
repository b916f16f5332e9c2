//! A path on this machine as a source: a folder or an archive, whichever lies there now.

use std::path::{Path, PathBuf};

use mesh_bundle::Refusal;

use super::archive::Archive;
use super::folder::Folder;
use super::{Fingerprint, Raw, Source};

/// What `--source PATH` names. It need not exist yet, and may become the other kind.
#[derive(Clone, Debug)]
pub struct LocalPath {
    path: PathBuf,
    folder: Folder,
    archive: Archive,
}

impl LocalPath {
    /// A source at `path`.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        let folder = Folder { path: path.to_owned() };
        let archive = Archive { path: path.to_owned() };
        Self { path: path.to_owned(), folder, archive }
    }

    fn kind(&self) -> &dyn Source {
        if self.path.is_dir() { &self.folder } else { &self.archive }
    }
}

impl Source for LocalPath {
    fn fingerprint(&self) -> Fingerprint {
        self.kind().fingerprint()
    }

    fn read(&self) -> Result<Raw, Refusal> {
        self.kind().read()
    }

    fn is_local(&self) -> bool {
        self.kind().is_local()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mesh_bundle::{FileSet, Rung, archive};
    use std::fs;

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
        let folder = LocalPath::new(&dir.path().join("bundle")).read().unwrap();
        let before = folder.digest();
        assert_eq!(folder.unpack().unwrap().files, files);
        assert_eq!(LocalPath::new(&archived).read().unwrap().unpack().unwrap().files, files);
        fs::write(dir.path().join("bundle/units/services/a.json"), "b").unwrap();
        assert_ne!(LocalPath::new(&dir.path().join("bundle")).read().unwrap().digest(), before);
    }

    #[test]
    fn links_and_missing_sources_are_refused_in_words() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join("manifest.json")).unwrap();
        let refusal = LocalPath::new(dir.path()).read().unwrap_err();
        assert!(refusal.message.contains("no file of a bundle"), "{refusal}");
        let gone = LocalPath::new(&dir.path().join("gone.mcb")).read().unwrap_err();
        assert_eq!((gone.rung, gone.code.as_str()), (Rung::Bound, "unreadable-source"));
    }

    #[test]
    fn a_replaced_source_looks_different() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("b.mcb");
        let source = LocalPath::new(&path);
        let nothing = source.fingerprint();
        fs::write(&path, "one").unwrap();
        let one = source.fingerprint();
        fs::write(dir.path().join("new"), "two").unwrap();
        fs::rename(dir.path().join("new"), &path).unwrap();
        let two = source.fingerprint();
        assert!(nothing != one && one != two && two == source.fingerprint());
    }
}
