//! Golden cases: a folder each, no code.
//!
//! ```text
//! tests/golden/<case>/
//!   cmd          the words after `meshc`, one line; `$CASE` is the copied folder
//!   base         optional: a folder of the repository that is copied first (`examples/shop`)
//!   input/       files over the base (a file that ends in `.edit` holds `old` and `new` text, parted by `====`)
//!   stdout       what it prints
//!   stderr       what it says, if anything
//!   exit         its exit code
//!   after/       the files that it has changed or made, if any
//! ```
//! `UPDATE_GOLDENS=1` rewrites `stdout`, `stderr`, `exit` and `after`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::fleet::binary;

/// All cases, sorted.
///
/// # Errors
/// Those of the file system.
pub fn cases() -> std::io::Result<Vec<PathBuf>> {
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(crate::top().join("tests/golden"))? {
        let path = entry?.path();
        if path.join("cmd").is_file() {
            cases.push(path);
        }
    }
    cases.sort();
    Ok(cases)
}

/// Runs a case; the differences in words, none if it holds.
///
/// # Errors
/// Those of the file system.
pub fn run(case: &Path, update: bool) -> std::io::Result<Vec<String>> {
    let folder = tempfile::tempdir()?;
    let place = folder.path().canonicalize()?;
    if let Ok(base) = std::fs::read_to_string(case.join("base")) {
        copy(&crate::top().join(base.trim()), &place)?;
    }
    if case.join("input").is_dir() {
        copy(&case.join("input"), &place)?;
        edit(&place)?;
    }
    let before = files(&place)?;
    let words = std::fs::read_to_string(case.join("cmd"))?.replace("$CASE", &place.display().to_string());
    let output = Command::new(binary("meshc"))
        .args(words.split_whitespace())
        .current_dir(&place)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("GIT_CEILING_DIRECTORIES", place.parent().unwrap_or(&place))
        .env("HOME", &place)
        .output()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&place.display().to_string(), "$CASE");
    let got = [
        ("stdout", text(&output.stdout)),
        ("stderr", text(&output.stderr)),
        ("exit", format!("{}\n", output.status.code().unwrap_or(-1))),
    ];
    let mut wrong = Vec::new();
    for (name, got) in got {
        let path = case.join(name);
        if update {
            if got.is_empty() {
                drop(std::fs::remove_file(&path));
            } else {
                std::fs::write(&path, &got)?;
            }
            continue;
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        if expected != got {
            wrong.push(format!("{}/{name}\n--- expected\n{expected}\n--- got\n{got}", case.display()));
        }
    }
    let mut changed = files(&place)?;
    changed.retain(|path, bytes| before.get(path) != Some(bytes));
    let after = case.join("after");
    if update {
        drop(std::fs::remove_dir_all(&after));
        for (path, bytes) in &changed {
            let path = after.join(path);
            std::fs::create_dir_all(path.parent().unwrap_or(&after))?;
            std::fs::write(path, bytes)?;
        }
    } else {
        let expected = if after.is_dir() { files(&after)? } else { BTreeMap::new() };
        for path in expected.keys().chain(changed.keys()).collect::<std::collections::BTreeSet<_>>() {
            let text = |files: &BTreeMap<PathBuf, Vec<u8>>| {
                files
                    .get(path)
                    .map_or_else(|| "(not changed)".into(), |b| String::from_utf8_lossy(b).into_owned())
            };
            if expected.get(path) != changed.get(path) {
                let path = after.join(path);
                let (expected, got) = (text(&expected), text(&changed));
                wrong.push(format!("{}\n--- expected\n{expected}\n--- got\n{got}", path.display()));
            }
        }
    }
    Ok(wrong)
}

/// The bytes of a folder's files, by their path in it.
fn files(folder: &Path) -> std::io::Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut open = vec![PathBuf::new()];
    while let Some(below) = open.pop() {
        for entry in std::fs::read_dir(folder.join(&below))? {
            let entry = entry?;
            let path = below.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                open.push(path);
            } else {
                found.insert(path, std::fs::read(entry.path())?);
            }
        }
    }
    Ok(found)
}

/// Copies a folder's files.
///
/// # Errors
/// Those of the file system.
pub fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::write(&target, std::fs::read(entry.path())?)?;
        }
    }
    Ok(())
}

/// Applies `.edit` files: each replaces one text by another in the file beside it.
fn edit(folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            edit(&path)?;
        } else if path.extension().is_some_and(|e| e == "edit") {
            let change = std::fs::read_to_string(&path)?;
            let target = path.with_extension("");
            let text = std::fs::read_to_string(&target)?;
            let parts = change.split_once("\n====\n");
            let (old, new) = parts.ok_or_else(|| std::io::Error::other("an edit is `old`, `====`, `new`"))?;
            let new = new.strip_suffix('\n').unwrap_or(new);
            if !text.contains(old) {
                return Err(std::io::Error::other(format!("{} has no `{old}`", target.display())));
            }
            std::fs::write(&target, text.replacen(old, new, 1))?;
            std::fs::remove_file(&path)?;
        }
    }
    Ok(())
}
