//! Power cuts on file systems of their own: what was not flushed is lost (`FS_IOC_SHUTDOWN` without log flush), and what
//! is left after the next mount. Needs root and loop devices; no device mapper.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::broken_disks::Bad;
use super::check::Said;
use super::kill::{Fault, Point, Report, Scenario, Stage};

/// The image's size in bytes; XFS takes no less than 300 MiB. The file is sparse.
const IMAGE_BYTES: u64 = 400 << 20;
/// `FS_IOC_SHUTDOWN`, which ext4 and XFS share (`_IOR('X', 125, __u32)`), with 2, `NOLOGFLUSH`. Python makes the call
/// since Rust makes none without `unsafe`.
const CUT: &str = "import fcntl, os, struct, sys\n\
    fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587D, struct.pack('I', 2))";
/// Ways through the ladder that are cut off by turns.
const SCENARIOS: [Scenario; 5] =
    [Scenario::Swap, Scenario::Accept, Scenario::Bad, Scenario::Return, Scenario::CleanUp];

/// A kind of file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileSystem {
    /// ext4 with its defaults.
    Ext4,
    /// XFS with its defaults.
    Xfs,
}

/// Why no power can be cut here, if none can.
#[must_use]
pub fn cannot_cut(dir: &Path, kind: FileSystem) -> Option<String> {
    if std::fs::metadata("/proc/self").map_or(1, |of| of.uid()) != 0 {
        return Some("only root mounts a file system".to_owned());
    }
    Machine::on(dir, kind).err().map(|error| format!("no {kind:?} on a loop device: {error}"))
}

/// Cuts the power of `cuts` activations, by turns at each of their points and after their end.
///
/// # Errors
/// Something that is not the activator's: strace, mounting, the machine's disk.
pub fn cut_all(
    dir: &Path,
    activator: &Path,
    kind: FileSystem,
    cuts: usize,
    bad: Option<Bad>,
) -> io::Result<Report> {
    let mut prepared: Vec<(Stage, Vec<Point>)> = Vec::new();
    for scenario in SCENARIOS {
        let folder = dir.join(format!("{scenario:?}"));
        std::fs::create_dir(&folder)?;
        let stage = Stage::prepare(&folder, activator, scenario)?;
        let points = stage.trace(&stage.state(), bad)?.points;
        prepared.push((stage, points));
    }
    let mut report = Report::default();
    for cut in 0..cuts {
        let (turn, round) = (cut % prepared.len(), cut / prepared.len());
        let Some((stage, points)) = prepared.get(turn) else { continue };
        // Every fourth round comes to its end; the others are spread over all points.
        let rounds = cuts.div_ceil(prepared.len());
        let (within, of) = (round - round.div_ceil(4), rounds - rounds.div_ceil(4));
        let point = if round % 4 == 0 { None } else { points.get(within * points.len() / of.max(1)) };
        let machine = Machine::on(dir, kind)?;
        let state = machine.folder().join("state");
        stage.reset(&state)?;
        run(Command::new("sync").arg("-f").arg(machine.folder()))?;
        let said = match point {
            Some(point) => stage.fault(Fault::Killed, point, &state, bad)?,
            None => stage.finish(&state, bad)?,
        };
        if point.is_none() && said == Said::default() {
            return Err(io::Error::other("a run that came to its end acknowledged nothing"));
        }
        let machine = machine.cut()?;
        let at = format!("cut {cut} at {}", point.map_or("the end", |point| point.shown.as_str()));
        stage.judge(&state, said, &at, &mut report);
        drop(machine);
    }
    Ok(report)
}

/// A file system in a file, mounted while this lives.
struct Machine {
    kind: FileSystem,
    image: PathBuf,
    folder: PathBuf,
}

impl Machine {
    /// Makes a new one.
    fn on(dir: &Path, kind: FileSystem) -> io::Result<Self> {
        let (image, folder) = (dir.join("disk.img"), dir.join("disk"));
        std::fs::create_dir_all(&folder)?;
        std::fs::File::create(&image)?.set_len(IMAGE_BYTES)?;
        match kind {
            FileSystem::Ext4 => run(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&image))?,
            FileSystem::Xfs => run(Command::new("mkfs.xfs").args(["-q", "-f"]).arg(&image))?,
        }
        Self { kind, image, folder }.mounted()
    }

    fn folder(&self) -> &Path {
        &self.folder
    }

    /// Everything that was not flushed is gone; the same disk, mounted again.
    fn cut(self) -> io::Result<Self> {
        run(Command::new("python3").args(["-c", CUT]).arg(&self.folder))?;
        let (kind, image, folder) = (self.kind, self.image.clone(), self.folder.clone());
        drop(self);
        Self { kind, image, folder }.mounted()
    }

    fn mounted(self) -> io::Result<Self> {
        let kind = match self.kind {
            FileSystem::Ext4 => "ext4",
            FileSystem::Xfs => "xfs",
        };
        run(Command::new("mount").args(["-t", kind, "-o", "loop"]).arg(&self.image).arg(&self.folder))?;
        Ok(self)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // What could not be mounted cannot be unmounted either.
        let _mounted_or_not = run(Command::new("umount").arg(&self.folder));
    }
}

fn run(command: &mut Command) -> io::Result<()> {
    let path = std::env::var("PATH").unwrap_or_default();
    let command = command.env("PATH", format!("{path}:/usr/sbin:/sbin")).stdin(Stdio::null());
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{}: {}", command.get_program().display(), text.trim())))
}
