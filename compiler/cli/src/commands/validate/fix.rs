//! `--fix`: applies the repairs that change nothing of what the author meant.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use mesh_compiler::diag::{Edit, FileId, Fix};
use mesh_workspace::Mesh;
use mesh_workspace::files::replace_file;

use crate::failure::Failure;

/// Repairs that were applied by `--fix`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Fixed {
    pub(super) findings: usize,
    pub(super) files: usize,
}

/// Repairs the files of the work tree. The edits of a repair are applied all or none; of repairs that overlap the first
/// is applied, and the next run finds the other. A file that changed since it was read is left alone. Where one file
/// cannot be written, all are as they were.
///
/// # Errors
/// When a file cannot be read or written.
pub(super) fn apply(mesh: &Mesh) -> Result<Fixed, Failure> {
    let mut fixes: Vec<&Fix> = mesh.compiled.findings.iter().filter_map(|d| d.fix.as_ref()).collect();
    fixes.sort();
    fixes.dedup();
    let files: BTreeSet<FileId> =
        fixes.iter().flat_map(|fix| &fix.edits).map(|edit| edit.span.file).collect();
    let mut texts: BTreeMap<FileId, Text<'_>> = BTreeMap::new();
    for file in files {
        texts.extend(unchanged(mesh, file)?.map(|found| (file, found)));
    }
    let chosen = Chosen::of(&fixes, |file| texts.get(&file).map(|there| there.text));
    let mut written: Vec<&Text<'_>> = Vec::new();
    for (file, edits) in &chosen.edits {
        let Some(there) = texts.get(file) else { continue };
        if let Err(e) = there.replace(&edited(there.text, edits)) {
            for before in written {
                // The first error is the one to tell.
                let _ = before.replace(before.text);
            }
            return Err(Failure::cannot(format!("cannot repair `{}`: {e}", there.path.display())));
        }
        written.push(there);
    }
    Ok(Fixed { findings: chosen.fixes, files: chosen.edits.len() })
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

/// A file, if the work tree still has what was checked.
fn unchanged(mesh: &Mesh, file: FileId) -> Result<Option<Text<'_>>, Failure> {
    let Some(source) = mesh.compiled.sources.file(file) else { return Ok(None) };
    let below = source.path().strip_prefix(mesh.place.prefix()).unwrap_or(source.path());
    let path = mesh.place.folder.join(below.trim_start_matches('/'));
    let there = std::fs::read(&path)
        .map_err(|e| Failure::cannot(format!("cannot repair `{}`: {e}", path.display())))?;
    let text = source.text();
    let crlf = there != text.as_bytes() && there == text.replace('\n', "\r\n").as_bytes();
    if there != text.as_bytes() && !crlf {
        let message = format!("`{}` is not as it was checked, and is left as it is", path.display());
        crate::output::note(&message);
        return Ok(None);
    }
    Ok(Some(Text { text, path, crlf }))
}

/// Edits of a file by start, end and order of arrival.
type Edits<'f> = BTreeMap<(u32, u32, usize), &'f Edit>;

/// Repairs that fit together.
#[derive(Debug, Default)]
struct Chosen<'f> {
    /// Number of repairs.
    fixes: usize,
    /// Their edits; no two of a file overlap.
    edits: BTreeMap<FileId, Edits<'f>>,
}

impl<'f> Chosen<'f> {
    /// Takes each repair whose edits all lie in a text and overlap none that was taken.
    fn of<'t>(fixes: &[&'f Fix], text: impl Fn(FileId) -> Option<&'t str>) -> Self {
        let mut chosen = Self::default();
        let mut order = 0;
        for fix in fixes {
            let mut taken = Vec::new();
            let fits = fix.edits.iter().all(|edit| {
                let (start, end) = (edit.span.start, edit.span.end);
                let inside =
                    text(edit.span.file).is_some_and(|text| text.get(start as usize..end as usize).is_some());
                let others = chosen.edits.entry(edit.span.file).or_default();
                let before = others.range(..=(start, u32::MAX, usize::MAX)).next_back();
                let after = others.range((start, u32::MAX, usize::MAX)..).next();
                let free = before.is_none_or(|((_, before_end, _), _)| *before_end <= start)
                    && after.is_none_or(|((after_start, ..), _)| end <= *after_start);
                if inside && free {
                    order += 1;
                    others.insert((start, end, order), edit);
                    taken.push((edit.span.file, (start, end, order)));
                }
                inside && free
            });
            if fits {
                chosen.fixes += 1;
                continue;
            }
            for (file, key) in taken {
                if let Some(edits) = chosen.edits.get_mut(&file) {
                    edits.remove(&key);
                }
            }
        }
        chosen.edits.retain(|_, edits| !edits.is_empty());
        chosen
    }
}

/// The text with edits that lie in it and do not overlap.
fn edited(text: &str, edits: &Edits<'_>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for ((start, end, _), edit) in edits {
        out.push_str(text.get(at..*start as usize).unwrap_or_default());
        out.push_str(&edit.replacement);
        at = *end as usize;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use mesh_compiler::diag::Span;

    use super::*;

    fn edit(file: u32, start: u32, end: u32, text: &str) -> Edit {
        Edit { span: Span::new(FileId(file), start, end), replacement: text.to_owned() }
    }

    /// The texts of two files after as many repairs as fit.
    fn repaired(texts: [&str; 2], fixes: &[Vec<Edit>]) -> (Vec<String>, usize) {
        let fixes: Vec<Fix> = fixes.iter().map(|edits| Fix { edits: edits.clone() }).collect();
        let text = |file: FileId| texts.get(file.0 as usize).copied();
        let chosen = Chosen::of(&fixes.iter().collect::<Vec<_>>(), text);
        let none = Edits::new();
        let after = (0..).map(FileId).zip(texts);
        let after =
            after.map(|(file, text)| edited(text, chosen.edits.get(&file).unwrap_or(&none))).collect();
        (after, chosen.fixes)
    }

    #[test]
    fn overlapping_repairs_wait_for_the_next_run() {
        let fixes = [vec![edit(0, 0, 2, "X")], vec![edit(0, 1, 3, "Y")], vec![edit(0, 4, 5, "")]];
        assert_eq!(repaired(["abcdef", ""], &fixes), (vec!["Xcdf".to_owned(), String::new()], 2));
        assert_eq!(repaired(["ab", ""], &[vec![edit(0, 5, 9, "")]]), (vec!["ab".into(), String::new()], 0));
    }

    #[test]
    fn edits_of_one_repair_are_applied_all_or_none() {
        let rename = vec![edit(0, 0, 1, "new"), edit(1, 2, 3, "new")];
        assert_eq!(
            repaired(["a..", "..a"], std::slice::from_ref(&rename)),
            (vec!["new..".into(), "..new".into()], 1)
        );
        // Its second edit overlaps another repair: neither of both is applied.
        let taken = vec![edit(1, 1, 3, "!")];
        assert_eq!(repaired(["a..", "..a"], &[taken, rename.clone()]), (vec!["a..".into(), ".!".into()], 1));
        // Its second edit lies outside of the file.
        assert_eq!(repaired(["a..", ""], &[rename]), (vec!["a..".into(), String::new()], 0));
    }
}
