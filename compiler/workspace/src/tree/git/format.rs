//! The form of a repository, and whether it can be read: `extensions.*` of its settings.

use std::path::Path;

use mesh_compiler::diag::visible;

use super::discover::Found;
use super::settings::Settings;
use crate::tree::error::TreeError;
use crate::tree::shell::{command, quoted};

/// The newest `core.repositoryFormatVersion` that there is.
const NEWEST: i64 = 1;

/// Extensions that concern nobody who reads, or that the library knows.
const HARMLESS: &[&str] = &["noop", "worktreeconfig", "preciousobjects", "relativeworktrees"];

/// Refuses a form that the library cannot read, by its name.
///
/// # Errors
/// [`TreeError::Unsupported`].
pub(super) fn check(found: &Found, settings: &Settings) -> Result<(), TreeError> {
    let repository = found.top.as_ref().unwrap_or(&found.directory);
    let refuse = |what: String, remedy: String| {
        Err(TreeError::Unsupported { repository: repository.clone(), what, remedy })
    };
    let mut versions = settings.own_matching(r"^core\.repositoryformatversion$");
    let version = versions.pop().and_then(|(_, value)| value.trim().parse::<i64>().ok());
    let version = version.unwrap_or(0);
    if version > NEWEST {
        return refuse(format!("version {version} of the repository format"), copy(repository));
    }
    // Before version 1 git knows no extensions.
    if version < NEWEST {
        return Ok(());
    }
    for (key, value) in settings.own_matching(r"^extensions\.") {
        let name = key.strip_prefix("extensions.").unwrap_or(&key);
        let unset = || command(repository, &["config", "--unset", &key]);
        match (name, value.as_str()) {
            (name, _) if HARMLESS.contains(&name) => {}
            ("objectformat", "sha1") => {}
            ("objectformat", format) => {
                let format = visible(if format == "sha256" { "SHA-256" } else { format });
                return refuse(
                    format!("object ids of {format} (`extensions.objectFormat`)"),
                    copy(repository),
                );
            }
            ("refstorage", "files") => {
                return refuse("the setting `extensions.refStorage`".to_owned(), unset());
            }
            ("refstorage", form) => {
                // Not `git refs migrate`, which refuses a repository with reflogs (git 2.47).
                let from = quoted(&repository.display().to_string());
                let clone = format!("git clone --ref-format=files {from} DIR && cd DIR");
                return refuse(format!("references as {} (`extensions.refStorage`)", visible(form)), clone);
            }
            ("partialclone", remote) => {
                let promise = command(repository, &["config", &format!("remote.{remote}.promisor"), "true"]);
                let what = "the mark of a partial clone of git before 2.24 (`extensions.partialClone`)";
                return refuse(what.to_owned(), format!("{promise} && {}", unset()));
            }
            _ => return refuse(format!("the extension `{}`", visible(&key)), copy(repository)),
        }
    }
    Ok(())
}

/// The command that copies a commit's files out of the repository.
fn copy(repository: &Path) -> String {
    format!("mkdir DIR && {} | tar -x -C DIR && cd DIR", command(repository, &["archive", "HEAD"]))
}
