//! `--fix`: writes the repairs that change nothing of what the author meant to the files of the work tree.

use std::path::PathBuf;

use mesh_compiler::Options;
use mesh_compiler::diag::Date;
use mesh_compiler::repair::{Repaired, repair};
use mesh_workspace::Mesh;
use mesh_workspace::files::replace_file;

use crate::failure::Failure;
use crate::output::note;

/// Repairs the files of the work tree. Where one of them is not as it was checked, or cannot be written, all stay as they
/// are.
///
/// # Errors
/// When a file cannot be read or written.
pub(super) fn apply(mesh: &Mesh, today: Option<Date>) -> Result<Repaired, Failure> {
    let texts = mesh.compiled.sources.iter();
    let texts = texts.map(|(_, file)| (file.path().to_owned(), file.text().as_bytes().to_vec()));
    let texts: Vec<(String, Vec<u8>)> = texts.collect();
    let repaired = repair(&texts, &Options { today, ..Options::default() });
    let mut there: Vec<(Text<'_>, &str)> = Vec::new();
    for (path, text) in &repaired.files {
        let Some(before) = unchanged(mesh, path)? else { return Ok(Repaired::default()) };
        there.push((before, text));
    }
    for (written, (file, text)) in there.iter().enumerate() {
        if let Err(e) = file.replace(text) {
            for (before, _) in there.iter().take(written) {
                // The first error is the one to tell.
                let _ = before.replace(before.text);
            }
            return Err(Failure::cannot(format!("cannot repair `{}`: {e}", file.path.display())));
        }
    }
    Ok(repaired)
}

/// A file of the work tree that is as it was checked.
struct Text<'m> {
    text: &'m str,
    path: PathBuf,
    /// Its lines end with CRLF on disk, where git's checkout put that, and with LF in the text that was checked.
    crlf: bool,
}

impl Text<'_> {
    fn replace(&self, text: &str) -> std::io::Result<()> {
        let text = if self.crlf { text.replace('\n', "\r\n") } else { text.to_owned() };
        replace_file(&self.path, text.as_bytes(), 0o666)
    }
}

/// A file, by the path that it has in reports, if the work tree still has what was checked; else it is said.
fn unchanged<'m>(mesh: &'m Mesh, shown: &str) -> Result<Option<Text<'m>>, Failure> {
    let source = mesh.compiled.sources.iter().map(|(_, file)| file).find(|file| file.path() == shown);
    let Some(source) = source else { return Ok(None) };
    let below = source.path().strip_prefix(mesh.place.prefix()).unwrap_or(source.path());
    let path = mesh.place.folder.join(below.trim_start_matches('/'));
    let there = std::fs::read(&path)
        .map_err(|e| Failure::cannot(format!("cannot repair `{}`: {e}", path.display())))?;
    let text = source.text();
    let crlf = there != text.as_bytes() && there == text.replace('\n', "\r\n").as_bytes();
    if there != text.as_bytes() && !crlf {
        note(&format!("`{}` is not as it was checked, so nothing is repaired", path.display()));
        return Ok(None);
    }
    Ok(Some(Text { text, path, crlf }))
}
