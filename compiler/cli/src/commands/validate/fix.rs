//! `--fix`: applies the repairs that change nothing of what the author meant.

use std::collections::BTreeMap;
use std::path::PathBuf;

use mesh_compiler::diag::{FileId, Fix};
use mesh_workspace::Mesh;
use mesh_workspace::files::replace_file;

use crate::failure::Failure;

/// Repairs that were applied by `--fix`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Fixed {
    pub(super) findings: usize,
    pub(super) files: usize,
}

/// Repairs the files of the work tree, each in one step. Of repairs that overlap the first is applied; the next run
/// finds the other. A file that changed since it was read is left alone.
///
/// # Errors
/// When a file cannot be written.
pub(super) fn apply(mesh: &Mesh) -> Result<Fixed, Failure> {
    let mut by_file: BTreeMap<FileId, Vec<&Fix>> = BTreeMap::new();
    for fix in mesh.compiled.findings.iter().filter_map(|d| d.fix.as_ref()) {
        by_file.entry(fix.span.file).or_default().push(fix);
    }
    let prefix = mesh.place.prefix();
    let mut fixed = Fixed::default();
    for (file, mut fixes) in by_file {
        let Some(source) = mesh.compiled.sources.file(file) else { continue };
        fixes.sort();
        fixes.dedup();
        let Some((text, count)) = repaired(source.text(), &fixes) else { continue };
        let below = source.path().strip_prefix(prefix.as_str()).unwrap_or(source.path());
        let path: PathBuf = mesh.place.folder.join(below.trim_start_matches('/'));
        let cannot = |e: std::io::Error| Failure::cannot(format!("cannot repair `{}`: {e}", path.display()));
        // Only what was checked is repaired, and only if its text is the file's bytes.
        if std::fs::read(&path).map_err(cannot)? != source.text().as_bytes() {
            crate::output::note(&format!("`{}` changed meanwhile and is left as it is", path.display()));
            continue;
        }
        replace_file(&path, text.as_bytes(), 0o666).map_err(cannot)?;
        fixed.findings += count;
        fixed.files += 1;
    }
    Ok(fixed)
}

/// The text with `fixes` (sorted) applied, and how many were; `None` if none can be.
fn repaired(text: &str, fixes: &[&Fix]) -> Option<(String, usize)> {
    let mut out = String::with_capacity(text.len());
    let (mut at, mut count) = (0, 0);
    for fix in fixes {
        let (start, end) = (fix.span.start as usize, fix.span.end as usize);
        let Some(kept) = text.get(at..start) else { continue };
        if start < at || text.get(start..end).is_none() {
            continue;
        }
        out.push_str(kept);
        out.push_str(&fix.replacement);
        (at, count) = (end, count + 1);
    }
    out.push_str(text.get(at..)?);
    (count > 0).then_some((out, count))
}

#[cfg(test)]
mod tests {
    use mesh_compiler::diag::Span;

    use super::*;

    #[test]
    fn overlapping_repairs_wait_for_the_next_run() {
        let fix = |start, end, text: &str| Fix {
            span: Span::new(FileId(0), start, end),
            replacement: text.to_owned(),
        };
        let (a, b, c) = (fix(0, 2, "X"), fix(1, 3, "Y"), fix(4, 5, ""));
        assert_eq!(repaired("abcdef", &[&a, &b, &c]), Some(("Xcdf".to_owned(), 2)));
        assert_eq!(repaired("ab", &[&fix(5, 9, "")]), None);
    }
}
