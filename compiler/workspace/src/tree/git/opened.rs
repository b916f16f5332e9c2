//! A repository that may be read, and what it is like.

use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use git2::{ErrorCode, Oid};

use super::discover::{Found, discover};
use super::environment::GitEnvironment;
use super::settings::Settings;
use super::words::words;
use super::{format, ownership};
use crate::files::read_small;
use crate::tree::error::TreeError;
use crate::tree::remark::Remark;

/// Bytes of a file of lines, such as grafts, that are read.
pub(super) const LINES: u64 = 1 << 20;

/// A git repository.
pub(in crate::tree) struct Repository {
    pub(super) libgit2: git2::Repository,
    pub(super) found: Found,
    pub(super) settings: Settings,
    pub(super) environment: GitEnvironment,
    /// Top level of the work tree; none for a bare repository.
    pub(super) top: Option<PathBuf>,
    /// The mesh's folder below the top level, with `/`; empty for the top level and bare ones.
    pub(super) folder: String,
}

impl Repository {
    /// Opens the repository that `folder`, a canonical path, lies in; none outside of any.
    ///
    /// # Errors
    /// When there is one, and it may not or cannot be read.
    pub(in crate::tree) fn open(
        folder: &Path,
        environment: &GitEnvironment,
    ) -> Result<Option<Self>, TreeError> {
        let Some(found) = discover(folder, environment)? else { return Ok(None) };
        let settings = Settings::protected(environment)?;
        ownership::check(&found, &settings, environment)?;
        let settings = settings.with(&found)?;
        format::check(&found, &settings)?;
        // As a bare one: then the library does not ask again whose it is, and reads no grafts.
        let unreadable = |e: git2::Error| TreeError::Repository { reason: words(&e) };
        let libgit2 = git2::Repository::open_bare(&found.directory).map_err(unreadable)?;
        let top = top_of(&found, &settings, environment);
        if let Some(top) = &top {
            // For attributes, which lie in the work tree.
            libgit2.set_workdir(top, false).map_err(unreadable)?;
        }
        let environment = environment.clone();
        let mut opened = Self { libgit2, found, settings, environment, top, folder: String::new() };
        opened.add_objects()?;
        opened.folder = opened.prefix_of(folder).unwrap_or_default();
        Ok(Some(opened))
    }

    /// Top level of the work tree; none for a bare repository.
    pub(in crate::tree) fn top(&self) -> Option<&Path> {
        self.top.as_deref()
    }

    /// The path of `folder` below the top level, with `/`; none outside of the work tree.
    pub(in crate::tree) fn prefix_of(&self, folder: &Path) -> Option<String> {
        let folder = folder.canonicalize().ok()?;
        let parts = folder.strip_prefix(self.top()?).ok()?.components().map(|part| match part {
            Component::Normal(name) => name.to_str().map(str::to_owned),
            _ => None,
        });
        Some(parts.collect::<Option<Vec<_>>>()?.join("/"))
    }

    /// The branch that `HEAD` names, if it has no commit yet.
    pub(in crate::tree) fn unborn(&self) -> Option<String> {
        let head = self.libgit2.find_reference("HEAD").ok()?;
        let target = head.symbolic_target().ok()??.to_owned();
        let missing = self.libgit2.find_reference(&target).is_err_and(|e| e.code() == ErrorCode::NotFound);
        missing.then(|| target.strip_prefix("refs/heads/").unwrap_or(&target).to_owned())
    }

    /// Where `git -C` finds the repository.
    pub(super) fn place(&self) -> &Path {
        self.top.as_deref().unwrap_or(&self.found.directory)
    }

    pub(super) fn has_remote(&self, name: &str) -> bool {
        let prefix = format!("remote.{name}.");
        self.settings.own_matching(r"^remote\.").iter().any(|(key, _)| key.starts_with(&prefix))
    }

    /// Whether history ends where a clone was cut. All work trees of a repository share that.
    pub(super) fn is_shallow(&self) -> bool {
        let file = match self.environment.get("GIT_SHALLOW_FILE") {
            Some(file) => PathBuf::from(file),
            None => self.found.common.join("shallow"),
        };
        std::fs::metadata(file).is_ok_and(|there| there.is_file() && there.len() > 0)
    }

    pub(super) fn has_grafts(&self) -> bool {
        let line =
            |bytes: Vec<u8>| bytes.split(|byte| *byte == b'\n').any(|line| !matches!(line, [] | [b'#', ..]));
        match read_small(&self.found.common.join("info/grafts"), LINES) {
            Ok(bytes) => line(bytes),
            Err(e) => e.kind() != ErrorKind::NotFound,
        }
    }

    /// What git shows otherwise than it was committed.
    pub(super) fn remarks(&self) -> Vec<Remark> {
        let replaced = || {
            let mut names = self.libgit2.references_glob("refs/replace/*").ok()?;
            names.names().next().map(|_| Remark::Replaced)
        };
        let replaced =
            if self.environment.get("GIT_NO_REPLACE_OBJECTS").is_some() { None } else { replaced() };
        replaced.into_iter().chain(self.has_grafts().then_some(Remark::Grafts)).collect()
    }

    /// Where the index is. `GIT_INDEX_FILE` is that of the repository in which a command runs, not of another one that was
    /// chosen.
    pub(super) fn index_file(&self) -> PathBuf {
        let here = std::env::current_dir().and_then(|here| here.canonicalize()).ok();
        let inside = |folder: &Path| here.as_ref().is_some_and(|here| here.starts_with(folder));
        let meant = self.found.named || self.top().is_some_and(inside) || inside(&self.found.directory);
        let said = self.environment.path("GIT_INDEX_FILE").filter(|_| meant).map(Path::to_owned);
        said.unwrap_or_else(|| self.found.directory.join("index"))
    }

    /// The bytes of a small blob; none for one that is missing, which the walk reports.
    pub(super) fn content(&self, id: Oid) -> Option<Vec<u8>> {
        let (size, _) = self.libgit2.odb().ok()?.read_header(id).ok()?;
        if size > mesh_bundle::limits::FILE_BYTES {
            return None;
        }
        Some(self.libgit2.find_blob(id).ok()?.content().to_vec())
    }

    /// Objects that the environment names: in a hook before a push is taken, those that were pushed lie apart.
    fn add_objects(&self) -> Result<(), TreeError> {
        let mut folders: Vec<PathBuf> =
            self.environment.path("GIT_OBJECT_DIRECTORY").map(Path::to_owned).into_iter().collect();
        folders.extend(self.environment.paths("GIT_ALTERNATE_OBJECT_DIRECTORIES"));
        let reading = |e: git2::Error| TreeError::Repository { reason: words(&e) };
        for folder in folders.iter().filter(|folder| folder.is_dir()) {
            let odb = self.libgit2.odb().map_err(reading)?;
            odb.add_disk_alternate(&folder.to_string_lossy()).map_err(reading)?;
        }
        Ok(())
    }
}

/// Top level of the work tree: as `GIT_WORK_TREE` or `core.worktree` say, else where the repository was found. A linked
/// work tree has one whatever the shared settings say.
fn top_of(found: &Found, settings: &Settings, environment: &GitEnvironment) -> Option<PathBuf> {
    let linked = found.common != found.directory;
    let said = environment.path("GIT_WORK_TREE").filter(|_| found.named).map(Path::to_owned);
    let configured = || settings.own_path("core.worktree", &found.directory).filter(|_| !linked);
    let top = match said.or_else(configured) {
        Some(top) => Some(top),
        None if settings.own_bool("core.bare") == Some(true) && !linked => None,
        None => found.top.clone(),
    };
    top?.canonicalize().ok()
}
