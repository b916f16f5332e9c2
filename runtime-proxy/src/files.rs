//! Files that somebody else may replace by anything: opening one never waits, reading one has a bound.
//!
//! Opening a FIFO waits for its other end, and a device may do anything: every open here is non-blocking and never takes
//! a controlling terminal, and what was opened is asked what it is before it is read.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

/// For every open: not waiting for a FIFO's other end, not becoming the process's terminal.
const NEVER_WAIT: i32 = libc::O_NONBLOCK | libc::O_NOCTTY;

/// Whether a symbolic link in the last part of a path is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Links {
    /// As secrets that are replaced by a rename of a link need it.
    Followed,
    /// An error.
    Refused,
}

/// Reads a regular file of at most `limit` bytes.
///
/// # Errors
/// What the system says; [`io::ErrorKind::InvalidInput`] for what is no regular file; [`io::ErrorKind::FileTooLarge`]
/// over the limit.
pub(crate) fn read(path: &Path, limit: u64, links: Links) -> io::Result<Vec<u8>> {
    let mut options = OpenOptions::new();
    options.read(true);
    let flags = if links == Links::Refused { NEVER_WAIT | libc::O_NOFOLLOW } else { NEVER_WAIT };
    let file = regular(options.custom_flags(flags).open(path)?)?;
    // Room for all of it at once: a vector that doubles would take up to twice the bound.
    let size = file.metadata()?.len().min(limit).saturating_add(1);
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(usize::try_from(size).map_err(|_| io::ErrorKind::FileTooLarge)?)?;
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

/// Opens a regular file to read or to make it durable.
///
/// # Errors
/// What the system says; [`io::ErrorKind::InvalidInput`] for what is no regular file.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    regular(OpenOptions::new().read(true).custom_flags(NEVER_WAIT).open(path)?)
}

/// Creates a regular file, or empties the one that is there.
///
/// # Errors
/// What the system says; [`io::ErrorKind::InvalidInput`] for what is there and is no regular file.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    regular(options.write(true).create(true).truncate(true).custom_flags(NEVER_WAIT).open(path)?)
}

/// Opens a log to append to: a regular file, which is created if need be, or a character device. Writing to it may wait.
///
/// # Errors
/// What the system says; [`io::ErrorKind::InvalidInput`] for a FIFO, a socket or anything else.
pub(crate) fn open_log(path: &Path) -> io::Result<File> {
    let refused = || {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            "neither a regular file nor a character device; `-` is standard output",
        )
    };
    let opened = OpenOptions::new().append(true).create(true).custom_flags(NEVER_WAIT).open(path);
    // A FIFO that nobody reads, or a socket (open(2)).
    let no_device = |error: &io::Error| error.raw_os_error() == Some(libc::ENXIO);
    let file = opened.map_err(|error| if no_device(&error) { refused() } else { error })?;
    let kind = file.metadata()?.file_type();
    if !kind.is_file() && !kind.is_char_device() {
        return Err(refused());
    }
    fcntl_setfl(&file, fcntl_getfl(&file)? - OFlags::NONBLOCK)?;
    Ok(file)
}

fn regular(file: File) -> io::Result<File> {
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    fn fifo(path: &Path) {
        mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    }

    #[test]
    fn a_fifo_is_refused_at_once_whatever_it_stands_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("fifo");
        fifo(&path);
        let kinds = [
            read(&path, 10, Links::Followed).unwrap_err().kind(),
            open(&path).unwrap_err().kind(),
            open_log(&path).unwrap_err().kind(),
        ];
        assert_eq!(kinds, [io::ErrorKind::InvalidInput; 3]);
        assert!(create(&path).is_err());
        // One that is read is none the better.
        let _reader = OpenOptions::new().read(true).custom_flags(NEVER_WAIT).open(&path).unwrap();
        assert_eq!(open_log(&path).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert_eq!(create(&path).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }

    #[test]
    fn a_file_is_read_up_to_its_bound() {
        let dir = tempfile::tempdir().unwrap();
        let (path, link) = (dir.path().join("file"), dir.path().join("link"));
        std::fs::write(&path, "12345").unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert_eq!(read(&path, 5, Links::Refused).unwrap(), b"12345");
        assert_eq!(read(&link, 5, Links::Followed).unwrap(), b"12345");
        assert!(read(&link, 5, Links::Refused).is_err());
        assert_eq!(read(&path, 4, Links::Followed).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert!(read(dir.path(), 4, Links::Followed).is_err());
    }

    #[test]
    fn a_device_takes_a_log() {
        assert!(open_log(Path::new("/dev/null")).is_ok());
    }
}
