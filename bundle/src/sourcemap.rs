//! Source maps: from a place in a unit back to the line that was reviewed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// A source map: JSON pointers (RFC 6901) of a unit, each with the place that it came from. A pointer that is absent
/// has the place of its nearest parent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceMap {
    /// Files of the spec, referred to by index.
    pub files: Vec<MapFile>,
    /// Places by JSON pointer.
    pub places: BTreeMap<String, Place>,
}

/// A file of the spec.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MapFile {
    /// Path of the file, relative to the git top level or the mesh's folder.
    pub path: String,
    /// Digest of the file's bytes.
    pub digest: Digest,
}

/// A place: file index, line and column (from 1, in characters) of its start and end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place(pub u32, pub u32, pub u32, pub u32, pub u32);

impl SourceMap {
    /// The place of `pointer` or of its nearest parent, as `file:line:column`.
    #[must_use]
    pub fn resolve(&self, pointer: &str) -> Option<String> {
        let mut at = pointer;
        loop {
            if let Some(Place(file, line, column, ..)) = self.places.get(at) {
                let file = self.files.get(usize::try_from(*file).ok()?)?;
                return Some(format!("{}:{line}:{column}", file.path));
            }
            at = at.rsplit_once('/')?.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_falls_back_to_its_parent() {
        let places = [("/rules/0".to_owned(), Place(0, 4, 3, 5, 9)), (String::new(), Place(0, 1, 1, 9, 1))];
        let map = SourceMap {
            files: vec![MapFile { path: "a.yaml".into(), digest: Digest::of(b"") }],
            places: places.into(),
        };
        assert_eq!(map.resolve("/rules/0/timeoutMs").unwrap(), "a.yaml:4:3");
        assert_eq!(map.resolve("/rules/1").unwrap(), "a.yaml:1:1");
    }
}
