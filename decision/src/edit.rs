//! Header changes: those of rules, and those that the mesh makes on its own.

use mesh_bundle::program::HeaderEdits;

/// A list of header lines that can be changed; names are in lower case.
pub trait HeaderStore {
    /// Removes all lines of `name`.
    fn remove(&mut self, name: &str);
    /// Adds a line at the end.
    fn add(&mut self, name: &str, value: &str);
}

impl HeaderStore for Vec<(String, Vec<u8>)> {
    fn remove(&mut self, name: &str) {
        self.retain(|(known, _)| known != name);
    }
    fn add(&mut self, name: &str, value: &str) {
        self.push((name.to_owned(), value.as_bytes().to_vec()));
    }
}

/// Applies a rule's edits: removed first, then set, then added.
pub fn apply(edits: &HeaderEdits, headers: &mut impl HeaderStore) {
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

/// Headers by which a caller could claim to be somebody, removed from every request at a
/// gateway and from requests without a mesh identity elsewhere: what is behind the mesh may
/// take them for the mesh's own word.
#[must_use]
pub fn is_forgeable(name: &str) -> bool {
    name.starts_with("x-forwarded-")
        || name.starts_with("x-mesh-")
        || matches!(name, "forwarded" | "x-real-ip" | "x-source-service" | "x-target-service")
}

/// Headers that only the mesh itself may set: removed everywhere.
#[must_use]
pub fn is_identity(name: &str) -> bool {
    name.starts_with("x-mesh-")
        || matches!(name, "x-forwarded-client-cert" | "x-source-service" | "x-target-service")
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
