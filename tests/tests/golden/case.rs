//! A golden case: a folder, no code.
//!
//! ```text
//! tests/golden/<case>/
//!   cmd          the words after `meshc`, quoted as in a shell; `$CASE` is the copied folder
//!   base         optional: a folder of the repository that is copied first (`examples/shop`)
//!   input/       files over the base (a file that ends in `.edit` holds `old` and `new` text, parted by `====`)
//!   stdout       what it prints
//!   stderr       what it says, if anything
//!   exit         its exit code
//!   after/       the files that it has changed or made, if any
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::process::Command;

use mesh_tests::kit::files::read;
use mesh_tests::kit::inputs;
use mesh_tests::kit::process::binary;
use similar::TextDiff;

/// The outputs that are one text each.
const TEXTS: [&str; 3] = ["stdout", "stderr", "exit"];
/// All that a case may hold.
const PARTS: [&str; 7] = ["cmd", "base", "input", "stdout", "stderr", "exit", "after"];

type Files = BTreeMap<PathBuf, Vec<u8>>;

/// A case.
pub(crate) struct Case {
    folder: PathBuf,
}

/// The outputs of a run.
pub(crate) struct Run {
    /// By the names of [`TEXTS`].
    texts: [String; 3],
    /// Files that were changed or made.
    changed: Files,
}

impl Case {
    /// The case in `folder`; `None` where there is no command.
    pub(crate) fn new(folder: PathBuf) -> Option<Self> {
        folder.join("cmd").is_file().then_some(Self { folder })
    }

    /// Files of the folder that no case has.
    pub(crate) fn strays(&self) -> io::Result<Vec<PathBuf>> {
        let mut strays = Vec::new();
        for entry in std::fs::read_dir(&self.folder)? {
            let entry = entry?;
            if !PARTS.iter().any(|part| entry.file_name() == *part) {
                strays.push(entry.path());
            }
        }
        Ok(strays)
    }

    /// Runs the command in a copy of the case's files.
    pub(crate) fn run(&self) -> io::Result<Run> {
        let folder = tempfile::tempdir()?;
        let place = folder.path().canonicalize()?;
        let shown = place.display().to_string();
        inputs::place(&self.folder, &place)?;
        let before = read(&place)?;
        let command = std::fs::read_to_string(self.folder.join("cmd"))?;
        let words = shlex::split(&command).ok_or_else(|| io::Error::other("cmd: a quote is not closed"))?;
        let output = Command::new(binary("meshc"))
            .args(words.iter().map(|word| word.replace("$CASE", &shown)))
            .current_dir(&place)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("GIT_CEILING_DIRECTORIES", place.parent().unwrap_or(&place))
            .env("HOME", &place)
            .output()?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&shown, "$CASE");
        let exit = format!("{}\n", output.status.code().unwrap_or(-1));
        let mut changed = read(&place)?;
        changed.retain(|path, bytes| before.get(path) != Some(bytes));
        Ok(Run { texts: [text(&output.stdout), text(&output.stderr), exit], changed })
    }

    /// Writes the outputs of a run over those of the case; outputs that are gone are removed.
    pub(crate) fn update(&self, run: &Run) -> io::Result<()> {
        for (name, text) in TEXTS.iter().zip(&run.texts) {
            let path = self.folder.join(name);
            if !text.is_empty() {
                std::fs::write(&path, text)?;
            } else if path.exists() {
                std::fs::remove_file(&path)?;
            }
        }
        let after = self.folder.join("after");
        if after.exists() {
            std::fs::remove_dir_all(&after)?;
        }
        for (path, bytes) in &run.changed {
            let path = after.join(path);
            std::fs::create_dir_all(path.parent().unwrap_or(&after))?;
            std::fs::write(path, bytes)?;
        }
        Ok(())
    }

    /// Where a run differs from the case, as unified diffs; empty where it holds.
    pub(crate) fn differences(&self, run: &Run) -> io::Result<String> {
        let mut wrong = String::new();
        for (name, got) in TEXTS.iter().zip(&run.texts) {
            let path = self.folder.join(name);
            let expected = if path.exists() { std::fs::read_to_string(path)? } else { String::new() };
            wrong += &diff(name, &expected, got);
        }
        let after = self.folder.join("after");
        let expected = if after.is_dir() { read(&after)? } else { Files::new() };
        for path in expected.keys().chain(run.changed.keys()).collect::<BTreeSet<_>>() {
            let text = |files: &Files| {
                files.get(path).map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default()
            };
            let name = format!("after/{}", path.display());
            let shown = diff(&name, &text(&expected), &text(&run.changed));
            if shown.is_empty() && expected.get(path) != run.changed.get(path) {
                wrong += &format!("{name}: made or changed on one side only, or not as text\n");
            }
            wrong += &shown;
        }
        Ok(wrong)
    }
}

/// A unified diff of two texts; empty where they are the same.
fn diff(name: &str, expected: &str, got: &str) -> String {
    let (old, new) = (format!("{name} (expected)"), format!("{name} (got)"));
    TextDiff::from_lines(expected, got).unified_diff().context_radius(3).header(&old, &new).to_string()
}
