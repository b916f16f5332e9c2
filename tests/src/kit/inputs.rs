//! The files of a golden case before its command runs: a base of the repository, and what the case puts over it.

use std::io;
use std::path::Path;

use super::files::copy;

/// Places the files of the case in `folder` at `to`: those of its base, then its own, then its edits.
///
/// # Errors
/// Those of the file system, and for an edit of a text that is not there.
pub fn place(folder: &Path, to: &Path) -> io::Result<()> {
    if let Ok(base) = std::fs::read_to_string(folder.join("base")) {
        copy(&crate::top().join(base.trim()), to)?;
    }
    if folder.join("input").is_dir() {
        copy(&folder.join("input"), to)?;
        edit(to)?;
    }
    Ok(())
}

/// Applies `.edit` files: each replaces one text by another in the file beside it.
fn edit(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            edit(&path)?;
        } else if path.extension().is_some_and(|e| e == "edit") {
            let change = std::fs::read_to_string(&path)?;
            let target = path.with_extension("");
            let text = std::fs::read_to_string(&target)?;
            let parts = change.split_once("\n====\n");
            let (old, new) = parts.ok_or_else(|| io::Error::other("an edit is `old`, `====`, `new`"))?;
            let new = new.strip_suffix('\n').unwrap_or(new);
            if !text.contains(old) {
                return Err(io::Error::other(format!("{} has no `{old}`", target.display())));
            }
            std::fs::write(&target, text.replacen(old, new, 1))?;
            std::fs::remove_file(&path)?;
        }
    }
    Ok(())
}
