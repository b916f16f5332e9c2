//! The files of a mesh at one moment, and which files it may have.

use mesh_bundle::manifest::Source;

use super::ignore::Ignored;
use super::remark::Remark;

/// Files that one mesh may have.
pub const FILES: usize = 20_000;

/// Bytes that all of them may have together.
pub const BYTES: usize = 256 << 20;

/// Entries of folders that are looked at while searching for them.
pub const ENTRIES: usize = 200_000;

/// Folders within folders.
pub const DEPTH: usize = 32;

/// The files of one mesh at one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// YAML files by path (relative to the git top level, outside git to the mesh's folder), sorted.
    pub files: Vec<(String, Vec<u8>)>,
    /// Files that no mesh holds: symbolic links, submodules, names that no file system takes.
    pub refused: Vec<Refused>,
    /// The commit that they were read from; absent for a folder, the index and a tree without a commit.
    pub commit: Option<Commit>,
    /// Files of the mesh that a sparse checkout left out, by path.
    pub hidden: Vec<String>,
    /// Paths that were not read because the mesh says so.
    pub ignored: Ignored,
    /// What a person should know about the repository.
    pub remarks: Vec<Remark>,
}

impl Snapshot {
    /// Files and refusals, sorted; nothing is known of a commit.
    pub(super) fn of(mut files: Vec<(String, Vec<u8>)>, refused: Vec<Refused>, ignored: Ignored) -> Self {
        files.sort();
        Self { files, refused, commit: None, hidden: Vec::new(), ignored, remarks: Vec::new() }
    }
}

/// A commit from which a mesh is read.
#[derive(Debug, Clone)]
pub struct Commit {
    /// Commit and tree of the mesh's folder.
    pub source: Source,
    /// The committer's time in Unix seconds.
    pub seconds: i64,
}

/// A file that cannot be part of a mesh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Path of the file, relative as in [`Snapshot::files`].
    pub path: String,
    /// Reason of the refusal, for the message.
    pub why: String,
}

impl Refused {
    /// A submodule.
    pub(super) fn submodule(path: String) -> Self {
        Self { path, why: format!("it is a submodule; {NOT_REGULAR}") }
    }
}

/// Paths that a message names; the others are counted.
const SHOWN: usize = 3;

/// True for a file that the compiler reads.
pub(super) fn is_spec(name: &str) -> bool {
    !name.starts_with('.') && (name.ends_with(".yaml") || name.ends_with(".yml"))
}

/// The reason that an entry of this name cannot be part of a mesh: names that a checkout could be led astray with
/// (git's own `verify_path`), and control characters.
pub(super) fn unusable(name: &[u8]) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    let Ok(text) = std::str::from_utf8(name) else { return Some("its name is not UTF-8") };
    if name.is_empty() || name.contains(&b'/') || name.contains(&b'\\') || matches!(name, b"." | b"..") {
        return Some("its name leads out of its folder");
    }
    if text.chars().any(mesh_compiler::diag::is_hidden) {
        return Some("its name holds a hidden character");
    }
    if matches!(lower.as_slice(), b".git" | b"git~1") {
        return Some("its name is git's own");
    }
    None
}

/// Two names that some file systems take for one.
pub(super) const TWICE: &str = "two entries have this name, or differ in letter case only";

/// Reason of refusal for links, submodules, devices and the like.
pub(super) const NOT_REGULAR: &str = "a mesh is made of regular files";

/// Some paths in words.
pub(crate) fn listed(paths: &[String]) -> String {
    let shown: Vec<String> =
        paths.iter().take(SHOWN).map(|path| format!("`{}`", path.escape_debug())).collect();
    match paths.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
