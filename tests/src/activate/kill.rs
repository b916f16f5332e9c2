//! SIGKILL or a failure at every write-side system call of an activation (`strace -e inject`), and what is left on the
//! disk.

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use mesh_bundle::Digest;
use mesh_bundle::trust::{SigningKey, TrustSet};

use super::broken_disks::Bad;
use super::check::{Allowed, Said, whole};
use crate::kit::bundle::Signed;
use crate::kit::files::copy;
use crate::kit::small;

/// System calls that change what a disk holds, or say that it shall hold it.
const WRITE_SIDE: &str = "openat,creat,write,pwrite64,writev,pwritev,pwritev2,fsync,fdatasync,sync_file_range,rename,\
    renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,ftruncate,truncate,flock,fallocate,fchmod,chmod,link,linkat,\
    symlink,symlinkat,copy_file_range,sendfile";

/// A way through the ladder, killed at each of its steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// The first bundle on a fresh disk.
    Accept,
    /// Another bundle.
    Swap,
    /// A third bundle while the second one is on probation.
    SwapAgain,
    /// The end of a probation: the bundle in force is the last known good one.
    Good,
    /// The end of a probation: the bundle in force is bad, and the one before comes back by itself.
    Bad,
    /// A start after three deaths under a bundle that never was good: the good one comes back.
    Deadly,
    /// A return by hand.
    Return,
    /// An offer during a hold: stored, not in force.
    Hold,
    /// The end of a hold: what was stored comes into force.
    Resume,
    /// A bundle after which older ones go.
    CleanUp,
    /// An offer that is refused, which the journal says.
    Refuse,
    /// A start, which removes what a crash left unfinished.
    Start,
}

impl Scenario {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Accept,
        Self::Swap,
        Self::SwapAgain,
        Self::Good,
        Self::Bad,
        Self::Deadly,
        Self::Return,
        Self::Hold,
        Self::Resume,
        Self::CleanUp,
        Self::Refuse,
        Self::Start,
    ];
}

/// What happens at a system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The process is killed before the call does anything.
    Killed,
    /// The call fails: a full disk.
    Full,
    /// The call fails: a broken disk.
    Broken,
    /// The call fails: a disk that became read-only.
    ReadOnly,
}

impl Fault {
    /// As strace spells it.
    fn injected(self) -> &'static str {
        match self {
            Self::Killed => "signal=KILL",
            Self::Full => "error=ENOSPC",
            Self::Broken => "error=EIO",
            Self::ReadOnly => "error=EROFS",
        }
    }
}

/// A disk as it is before the run that is killed, and what that run does.
pub struct Stage {
    /// The folder of this stage; `before/` in it is the state folder as it was, `state/` the one that is used.
    dir: PathBuf,
    activator: PathBuf,
    trust: TrustSet,
    script: String,
    before: Option<Digest>,
    after: Option<Digest>,
    generation: u64,
}

/// One system call of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// The call.
    pub call: String,
    /// Which one of them, from 1.
    pub nth: usize,
    /// The line of the trace.
    pub shown: String,
}

/// What one run calls.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// What changes a disk, in order.
    pub points: Vec<Point>,
    /// How often each call was made, those that change nothing too.
    totals: Vec<(String, usize)>,
}

/// What a harness found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Runs that met the fault.
    pub points: usize,
    /// Of these, how many left the old bundle in force, or none on a fresh disk.
    pub old: usize,
    /// How many left the new one.
    pub new: usize,
    /// What was partial, lost or neither, in words.
    pub partial: Vec<String>,
}

impl Stage {
    /// Prepares a scenario below `dir` with an activator's ordinary runs.
    ///
    /// # Errors
    /// A run fails, or comes to something else than it should.
    pub fn prepare(dir: &Path, activator: &Path, scenario: Scenario) -> io::Result<Self> {
        let key = SigningKey::from_seed(&[1; 32]).map_err(io::Error::other)?;
        let mut stage = Self {
            dir: dir.to_owned(),
            activator: activator.to_owned(),
            trust: small::trusting(&key)?,
            script: "start,look".to_owned(),
            before: None,
            after: None,
            generation: 0,
        };
        std::fs::write(dir.join("trust.json"), serde_json::to_vec(&stage.trust)?)?;
        let keep = if scenario == Scenario::CleanUp { 0 } else { 5 };
        let keys = [key];
        let offers = (1..=4_u16)
            .map(|number| small::make(&small::program(8_000 + number, keep)?, number.into(), &keys, |_| ()))
            .collect::<io::Result<Vec<Signed>>>()?;
        let [a, b, c, d] = offers.as_slice() else { return Err(io::Error::other("four bundles")) };
        match scenario {
            Scenario::Accept => stage.last_offer(a)?,
            Scenario::Swap => {
                stage.take(&[a])?;
                stage.last_offer(b)?;
            }
            Scenario::SwapAgain => {
                stage.take(&[a, b])?;
                stage.last_offer(c)?;
            }
            Scenario::Good | Scenario::Bad | Scenario::Deadly => {
                stage.take(&[a])?;
                stage.run_to("start,good", &format!("good {}", a.id))?;
                stage.take(&[b])?;
                stage.after = Some(if scenario == Scenario::Good { b.id } else { a.id });
                stage.script = match scenario {
                    Scenario::Good => "start,good",
                    Scenario::Bad => "start,bad",
                    _ => "start",
                }
                .to_owned();
                if scenario == Scenario::Deadly {
                    for _ in 0..3 {
                        stage.run_to("start,die", &format!("started {}", b.id))?;
                    }
                    stage.before = Some(a.id);
                }
            }
            Scenario::Return => {
                stage.take(&[a, b])?;
                stage.after = Some(a.id);
                stage.script = format!("start,return={}", a.id);
            }
            Scenario::Hold | Scenario::Resume => {
                stage.take(&[a, b])?;
                stage.run_to(&format!("start,return={}", a.id), &format!("ack {}", a.id))?;
                stage.before = Some(a.id);
                stage.last_offer(c)?;
                if scenario == Scenario::Hold {
                    stage.after = Some(a.id);
                } else {
                    stage.run_to("start,look", &format!("held {}", c.id))?;
                    stage.generation = 3;
                    stage.script = "start,resume".to_owned();
                }
            }
            Scenario::CleanUp => {
                stage.take(&[a, b, c])?;
                stage.last_offer(d)?;
            }
            Scenario::Refuse => {
                stage.take(&[a])?;
                let mut broken = b.archive()?;
                broken.truncate(broken.len() / 2);
                std::fs::write(stage.source(), broken)?;
                stage.after = Some(a.id);
            }
            Scenario::Start => {
                stage.take(&[a])?;
                for left in ["journal.json.unfinished", "bundles/x.mcb.unfinished"] {
                    std::fs::write(stage.dir.join("state").join(left), "{")?;
                }
                stage.after = Some(a.id);
                stage.script = "start".to_owned();
            }
        }
        std::fs::create_dir_all(stage.dir.join("state"))?;
        copy(&stage.dir.join("state"), &stage.dir.join("before"))?;
        Ok(stage)
    }

    /// Where the state folder is that a run uses.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.dir.join("state")
    }

    /// The write-side system calls of a run that nobody kills.
    ///
    /// # Errors
    /// The run fails, or has more than one thread, whose calls could not be counted.
    pub fn trace(&self, state: &Path, bad: Option<Bad>) -> io::Result<Trace> {
        let log = self.dir.join("trace");
        let mut strace = strace();
        strace.arg("-o").arg(&log).arg(format!("--trace={WRITE_SIDE}"));
        let output = self.run(strace, state, bad)?;
        succeeded(&output)?;
        let text = std::fs::read_to_string(&log)?;
        let Trace { mut points, mut totals } = Trace::default();
        let mut thread = None;
        for line in text.lines() {
            let Some((id, rest)) = line.split_once(' ') else { continue };
            if *thread.get_or_insert(id) != id {
                return Err(io::Error::other("the activator has a second thread"));
            }
            let Some((call, arguments)) = rest.trim_start().split_once('(') else { continue };
            let at = totals.iter().position(|(known, _)| known == call).unwrap_or(totals.len());
            if at == totals.len() {
                totals.push((call.to_owned(), 0));
            }
            let Some((_, count)) = totals.get_mut(at) else { continue };
            *count += 1;
            if changes_disk(call, arguments) {
                points.push(Point { call: call.to_owned(), nth: *count, shown: rest.trim().to_owned() });
            }
        }
        Ok(Trace { points, totals })
    }

    /// Lets a run meet `fault` at every point, on fresh copies of the disk, and looks at what is left. After each, a run
    /// that meets none must come to its end.
    ///
    /// # Errors
    /// Something that is not the activator's: strace, the machine's disk.
    pub fn fault_all(&self, fault: Fault, bad: Option<Bad>) -> io::Result<Report> {
        let state = self.state();
        self.reset(&state)?;
        let Trace { points, totals } = self.trace(&state, bad)?;
        let mut report = Report::default();
        for point in &points {
            self.reset(&state)?;
            let said = self.fault(fault, point, &state, bad)?;
            self.judge(&state, said, &point.shown, &mut report);
        }
        // One past the last of each call the run comes to its end untouched: no point was missed.
        for (call, total) in totals {
            self.reset(&state)?;
            succeeded(&self.run(injecting(fault, &call, total + 1), &state, bad)?)?;
        }
        Ok(report)
    }

    /// Lets one run meet a fault at one point; what it said before.
    ///
    /// # Errors
    /// The run was not killed there, or a failure ended it otherwise than in words.
    pub fn fault(&self, fault: Fault, point: &Point, state: &Path, bad: Option<Bad>) -> io::Result<Said> {
        let output = self.run(injecting(fault, &point.call, point.nth), state, bad)?;
        let expected = match fault {
            Fault::Killed => output.status.signal() == Some(9),
            // It went on with what it had, or said that the state folder cannot be used.
            Fault::Full | Fault::Broken | Fault::ReadOnly => matches!(output.status.code(), Some(0 | 2)),
        };
        if !expected {
            return Err(io::Error::other(format!("{fault:?} at {}: {}", point.shown, output.status)));
        }
        Ok(Said::read(&String::from_utf8_lossy(&output.stdout)))
    }

    /// A run that nobody kills; what it said.
    ///
    /// # Errors
    /// It fails.
    pub fn finish(&self, state: &Path, bad: Option<Bad>) -> io::Result<Said> {
        let output = self.run(Command::new(&self.activator), state, bad)?;
        succeeded(&output)?;
        Ok(Said::read(&String::from_utf8_lossy(&output.stdout)))
    }

    /// Looks at what a run left, lets another one come to its end, and writes both down.
    pub fn judge(&self, state: &Path, said: Said, at: &str, report: &mut Report) {
        report.points += 1;
        let allowed = Allowed { before: self.before, after: self.after, generation: self.generation, said };
        let found = whole(state, &self.trust, &allowed).and_then(|found| {
            self.finish(state, None).map_err(|error| format!("the next run fails: {error}"))?;
            let done = Allowed { before: self.after, said: Said::default(), ..allowed.clone() };
            whole(state, &self.trust, &done).map_err(|why| format!("after the next run: {why}"))?;
            Ok(found)
        });
        match found {
            Ok(found) if found == self.before => report.old += 1,
            Ok(_) => report.new += 1,
            Err(why) => report.partial.push(format!("{at}: {why}")),
        }
    }

    /// Puts the disk back as it was before the run.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn reset(&self, state: &Path) -> io::Result<()> {
        if state.exists() {
            std::fs::remove_dir_all(state)?;
        }
        copy(&self.dir.join("before"), state)
    }

    fn source(&self) -> PathBuf {
        self.dir.join("offer.mcb")
    }

    fn last_offer(&mut self, offer: &Signed) -> io::Result<()> {
        self.after = Some(offer.id);
        std::fs::write(self.source(), offer.archive()?)
    }

    /// Brings bundles into force, one after the other, by ordinary runs.
    fn take(&mut self, offers: &[&Signed]) -> io::Result<()> {
        for offer in offers {
            std::fs::write(self.source(), offer.archive()?)?;
            self.run_to("start,look", &format!("ack {}", offer.id))?;
            self.before = Some(offer.id);
            self.generation += 1;
        }
        Ok(())
    }

    fn run_to(&mut self, script: &str, expected: &str) -> io::Result<()> {
        let script = std::mem::replace(&mut self.script, script.to_owned());
        let output = self.run(Command::new(&self.activator), &self.state(), None)?;
        self.script = script;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if said.lines().any(|line| line == expected) {
            return Ok(());
        }
        Err(io::Error::other(format!(
            "`{expected}` was expected: {said}{}",
            String::from_utf8_lossy(&output.stderr)
        )))
    }

    /// Runs the activator, by itself or behind a tracer.
    fn run(&self, mut command: Command, state: &Path, bad: Option<Bad>) -> io::Result<Output> {
        if command.get_program() != self.activator {
            command.arg(&self.activator);
        }
        command.arg(state).arg(self.source()).arg(self.dir.join("trust.json")).arg(&self.script);
        match bad {
            Some(Bad::InPlace) => command.args(["--bad", "in-place"]),
            Some(Bad::NoSync) => command.args(["--bad", "no-sync"]),
            None => &mut command,
        };
        command
            .stdin(Stdio::null())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .output()
    }
}

/// Every system call that a program makes, in order, as `CALL` and how many of them there were until then. A program that
/// a tracer starts may begin with its own `execve`, which is left out.
///
/// # Errors
/// The trace cannot be read.
pub fn calls(trace: &Path) -> io::Result<Vec<(String, usize)>> {
    let mut calls: Vec<(String, usize)> = Vec::new();
    for line in std::fs::read_to_string(trace)?.lines() {
        let Some((_, rest)) = line.split_once(' ') else { continue };
        let Some((call, _)) = rest.trim_start().split_once('(') else { continue };
        if call == "execve" {
            continue;
        }
        let before = calls.iter().filter(|(known, _)| known == call).count();
        calls.push((call.to_owned(), before + 1));
    }
    Ok(calls)
}

/// Why no process can be traced here, if none can.
#[must_use]
pub fn cannot_trace() -> Option<String> {
    let log = Path::new("/dev/null");
    match strace().arg("-o").arg(log).arg("true").stdin(Stdio::null()).output() {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(format!("strace fails: {}", String::from_utf8_lossy(&output.stderr).trim())),
        Err(error) => Some(format!("no strace: {error}")),
    }
}

fn strace() -> Command {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq"]);
    command
}

fn injecting(fault: Fault, call: &str, nth: usize) -> Command {
    let mut command = strace();
    command.args(["-o", "/dev/null"]);
    command.arg(format!("--trace={call}")).arg(format!("--inject={call}:{}:when={nth}", fault.injected()));
    command
}

/// Reading does not count, nor what goes to standard output and standard error.
fn changes_disk(call: &str, arguments: &str) -> bool {
    match call {
        "openat" => ["O_CREAT", "O_WRONLY", "O_RDWR", "O_TRUNC"].iter().any(|flag| arguments.contains(flag)),
        "write" | "writev" => !arguments.starts_with("1,") && !arguments.starts_with("2,"),
        _ => true,
    }
}

fn succeeded(output: &Output) -> io::Result<()> {
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{}: {}", output.status, text.trim())))
}
