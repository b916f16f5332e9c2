//! A shell that runs the steps of a page, as a reader would: in one session, in a home of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use mesh_tests::kit::files::copy;
use mesh_tests::kit::ports::free_port;
use mesh_tests::kit::process::binary;
use tempfile::TempDir;

use crate::blocks::Step;

/// The longest that a page may take.
const SECONDS: &str = "180";

/// Where a page is read.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    /// At the top of a checkout.
    Checkout,
    /// In the shop, in git.
    Shop,
}

/// What a step gave.
pub(crate) struct Ran {
    /// Exit code; none where the session ended before.
    pub(crate) exit: Option<i32>,
    /// Both its outputs, with the page's own ports.
    pub(crate) output: String,
}

/// Runs steps; background jobs are ended at the end.
pub(crate) fn run(steps: &[Step], place: Place) -> Vec<Ran> {
    let home = tempfile::tempdir().expect("a folder");
    let start = prepare(&home, place);
    let notes = tempfile::tempdir().expect("a folder");
    let ports = Ports::of(steps);
    let mut script = String::from("trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT\n");
    for (index, step) in steps.iter().enumerate() {
        let file = notes.path().join(index.to_string());
        let file = file.display();
        std::fs::write(notes.path().join(format!("{index}.sh")), ports.mapped(&step.command))
            .expect("a file");
        script += &format!("source {file}.sh >{file}.out 2>&1 </dev/null; echo $? >{file}.exit\n");
    }
    let all = notes.path().join("all.sh");
    std::fs::write(&all, script).expect("a file");
    let bins = binary("meshc");
    let bins = bins.parent().expect("a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    // Group and all: what a page starts in the background is ended with it.
    let status = Command::new("timeout")
        .args([SECONDS, "bash", "--noprofile", "--norc"])
        .arg(&all)
        .current_dir(&start)
        .env_clear()
        .env("PATH", format!("{}:{path}", bins.display()))
        .env("HOME", home.path())
        .env("LANG", "C.UTF-8")
        .env("GIT_CEILING_DIRECTORIES", home.path())
        .status();
    assert!(status.is_ok(), "bash starts: {status:?}");
    let read =
        |index: usize, what: &str| std::fs::read_to_string(notes.path().join(format!("{index}.{what}")));
    (0..steps.len())
        .map(|index| Ran {
            exit: read(index, "exit").ok().and_then(|code| code.trim().parse().ok()),
            output: ports.unmapped(&read(index, "out").unwrap_or_default()),
        })
        .collect()
}

fn prepare(home: &TempDir, place: Place) -> PathBuf {
    let git = "[user]\nname = reader\nemail = reader@example.org\n[init]\ndefaultBranch = main\n";
    std::fs::write(home.path().join(".gitconfig"), git).expect("a file");
    let checkout = home.path().join("checkout");
    let examples = checkout.join("examples");
    copy(&mesh_tests::top().join("examples"), &examples).expect("the examples");
    match place {
        Place::Checkout => checkout,
        Place::Shop => {
            let shop = examples.join("shop");
            // As in a clone, with a branch of its remote.
            let remote = ["update-ref", "refs/remotes/origin/main", "HEAD"];
            let commit = ["commit", "-q", "-m", "the shop"];
            for words in [["init", "-q"].as_slice(), &["add", "."], &commit, &remote] {
                git_in(&shop, home.path(), words);
            }
            shop
        }
    }
}

fn git_in(folder: &Path, home: &Path, words: &[&str]) {
    let status = Command::new("git").args(words).current_dir(folder).env("HOME", home).status();
    assert!(status.is_ok_and(|status| status.success()), "git {words:?}");
}

/// The ports of a page, and free ones that stand for them.
struct Ports(Vec<(String, String)>);

impl Ports {
    fn of(steps: &[Step]) -> Self {
        let mut found = Vec::new();
        for step in steps {
            for part in step.command.split("127.0.0.1:").skip(1) {
                let port: String = part.chars().take_while(char::is_ascii_digit).collect();
                if !port.is_empty() && found.iter().all(|(known, _)| *known != port) {
                    found.push((port, free_port().expect("a free port").to_string()));
                }
            }
        }
        Self(found)
    }

    fn mapped(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (page, free)| swap(&text, page, free))
    }

    fn unmapped(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (page, free)| swap(&text, free, page))
    }
}

fn swap(text: &str, from: &str, to: &str) -> String {
    text.replace(&format!("127.0.0.1:{from}"), &format!("127.0.0.1:{to}"))
}
