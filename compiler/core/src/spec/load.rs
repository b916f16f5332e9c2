//! All files of a mesh at once.

use std::collections::{BTreeMap, BTreeSet};

use super::foreign;
use super::object::{DocumentId, Object, address_hint, decode};
use super::scalars::Address;
use super::unread::Unread;
use crate::diag::{Comment, Diagnostic, Diagnostics, SourceFile, Sources, codes};
use crate::source::{Document, parse};

/// A mesh as it is written.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// All files that were read, in order of their paths.
    pub sources: Sources,
    /// All documents, in order of file and place.
    pub documents: Vec<Document>,
    /// All objects, in order of file and place, each with its document. Addresses are unique: of two equal ones only
    /// the first is here.
    pub objects: Vec<(DocumentId, Object)>,
    /// Objects that exist but could not be decoded: references to them are not mistakes.
    pub broken: BTreeSet<Address>,
    /// What could not be read so far that one knows what is in it.
    pub unread: Unread,
    /// Comments of files in which one is addressed to meshc.
    pub comments: Vec<Comment>,
    /// Findings so far, sorted.
    pub findings: Diagnostics,
}

impl Loaded {
    /// Whether everything could be read.
    pub fn is_complete(&self) -> bool {
        self.broken.is_empty()
            && self.unread.is_empty()
            && self.objects.iter().all(|(_, object)| object.complete)
    }

    /// The document of an object.
    pub fn document(&self, id: DocumentId) -> Option<&Document> {
        self.documents.get(id.0)
    }
}

/// Reads and decodes files, given as path (with `/`) and content. Hidden files, and those that do not end in `.yaml` or
/// `.yml`, are not part of a mesh and left out; hidden folders are the caller's business, since a mesh may lie in one.
pub fn load(files: Vec<(String, Vec<u8>)>) -> Loaded {
    let mut files: Vec<_> = files.into_iter().filter(|(path, _)| belongs(path)).collect();
    files.sort();
    let mut loaded = Loaded::default();
    let mut findings = Vec::new();
    let mut places: BTreeMap<Address, usize> = BTreeMap::new();
    let base = foreign::base(&files);
    for (path, bytes) in files {
        let (file, mut parsed) = parse(&mut loaded.sources, &path, &bytes);
        let text = loaded.sources.file(file).map_or("", SourceFile::text);
        if let Some(finding) = foreign::finding(file, &path, text, &parsed, &base) {
            parsed.findings.retain(|other| other.code == codes::SECRET);
            parsed.findings.push(finding);
            parsed.documents.clear();
        } else {
            loaded.unread.note(&bytes, &parsed);
        }
        findings.extend(parsed.findings);
        loaded.comments.extend(parsed.comments);
        for document in parsed.documents {
            match decode(&document, &loaded.sources, &mut findings) {
                None => match address_hint(&document.root) {
                    Some(address) => {
                        loaded.broken.insert(address);
                    }
                    None => loaded.unread.note_text(loaded.sources.slice(document.root.span)),
                },
                Some(object) => match places.get(&object.address).and_then(|at| loaded.objects.get(*at)) {
                    Some((_, first)) => findings.push(duplicate(&object, first)),
                    None => {
                        places.insert(object.address.clone(), loaded.objects.len());
                        loaded.objects.push((DocumentId(loaded.documents.len()), object));
                    }
                },
            }
            loaded.documents.push(document);
        }
    }
    loaded.findings.extend(findings);
    loaded.findings.sort(&loaded.sources);
    loaded
}

fn belongs(path: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or(path);
    !file.starts_with('.') && (file.ends_with(".yaml") || file.ends_with(".yml"))
}

fn duplicate(again: &Object, first: &Object) -> Diagnostic {
    Diagnostic::new(
        codes::DUPLICATE_ADDRESS,
        again.name_span,
        format!("there is already an object `{}`", again.address),
    )
    .at("here again")
    .label(first.name_span, "first here")
    .help("give one of them another `name`, or make one object of both")
}
