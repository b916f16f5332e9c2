//! Application of the header edits of rules.

use mesh_bundle::program::HeaderEdits;

use crate::head::HeaderLines;

/// Applies a rule's edits: removed first, then set, then added.
pub fn apply(edits: &HeaderEdits, headers: &mut impl HeaderLines) {
    for name in &edits.remove {
        headers.remove(name);
    }
    for (name, value) in &edits.set {
        headers.remove(name);
        headers.add(name, value);
    }
    for (name, value) in &edits.add {
        headers.add(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_remove_then_set_then_add() {
        let mut headers = vec![("a".to_owned(), b"1".to_vec()), ("b".to_owned(), b"2".to_vec())];
        let edits = HeaderEdits {
            remove: vec!["a".into()],
            set: [("b".to_owned(), "3".to_owned())].into(),
            add: [("a".to_owned(), "4".to_owned())].into(),
        };
        apply(&edits, &mut headers);
        assert_eq!(headers, [("b".to_owned(), b"3".to_vec()), ("a".to_owned(), b"4".to_vec())]);
    }
}
