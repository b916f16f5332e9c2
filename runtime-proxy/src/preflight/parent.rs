//! The proxy's side.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek as _};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use mesh_bundle::Refusal;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::cancel::Cancel;
use super::failure::Failure;
use super::input::{PreflightInput, Verdict};
use crate::clock::Clock;

/// Bytes of a child's answer, and of its last words.
const ANSWER: u64 = 64 << 10;
/// How long a child may take. Its processor time is bounded too; this is for one that waits.
const PATIENCE: Duration = Duration::from_secs(15);
/// Lets the child's allocator ask for huge pages (glibc manual, "Memory Allocation Tunables"): it lives briefly and
/// would fault in many small ones. Other allocators do not read it.
const HUGE_PAGES: &str = "glibc.malloc.hugetlb=1";
/// Characters of a child's last words that a refusal carries.
const WORDS: usize = 200;

/// Builds and proves a bundle before the proxy does.
pub trait Preflight: Send + Sync {
    /// Rungs 5 and 6, where they can do no harm; how many examples were run. Ends early once `cancel` is on.
    ///
    /// # Errors
    /// A [`Refusal`]: the bundle's, or a [`Failure`]'s.
    fn check(&self, input: &PreflightInput<'_>, cancel: &Cancel) -> Result<usize, Refusal>;
}

/// Starts `PROGRAM preflight` for each input.
#[derive(Clone, Debug)]
pub struct ChildPreflight {
    program: PathBuf,
    arguments: Vec<String>,
    patience: Duration,
}

impl ChildPreflight {
    /// A check that starts this program again, also after its file was replaced (`proc_pid_exe(5)`).
    #[must_use]
    pub fn own() -> Self {
        Self::new(PathBuf::from("/proc/self/exe"))
    }

    /// A check that starts `program`, a `mesh-proxy`.
    #[must_use]
    pub fn new(program: PathBuf) -> Self {
        Self { program, arguments: vec!["preflight".to_owned()], patience: PATIENCE }
    }

    /// With other arguments than `preflight`: for a program that is no `mesh-proxy`.
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

impl Preflight for ChildPreflight {
    fn check(&self, input: &PreflightInput<'_>, cancel: &Cancel) -> Result<usize, Refusal> {
        let cannot = |error: io::Error| {
            Failure::Unavailable.refusal(format!("the preflight check cannot be started: {error}"))
        };
        // Served whole, so that parent and child do not take turns at a pipe.
        let served = serve(input).map_err(cannot)?;
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .env_clear()
            .env("GLIBC_TUNABLES", HUGE_PAGES)
            .stdin(served)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(cannot)?;
        let answer = converse(&mut child, self.patience, cancel);
        let status = child.wait().map_err(cannot)?;
        let (said, last_words) = match answer.map_err(cannot)? {
            Answer::Ended { said, last_words } => (said, last_words),
            Answer::Late => {
                let seconds = self.patience.as_secs_f64();
                let message = format!("building it took more than {seconds} s and was ended");
                return Err(Failure::TimedOut.refusal(message));
            }
            Answer::Cancelled => {
                return Err(Failure::Cancelled.refusal("building it was ended, since the proxy stops"));
            }
        };
        match serde_json::from_slice::<Verdict>(&said) {
            Ok(Verdict::Good { cases }) if status.success() => Ok(cases),
            Ok(Verdict::Refused(refusal)) if status.success() => Err(refusal),
            _ => {
                let (ending, shown) = (ending(status), shown(&last_words));
                Err(Failure::Crashed
                    .refusal(format!("building it ended the preflight check: {ending}{shown}")))
            }
        }
    }
}

/// An input in a file that lives in memory only (`memfd_create(2)`).
fn serve(input: &PreflightInput<'_>) -> io::Result<File> {
    let mut file = File::from(memfd_create("preflight", MemfdFlags::CLOEXEC)?);
    input.write(&mut BufWriter::new(&mut file))?;
    file.rewind()?;
    Ok(file)
}

/// How a conversation with a child ended.
enum Answer {
    /// The child ended by itself.
    Ended {
        /// Its standard output.
        said: Vec<u8>,
        /// Its standard error.
        last_words: Vec<u8>,
    },
    /// Time was up.
    Late,
    /// Nobody wants the answer any more.
    Cancelled,
}

/// Hears the answer, until the child ended, time is up or nobody wants it any more. It is dead afterwards in any case, and
/// can be waited for.
fn converse(child: &mut Child, patience: Duration, cancel: &Cancel) -> io::Result<Answer> {
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        child.kill()?;
        return Err(io::Error::other("no pipes"));
    };
    thread::scope(|scope| {
        // A child that closes nothing is ended when time is up, and with it go the far ends of the pipes.
        let words = scope.spawn(move || read(stderr));
        let said = scope.spawn(move || read(stdout));
        let ended = wait(child, patience, cancel);
        if !matches!(ended, Ok(Wait::Ended)) {
            child.kill()?;
        }
        // A thread that panicked heard nothing: the child is taken for dead.
        let (said, last_words) = (said.join().unwrap_or_default(), words.join().unwrap_or_default());
        Ok(match ended? {
            Wait::Ended => Answer::Ended { said, last_words },
            Wait::Late => Answer::Late,
            Wait::Cancelled => Answer::Cancelled,
        })
    })
}

/// What came first.
enum Wait {
    Ended,
    Late,
    Cancelled,
}

/// Waits for a child's end (`pidfd_open(2)`: readable once the process has ended).
fn wait(child: &Child, patience: Duration, cancel: &Cancel) -> io::Result<Wait> {
    let pid = Pid::from_child(child);
    let handle = pidfd_open(pid, PidfdFlags::empty())?;
    let clock = Clock::system();
    loop {
        let left = Timespec::try_from(patience.saturating_sub(clock.elapsed()))
            .map_err(|_| io::Error::other("the bound on its time is too large"))?;
        let mut both = [PollFd::new(&handle, PollFlags::IN), PollFd::new(cancel, PollFlags::IN)];
        match poll(&mut both, Some(&left)) {
            Ok(0) => return Ok(Wait::Late),
            Ok(_) => {
                let [ended, _] = both;
                let by_itself = !ended.revents().is_empty();
                return Ok(if by_itself { Wait::Ended } else { Wait::Cancelled });
            }
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
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
