//! Paths that a mesh does not read: `ignore` of its Mesh.

use mesh_compiler::diag::Sources;
use mesh_compiler::source::{Node, Value, parse};

/// Paths that a mesh does not read. They are said by the `mesh.yaml` of its folder, which is read before all others, and
/// is itself never ignored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ignored {
    /// The mesh's folder with a `/` behind it; empty for the top level.
    folder: String,
    /// Patterns, by their parts between slashes.
    patterns: Vec<Vec<String>>,
}

impl Ignored {
    /// What the `mesh.yaml` of `folder` says; nothing where it cannot be read, which the compiler reports.
    pub(super) fn of(folder: &str, mesh: &[u8]) -> Self {
        // Most meshes say nothing, and parsing takes its time.
        if !mesh.windows(6).any(|window| window == b"ignore") {
            return Self::default();
        }
        let mut sources = Sources::new();
        let (_, parsed) = parse(&mut sources, "mesh.yaml", mesh);
        let is_mesh = |root: &&Node| root.get("kind").and_then(Node::as_str) == Some("Mesh");
        let root = parsed.documents.iter().map(|document| &document.root).find(is_mesh);
        let patterns = match root.and_then(|root| root.get("ignore")).map(|node| &node.value) {
            Some(Value::Seq(items)) => items.iter().filter_map(Node::as_str).map(parts).collect(),
            _ => Vec::new(),
        };
        let folder = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        Self { folder, patterns }
    }

    /// Whether a path, relative as those of a snapshot, is ignored: by its own name or that of a folder above it.
    #[must_use]
    pub fn covers(&self, path: &str) -> bool {
        if self.patterns.is_empty() {
            return false;
        }
        let Some(below) = path.strip_prefix(self.folder.as_str()) else { return false };
        let path: Vec<&str> = below.split('/').collect();
        path != ["mesh.yaml"] && self.patterns.iter().any(|pattern| fits(pattern, &path))
    }

    /// Whether nothing is ignored.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }
}

fn parts(pattern: &str) -> Vec<String> {
    pattern.split('/').map(str::to_owned).collect()
}

/// Whether a pattern fits a path or the start of one: `**` is any number of folders, `*` any part of a name. Time is
/// linear in the product of both lengths.
fn fits(pattern: &[String], path: &[&str]) -> bool {
    // reached[n]: the parts of the pattern so far fit the first n parts of the path.
    let mut reached = vec![false; path.len() + 1];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    for part in pattern {
        let mut next = vec![false; reached.len()];
        let mut any = false;
        for (at, to) in next.iter_mut().enumerate() {
            let here = reached.get(at) == Some(&true);
            any |= here;
            *to = if part == "**" {
                any
            } else {
                let before = at.checked_sub(1);
                before.is_some_and(|before| {
                    reached.get(before) == Some(&true)
                        && path.get(before).is_some_and(|name| name_fits(part.as_bytes(), name.as_bytes()))
                })
            };
        }
        reached = next;
    }
    // A folder that fits takes all below it along; the pattern alone, without a name, fits nothing.
    reached.iter().skip(1).any(|there| *there)
}

/// Whether a name fits a pattern in which `*` is any part of it.
fn name_fits(pattern: &[u8], name: &[u8]) -> bool {
    let mut pieces = pattern.split(|byte| *byte == b'*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut pieces = pieces.peekable();
    if pieces.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        let Some(at) = rest.windows(piece.len().max(1)).position(|w| w == piece || piece.is_empty()) else {
            return piece.is_empty();
        };
        rest = rest.get(at + piece.len()..).unwrap_or_default();
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_whole_names_and_all_below_folders() {
        let ignored = |pattern: &str, path: &str| {
            let text = format!("kind: Mesh\nignore: [\"{pattern}\"]\n");
            Ignored::of("top", text.as_bytes()).covers(&format!("top/{path}"))
        };
        let yes = [
            ("docker-compose.yml", "docker-compose.yml"),
            ("charts", "charts/web/values.yaml"),
            ("charts/**", "charts/a/b.yaml"),
            ("**/values.yaml", "values.yaml"),
            ("**/values.yaml", "a/b/values.yaml"),
            ("*/values.yaml", "a/values.yaml"),
            ("docker-*.yml", "docker-compose.yml"),
            ("*compose*", "docker-compose.yml"),
            ("a/**/b", "a/b/c"),
            ("a/**/b", "a/x/y/b"),
            ("**", "a"),
            ("*", "services/web.yaml"),
        ];
        let no = [
            ("docker-compose.yml", "a/docker-compose.yml"),
            ("charts", "charts2/x.yaml"),
            ("chart*s", "chart"),
            ("*/values.yaml", "values.yaml"),
            ("a/**/b", "a/x"),
            ("**", "mesh.yaml"),
            ("*", "mesh.yaml"),
            ("*a*b", "ab.yaml"),
            ("charts/**/x", "charts"),
        ];
        for (pattern, path) in yes {
            assert!(ignored(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in no {
            assert!(!ignored(pattern, path), "{pattern} {path}");
        }
    }

    #[test]
    fn only_the_mesh_s_own_file_says_it() {
        let of = |text: &str| Ignored::of("", text.as_bytes());
        assert!(of("kind: Service\nname: a\nignore: [x]\n").is_empty());
        assert!(of("kind: Mesh\nignore: x\n").is_empty());
        assert!(of("kind: Service\nname: a\n---\nkind: Mesh\nignore: [x]\n").covers("x/y.yaml"));
        let envelope = "apiVersion: meshc/v1\nkind: Mesh\nmetadata: {name: m}\nspec: {ignore: [x]}\n";
        assert!(of(envelope).covers("x"));
    }
}
