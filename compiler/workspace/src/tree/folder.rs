//! Files from a folder.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;

use super::error::TreeError;
use super::ignore::Ignored;
use super::snapshot::{
    BYTES, DEPTH, ENTRIES, FILES, NOT_REGULAR, Refused, Snapshot, TWICE, is_spec, unusable,
};
use crate::files::read_small;

/// Largest file that is read to the end; the compiler refuses smaller ones in words.
const FILE: u64 = 8 << 20;

/// Reads every spec file below `folder`; hidden folders and files are left out, and what the mesh ignores. `prefix` stands
/// before their paths. What else a person or program put there is no part of a mesh: other files, sockets, pipes.
pub(super) fn snapshot(folder: &Path, prefix: &str) -> Result<Snapshot, TreeError> {
    let mesh = folder.join("mesh.yaml");
    // One that cannot be read, or is no file, is met again below.
    let says = if mesh.symlink_metadata().is_ok_and(|there| there.is_file()) {
        read_small(&mesh, FILE).unwrap_or_default()
    } else {
        Vec::new()
    };
    let ignored = Ignored::of(prefix, &says);
    let mut walk = Walk { ignored: &ignored, files: Vec::new(), refused: Vec::new(), bytes: 0, entries: 0 };
    walk.folder(folder, prefix, 0)?;
    let Walk { files, refused, .. } = walk;
    Ok(Snapshot::of(files, refused, ignored))
}

struct Walk<'i> {
    ignored: &'i Ignored,
    files: Vec<(String, Vec<u8>)>,
    refused: Vec<Refused>,
    bytes: usize,
    entries: usize,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path, shown: &str, depth: usize) -> Result<(), TreeError> {
        if depth > DEPTH {
            return Err(TreeError::FolderDepth { folder: shown.to_owned() });
        }
        let cannot = |source| TreeError::Read { path: folder.display().to_string(), source };
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(cannot)? {
            self.entries += 1;
            if self.entries > ENTRIES {
                return Err(TreeError::FolderEntries);
            }
            entries.push(entry.map_err(cannot)?);
        }
        entries.sort_by_key(std::fs::DirEntry::file_name);
        let mut names = BTreeSet::new();
        for entry in entries {
            let raw = entry.file_name();
            let name = raw.to_string_lossy().into_owned();
            if name.starts_with('.') {
                continue;
            }
            let path = if shown.is_empty() { name.clone() } else { format!("{shown}/{name}") };
            if self.ignored.covers(&path) {
                continue;
            }
            if let Some(why) = unusable(raw.as_encoded_bytes()) {
                self.refused.push(Refused { path, why: why.to_owned() });
                continue;
            }
            if !names.insert(name.to_lowercase()) {
                self.refused.push(Refused { path, why: TWICE.to_owned() });
                continue;
            }
            let kind = entry.file_type().map_err(cannot)?;
            if kind.is_dir() {
                if entry.path().join(".git").exists() {
                    self.refused
                        .push(Refused { path, why: format!("it is another repository; {NOT_REGULAR}") });
                } else {
                    self.folder(&entry.path(), &path, depth + 1)?;
                }
            } else if is_spec(&name) && kind.is_file() {
                self.file(&entry.path(), path)?;
            } else if kind.is_symlink() {
                self.refused.push(Refused { path, why: format!("it is a symbolic link; {NOT_REGULAR}") });
            } else if is_spec(&name) {
                self.refused.push(Refused { path, why: format!("it is not a regular file; {NOT_REGULAR}") });
            }
        }
        Ok(())
    }

    fn file(&mut self, from: &Path, path: String) -> Result<(), TreeError> {
        let cannot = |source| TreeError::Read { path: path.clone(), source };
        let mut bytes = Vec::new();
        std::fs::File::open(from).map_err(cannot)?.take(FILE).read_to_end(&mut bytes).map_err(cannot)?;
        self.bytes += bytes.len();
        if self.files.len() >= FILES || self.bytes > BYTES {
            return Err(TreeError::Size);
        }
        self.files.push((path, bytes));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn what_people_and_proxies_put_there_is_no_part_of_a_mesh() {
        let folder = tempfile::tempdir().unwrap();
        let path = |below: &str| folder.path().join(below);
        std::fs::write(path("mesh.yaml"), "kind: Mesh\nignore: [charts, links/*]\n").unwrap();
        let _admin = UnixListener::bind(path("web.sock")).unwrap();
        std::fs::create_dir_all(path("state-web/bundles")).unwrap();
        std::fs::create_dir(path("charts")).unwrap();
        std::fs::create_dir(path("links")).unwrap();
        std::os::unix::fs::symlink("/etc", path("links/etc")).unwrap();
        for (file, text) in [
            ("mesh.key", "a key"),
            ("state-web/journal.json", "{}"),
            ("state-web/bundles/a.mcb", ""),
            ("charts/values.yaml", "a: ["),
        ] {
            std::fs::write(path(file), text).unwrap();
        }
        let read = snapshot(folder.path(), "below/top").unwrap();
        let files: Vec<&str> = read.files.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!((files, read.refused.clone()), (vec!["below/top/mesh.yaml"], Vec::new()));

        // A name that says that it is of the mesh is told when it is no file.
        let _socket = UnixListener::bind(path("odd.yaml")).unwrap();
        std::os::unix::fs::symlink("/etc", path("etc")).unwrap();
        let read = snapshot(folder.path(), "").unwrap();
        let refused: Vec<&str> = read.refused.iter().map(|refused| refused.path.as_str()).collect();
        assert_eq!(refused, ["etc", "odd.yaml"]);
    }
}
