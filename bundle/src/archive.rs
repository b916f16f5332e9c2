//! A bundle as one file (`.mcb`): tar (POSIX ustar) with zstd, fixed metadata, sorted names.
//!
//! The same files give the same bytes. A reader takes only what a writer writes: every other
//! archive is refused in words, before any of its files is used.

use std::io::{Read, Write};

use sha2::{Digest as _, Sha256};
use tar::{Builder, EntryType, Header};

use crate::files::{FileSet, Kind};
use crate::limits;
use crate::refusal::{Refusal, Rung};

/// zstd compression level: a compromise between size and build time.
const LEVEL: i32 = 9;

/// Packs `files` into an archive.
///
/// # Errors
/// When the compressor fails or a path does not fit a ustar header, which no bundle path does.
pub fn write(files: &FileSet) -> std::io::Result<Vec<u8>> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), LEVEL)?;
    encoder.window_log(limits::ZSTD_WINDOW_LOG)?;
    encoder.include_checksum(true)?;
    tar_to(files, encoder)?.finish()
}

/// Unpacks an archive: rung 1 of the ladder for archives.
///
/// Bounds: [`limits::BUNDLE_BYTES`] in all files together, [`limits::BUNDLE_FILES`] entries, a window of 8 MiB, and
/// each file's own bound. Inflating stops at the first one that is passed, so memory follows the good part alone.
///
/// # Errors
/// A [`Refusal`] at [`Rung::Bound`].
pub fn read(bytes: &[u8]) -> Result<FileSet, Refusal> {
    if bytes.is_empty() {
        return Err(refuse("archive-truncated", "the archive is empty"));
    }
    if !bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        return Err(refuse("archive-format", "not a bundle archive: it does not start with a zstd frame"));
    }
    let mut source = bytes;
    let mut decoder =
        zstd::stream::read::Decoder::with_buffer(&mut source).map_err(broken_zstd)?.single_frame();
    decoder.window_log_max(limits::ZSTD_WINDOW_LOG).map_err(broken_zstd)?;
    let mut inflated = Counted { inner: decoder, hash: Sha256::new(), count: 0, failure: None };
    let files = untar(&mut inflated);
    if let Some(failure) = inflated.failure.take() {
        return Err(broken_zstd(failure));
    }
    let files = files?;
    // A bundle ends with two blocks of zeros and nothing behind them.
    let rest =
        std::io::copy(&mut inflated.by_ref().take(TAIL + 1), &mut std::io::sink()).map_err(broken_zstd)?;
    if rest > TAIL {
        return Err(refuse("archive-trailing", "there are bytes after the end of the archive"));
    }
    if files.is_empty() {
        return Err(truncated());
    }
    let (count, hash) = (inflated.count, inflated.hash.finalize());
    drop(inflated.inner);
    if !source.is_empty() {
        return Err(refuse("archive-trailing", "there are bytes after the end of the archive"));
    }
    // Modes, times, owners and padding are checked by rebuilding the archive and comparing its digest.
    let again = tar_to(&files, Sum { hash: Sha256::new(), count: 0 })
        .map_err(|e| refuse("archive-form", format!("the archive cannot be rebuilt: {e}")))?;
    if again.hash.finalize() == hash {
        Ok(files)
    } else if count > again.count {
        Err(refuse("archive-trailing", "there are bytes after the end of the archive"))
    } else {
        Err(refuse("archive-form", "an entry has a mode, time, owner or order that no bundle has"))
    }
}

/// Bytes behind the last entry that a tar may have: its two blocks of zeros, and padding to a record of 20 blocks.
const TAIL: u64 = 20 * 512;

/// A reader that counts and hashes the bytes read through it, and keeps the first failure of the reader below, which
/// tar would report as its own.
struct Counted<R> {
    inner: R,
    hash: Sha256,
    count: u64,
    failure: Option<std::io::Error>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self.inner.read(buffer) {
            Ok(read) => {
                self.hash.update(buffer.get(..read).unwrap_or_default());
                self.count += read as u64;
                Ok(read)
            }
            Err(error) => {
                let shown = std::io::Error::new(error.kind(), error.to_string());
                self.failure.get_or_insert(error);
                Err(shown)
            }
        }
    }
}

fn broken_zstd(error: std::io::Error) -> Refusal {
    let text = error.to_string();
    if text.contains("memory") || text.contains("window") {
        refuse("archive-window", "the archive asks for a larger zstd window than 8 MiB")
    } else if error.kind() == std::io::ErrorKind::UnexpectedEof || text.contains("incomplete") {
        refuse("archive-truncated", "the archive ends too early")
    } else {
        refuse("archive-corrupt", format!("the archive does not decompress: {text}"))
    }
}

fn untar(inflated: &mut impl Read) -> Result<FileSet, Refusal> {
    let broken = |e: std::io::Error| {
        let early = e.kind() == std::io::ErrorKind::UnexpectedEof || e.to_string().contains("unexpected EOF");
        if early || e.to_string().contains("failed to read entire block") {
            truncated()
        } else {
            refuse("archive-format", format!("a tar header is broken: {e}"))
        }
    };
    let mut files = FileSet::new();
    let mut archive = tar::Archive::new(inflated);
    let mut total = 0;
    for entry in archive.entries().map_err(broken)?.raw(true) {
        let mut entry = entry.map_err(broken)?;
        if files.len() >= limits::BUNDLE_FILES {
            return Err(refuse("archive-entries", format!("more than {} entries", limits::BUNDLE_FILES)));
        }
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let shown = path.escape_debug().to_string();
        if entry.header().entry_type() != EntryType::Regular {
            let what =
                "an entry is not a regular file (links, devices, folders and extended headers are refused)";
            return Err(refuse("archive-entry-type", what).at(shown));
        }
        let Some(kind) = Kind::of(&path) else {
            return Err(refuse("archive-path", "no bundle holds a file of this name").at(shown));
        };
        let size = entry.size();
        if size > kind.limit() as u64 {
            let message = format!("the file has {size} bytes, and the limit is {}", kind.limit());
            return Err(refuse("file-too-large", message).at(shown));
        }
        total += size;
        if total > limits::BUNDLE_BYTES as u64 {
            let message = format!("the archive inflates to more than {} bytes", limits::BUNDLE_BYTES);
            return Err(refuse("archive-too-large", message));
        }
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(broken)?;
        if content.len() as u64 != size {
            return Err(truncated().at(shown));
        }
        if files.insert(path, content).is_some() {
            return Err(refuse("archive-duplicate", "an entry stands twice").at(shown));
        }
    }
    Ok(files)
}

fn truncated() -> Refusal {
    refuse("archive-truncated", "the archive ends too early")
}

fn refuse(code: &str, message: impl Into<String>) -> Refusal {
    Refusal::new(Rung::Bound, code, message)
}

/// A writer that counts and hashes the bytes written to it.
struct Sum {
    hash: Sha256,
    count: u64,
}

impl Write for Sum {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        self.hash.update(buffer);
        self.count += buffer.len() as u64;
        Ok(buffer.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn tar_to<W: Write>(files: &FileSet, to: W) -> std::io::Result<W> {
    let mut builder = Builder::new(to);
    for (path, content) in files {
        let mut header = Header::new_ustar();
        header.set_path(path)?;
        header.set_entry_type(EntryType::Regular);
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_cksum();
        builder.append(&header, content.as_slice())?;
    }
    builder.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> FileSet {
        let long = format!("units/routes/{0}/{0}.json", "x".repeat(63));
        [("manifest.json".to_owned(), b"{}".to_vec()), (long, vec![7; 700])].into()
    }

    #[test]
    fn archives_read_what_they_write_and_repeat_themselves() {
        let bytes = write(&files()).unwrap();
        assert_eq!(bytes, write(&files()).unwrap());
        assert_eq!(read(&bytes).unwrap(), files());
    }

    #[test]
    fn every_cut_and_every_flip_is_refused() {
        let bytes = write(&files()).unwrap();
        for cut in 0..bytes.len() {
            assert!(read(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        for bit in 0..bytes.len() * 8 {
            let mut other = bytes.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            if let Ok(read) = read(&other) {
                assert_eq!(read, files(), "bit {bit} changed what is read");
            }
        }
    }

    #[test]
    fn a_second_archive_behind_the_first_is_refused() {
        let mut bytes = write(&files()).unwrap();
        bytes.extend(write(&files()).unwrap());
        assert_eq!(read(&bytes).unwrap_err().code, "archive-trailing");
    }
}
