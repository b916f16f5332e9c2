//! A bundle as one file (`.mcb`): tar (POSIX ustar) with zstd, fixed metadata, sorted names.
//!
//! The same files give the same bytes. A reader takes only what a writer writes: every other
//! archive is refused in words, before any of its files is used.

use std::io::{Read, Write};

use tar::{Builder, EntryType, Header};

use crate::files::{FileSet, Kind};
use crate::limits;
use crate::refusal::{Refusal, Rung};

/// Compression level: a compromise between size and the time of a build.
const LEVEL: i32 = 9;

/// Packs `files` into an archive.
///
/// # Errors
/// When the compressor fails or a path does not fit a ustar header, which no bundle path does.
pub fn write(files: &FileSet) -> std::io::Result<Vec<u8>> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), LEVEL)?;
    encoder.window_log(limits::ZSTD_WINDOW_LOG)?;
    encoder.include_checksum(true)?;
    encoder.write_all(&tar_bytes(files)?)?;
    encoder.finish()
}

/// Unpacks an archive: rung 1 of the ladder for archives.
///
/// Bounds: [`limits::BUNDLE_BYTES`] inflated (inflating stops there), [`limits::BUNDLE_FILES`]
/// entries, a window of 8 MiB, and each file's own bound.
///
/// # Errors
/// A [`Refusal`] at [`Rung::Bound`].
pub fn read(bytes: &[u8]) -> Result<FileSet, Refusal> {
    let inflated = inflate(bytes)?;
    let files = untar(&inflated)?;
    // What is left: modes, times, owners, padding, bytes after the end.
    let again = tar_bytes(&files)
        .map_err(|e| refuse("archive-form", format!("the archive cannot be rebuilt: {e}")))?;
    if again == inflated {
        Ok(files)
    } else if inflated.len() > again.len() {
        Err(refuse("archive-trailing", "there are bytes after the end of the archive"))
    } else {
        Err(refuse("archive-form", "an entry has a mode, time, owner or order that no bundle has"))
    }
}

fn inflate(bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
    if bytes.is_empty() {
        return Err(refuse("archive-truncated", "the archive is empty"));
    }
    if !bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        return Err(refuse(
            "archive-format",
            "this is no bundle archive: it does not start with a zstd frame",
        ));
    }
    let broken = |e: std::io::Error| {
        let text = e.to_string();
        if text.contains("memory") || text.contains("window") {
            refuse("archive-window", "the archive asks for a larger zstd window than 8 MiB")
        } else if e.kind() == std::io::ErrorKind::UnexpectedEof || text.contains("incomplete") {
            refuse("archive-truncated", "the archive ends too early")
        } else {
            refuse("archive-corrupt", format!("the archive does not decompress: {text}"))
        }
    };
    let mut source = bytes;
    let mut decoder = zstd::stream::read::Decoder::with_buffer(&mut source).map_err(broken)?.single_frame();
    decoder.window_log_max(limits::ZSTD_WINDOW_LOG).map_err(broken)?;
    let room = limits::BUNDLE_BYTES + limits::BUNDLE_FILES * 1024;
    let mut inflated = Vec::new();
    decoder.by_ref().take(room as u64 + 1).read_to_end(&mut inflated).map_err(broken)?;
    drop(decoder);
    if inflated.len() > room {
        return Err(refuse("archive-too-large", format!("the archive inflates to more than {room} bytes")));
    }
    if source.is_empty() {
        Ok(inflated)
    } else {
        Err(refuse("archive-trailing", "there are bytes after the end of the archive"))
    }
}

fn untar(inflated: &[u8]) -> Result<FileSet, Refusal> {
    let broken = |e: std::io::Error| {
        let early = e.kind() == std::io::ErrorKind::UnexpectedEof || e.to_string().contains("unexpected EOF");
        if early { truncated() } else { refuse("archive-format", format!("a tar header is broken: {e}")) }
    };
    let mut files = FileSet::new();
    let mut archive = tar::Archive::new(inflated);
    let mut count = 0;
    for entry in archive.entries().map_err(broken)?.raw(true) {
        let mut entry = entry.map_err(broken)?;
        count += 1;
        if count > limits::BUNDLE_FILES {
            return Err(refuse("archive-entries", format!("more than {} entries", limits::BUNDLE_FILES)));
        }
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let shown = path.escape_debug().to_string();
        if entry.header().entry_type() != EntryType::Regular {
            let what =
                "an entry is no regular file (links, devices, folders and extended headers are refused)";
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
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(broken)?;
        if content.len() as u64 != size {
            return Err(truncated().at(shown));
        }
        if files.insert(path, content).is_some() {
            return Err(refuse("archive-duplicate", "an entry stands twice").at(shown));
        }
    }
    if files.is_empty() { Err(truncated()) } else { Ok(files) }
}

fn truncated() -> Refusal {
    refuse("archive-truncated", "the archive ends too early")
}

fn refuse(code: &str, message: impl Into<String>) -> Refusal {
    Refusal::new(Rung::Bound, code, message)
}

fn tar_bytes(files: &FileSet) -> std::io::Result<Vec<u8>> {
    let mut builder = Builder::new(Vec::new());
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
