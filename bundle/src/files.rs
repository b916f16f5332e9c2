//! A bundle as files in memory, and the names that those files may have.

use std::collections::BTreeMap;

use crate::limits;
use crate::unit::UnitId;

/// Files by path, sorted. The same set is a directory, an archive, or a remote layout.
pub type FileSet = BTreeMap<String, Vec<u8>>;

/// The kind of a bundle's file, told from its path alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// `manifest.json`: the root of the bundle.
    Manifest,
    /// `signature.dsse`: the envelope of the manifest.
    Signature,
    /// `release.dsse`: the envelope of the release.
    Release,
    /// `state.json`: the rollout's state.
    State,
    /// `index/0.json` to `index/f.json`: the first level of the index.
    Head(u8),
    /// `index/00.json` to `index/ff.json`: the second level of the index.
    Shard(u8),
    /// `units/….json`: one unit.
    Unit(UnitId),
    /// `sourcemap/….json`: the source map of a unit.
    SourceMap(UnitId),
    /// `selftest/….json`: the self-tests of a unit.
    SelfTest(UnitId),
}

impl Kind {
    /// Parses `path`; `None` for a path that no bundle holds.
    #[must_use]
    pub fn of(path: &str) -> Option<Self> {
        match path {
            "manifest.json" => return Some(Self::Manifest),
            "signature.dsse" => return Some(Self::Signature),
            "release.dsse" => return Some(Self::Release),
            "state.json" => return Some(Self::State),
            _ => {}
        }
        let (folder, rest) = path.split_once('/')?;
        let stem = rest.strip_suffix(".json")?;
        match folder {
            "index" => {
                let value = u8::from_str_radix(stem, 16).ok()?;
                let lower = stem.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
                match stem.len() {
                    1 if lower => Some(Self::Head(value)),
                    2 if lower => Some(Self::Shard(value)),
                    _ => None,
                }
            }
            "units" => stem.parse().ok().map(Self::Unit),
            "sourcemap" => stem.parse().ok().map(Self::SourceMap),
            "selftest" => stem.parse().ok().map(Self::SelfTest),
            _ => None,
        }
    }

    /// The path of the file in the bundle.
    #[must_use]
    pub fn path(&self) -> String {
        match self {
            Self::Manifest => "manifest.json".to_owned(),
            Self::Signature => "signature.dsse".to_owned(),
            Self::Release => "release.dsse".to_owned(),
            Self::State => "state.json".to_owned(),
            Self::Head(n) => format!("index/{n:x}.json"),
            Self::Shard(n) => format!("index/{n:02x}.json"),
            Self::Unit(id) => format!("units/{id}.json"),
            Self::SourceMap(id) => format!("sourcemap/{id}.json"),
            Self::SelfTest(id) => format!("selftest/{id}.json"),
        }
    }

    /// The largest size in bytes that a file of this kind may have.
    #[must_use]
    pub fn limit(&self) -> usize {
        match self {
            Self::Manifest => limits::MANIFEST_BYTES,
            Self::Signature | Self::Release => limits::ENVELOPE_BYTES,
            Self::Unit(_) | Self::State | Self::Head(_) => limits::UNIT_BYTES,
            Self::Shard(_) | Self::SourceMap(_) | Self::SelfTest(_) => limits::SIDE_FILE_BYTES,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_what_they_write() {
        for path in [
            "manifest.json",
            "release.dsse",
            "index/a.json",
            "index/0a.json",
            "units/mesh.json",
            "units/routes/public/edge.json",
            "units/access/gateway/public.json",
            "sourcemap/services/orders.json",
            "selftest/access/orders.json",
        ] {
            assert_eq!(Kind::of(path).unwrap().path(), path);
        }
    }

    #[test]
    fn nothing_else_is_a_path() {
        for path in [
            "",
            "/etc/passwd",
            "../x",
            "units/../../evil.json",
            "units/services/..json",
            "index/+a.json",
            "index/0A.json",
            "index/000.json",
            "Manifest.json",
            "units/services/a\nb.json",
            "units/services/a/b/c.json",
            "unlisted.json",
        ] {
            assert_eq!(Kind::of(path), None, "{path:?}");
        }
    }
}
