//! Repairs that fit together.

use std::collections::BTreeMap;

use crate::diag::{Edit, FileId, Fix, Sources};

/// Edits of a file by start, end and order of arrival.
type Edits<'f> = BTreeMap<(u32, u32, usize), &'f Edit>;

/// Repairs that fit together.
#[derive(Debug, Default)]
pub(super) struct Chosen<'f> {
    pub(super) fixes: Vec<&'f Fix>,
    /// Their edits; no two of a file overlap.
    edits: BTreeMap<FileId, Edits<'f>>,
}

impl<'f> Chosen<'f> {
    /// Takes each repair whose edits all lie in a text and overlap none that was taken.
    pub(super) fn of<'t>(fixes: &[&'f Fix], text: impl Fn(FileId) -> Option<&'t str>) -> Self {
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
                chosen.fixes.push(fix);
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

    /// All edits, by file and place.
    pub(super) fn edits(&self) -> impl Iterator<Item = &'f Edit> + '_ {
        self.edits.values().flat_map(|edits| edits.values().copied())
    }

    /// The files with edits, and their texts after them.
    pub(super) fn texts<'c>(&'c self, sources: &'c Sources) -> impl Iterator<Item = (FileId, String)> + 'c {
        self.edits
            .iter()
            .filter_map(|(file, edits)| Some((*file, edited(sources.file(*file)?.text(), edits))))
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
    use super::*;
    use crate::diag::Span;

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
        (after, chosen.fixes.len())
    }

    #[test]
    fn overlapping_repairs_wait_for_the_next_round() {
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
