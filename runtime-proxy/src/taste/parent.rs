//! The proxy's side.

use std::io::{self, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use mesh_bundle::{Refusal, Rung};

use super::meal::{Meal, Verdict};

/// Bytes of a child's answer, and of its last words.
const ANSWER: u64 = 64 << 10;
/// How long a child may take. Its processor time is bounded too; this is for one that waits.
const PATIENCE: Duration = Duration::from_secs(15);
/// Lets the child's allocator ask for huge pages (glibc manual, "Memory Allocation Tunables"): faulting in small ones
/// is a third of its time. Other allocators do not read it.
const HUGE_PAGES: &str = "glibc.malloc.hugetlb=1";
/// Characters of a child's last words that a refusal carries.
const WORDS: usize = 200;

/// Who tastes.
pub trait Taster: Send {
    /// Rungs 5 and 6, somewhere where they can do no harm; how many examples were run.
    ///
    /// # Errors
    /// A [`Refusal`]: the bundle's, or that the taster died, hung or could not start.
    fn taste(&self, meal: &Meal) -> Result<usize, Refusal>;
}

/// Starts `PROGRAM taste` for each meal.
#[derive(Clone, Debug)]
pub struct ChildTaster {
    program: PathBuf,
    arguments: Vec<String>,
    patience: Duration,
}

impl ChildTaster {
    /// A taster that starts this program again, also after its file was replaced (`proc_pid_exe(5)`).
    #[must_use]
    pub fn own() -> Self {
        Self::new(PathBuf::from("/proc/self/exe"))
    }

    /// A taster that starts `program`, a `mesh-proxy`.
    #[must_use]
    pub fn new(program: PathBuf) -> Self {
        Self { program, arguments: vec!["taste".to_owned()], patience: PATIENCE }
    }

    /// With other arguments than `taste`: for a program that is no `mesh-proxy`.
    #[must_use]
    pub fn with_arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        self
    }

    /// With another bound on wall time.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }
}

impl Taster for ChildTaster {
    fn taste(&self, meal: &Meal) -> Result<usize, Refusal> {
        let refuse = |code: &str, message: String| Refusal::new(Rung::Built, code, message);
        let cannot = |e: io::Error| refuse("taste-unavailable", format!("the taster cannot be started: {e}"));
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .env_clear()
            .env("GLIBC_TUNABLES", HUGE_PAGES)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(cannot)?;
        let answer = converse(&mut child, meal, self.patience);
        if answer.is_none() {
            let _gone_already = child.kill();
        }
        let status = child.wait().map_err(cannot)?;
        let Some((said, last_words)) = answer else {
            let message =
                format!("building it took more than {} s and was ended", self.patience.as_secs_f64());
            return Err(refuse("taste-hung", message));
        };
        match serde_json::from_slice::<Verdict>(&said) {
            Ok(Verdict::Good { cases }) if status.success() => Ok(cases),
            Ok(Verdict::Refused(refusal)) if status.success() => Err(refusal),
            _ => {
                let message =
                    format!("building it ended the taster: {}{}", ending(status), shown(&last_words));
                Err(refuse("taste-died", message))
            }
        }
    }
}

/// Gives the meal and hears the answer; `None` when time is up.
fn converse(child: &mut Child, meal: &Meal, patience: Duration) -> Option<(Vec<u8>, Vec<u8>)> {
    let (mut stdin, stdout, stderr) = (child.stdin.take()?, child.stdout.take()?, child.stderr.take()?);
    let (done, heard) = mpsc::channel();
    thread::scope(|scope| {
        // A child that reads nothing ends by the time limit, and with it both ends of the pipes.
        scope.spawn(move || meal.write(&mut stdin));
        let words = scope.spawn(move || read(stderr));
        scope.spawn(move || done.send(read(stdout)));
        let said = heard.recv_timeout(patience).ok();
        if said.is_none() {
            let _gone_already = child.kill();
        }
        let words = words.join().unwrap_or_default();
        said.map(|said| (said, words))
    })
}

fn read(from: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What was read before an error counts; without a whole verdict the child is taken for dead.
    let _broken_or_not = from.take(ANSWER).read_to_end(&mut bytes);
    bytes
}

fn ending(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(signal), _) => format!("signal {signal}"),
        (None, Some(code)) => format!("exit {code}"),
        (None, None) => "unknown end".to_owned(),
    }
}

fn shown(words: &[u8]) -> String {
    let text = String::from_utf8_lossy(words);
    let text: String = text.trim().chars().take(WORDS).collect();
    if text.is_empty() { text } else { format!(", after saying `{}`", text.escape_debug()) }
}
