//! What all lowering functions share: findings, places, and checks of names.

use std::collections::BTreeMap;

use mesh_bundle::sourcemap::{MapFile, Place, SourceMap};
use mesh_bundle::unit::UnitId;
use mesh_bundle::{Digest, Name as Key, Owner};

use crate::cel::CelFinding;
use crate::diag::{Diagnostic, FileId, Span, codes};
use crate::model::Model;
use crate::spec::{CelText, Kind, Name, Sp};

/// Context that all lowering functions share.
pub(super) struct Cx<'c, 'l> {
    pub(super) model: &'c Model<'l>,
    pub(super) findings: Vec<Diagnostic>,
    maps: BTreeMap<UnitId, Vec<(String, Span)>>,
}

impl<'c, 'l> Cx<'c, 'l> {
    pub(super) fn new(model: &'c Model<'l>) -> Self {
        Self { model, findings: Vec::new(), maps: BTreeMap::new() }
    }

    pub(super) fn report(&mut self, finding: Diagnostic) {
        self.findings.push(finding);
    }

    /// Notes where a part of a unit was written.
    pub(super) fn place(&mut self, unit: &UnitId, pointer: impl Into<String>, span: Span) {
        self.maps.entry(unit.clone()).or_default().push((pointer.into(), span));
    }

    /// Where each unit was written, as a whole.
    pub(super) fn unit_places(&self) -> impl Iterator<Item = (&UnitId, Span)> {
        self.maps.iter().filter_map(|(unit, places)| places.first().map(|(_, span)| (unit, *span)))
    }

    /// Findings of an expression, at their words in the file.
    pub(super) fn cel(&mut self, text: &Sp<CelText>, found: Vec<CelFinding>) {
        let map = text.value.map(self.model.sources(), text.span);
        self.findings.extend(found.into_iter().map(|finding| finding.diagnostic(&map)));
    }

    /// The source map of each unit; empties what was noted.
    pub(super) fn maps(&mut self) -> BTreeMap<UnitId, SourceMap> {
        let sources = self.model.sources();
        let mut digests: BTreeMap<FileId, Digest> = BTreeMap::new();
        let mut maps = BTreeMap::new();
        for (unit, places) in std::mem::take(&mut self.maps) {
            let mut files: Vec<FileId> = places.iter().map(|(_, span)| span.file).collect();
            files.sort_unstable();
            files.dedup();
            let mut map = SourceMap::default();
            let mut indexes: BTreeMap<FileId, u32> = BTreeMap::new();
            for (index, file) in (0..).zip(&files) {
                let Some(text) = sources.file(*file).map(|f| f.text()) else { continue };
                let digest = *digests.entry(*file).or_insert_with(|| Digest::of(text.as_bytes()));
                map.files.push(MapFile { path: sources.path(*file).to_owned(), digest });
                indexes.insert(*file, index);
            }
            for (pointer, span) in places {
                let Some((file, index)) = sources.file(span.file).zip(indexes.get(&span.file)) else {
                    continue;
                };
                let (start, end) = (file.position(span.start), file.position(span.end));
                map.places.insert(pointer, Place(*index, start.line, start.column, end.line, end.column));
            }
            maps.insert(unit, map);
        }
        maps
    }
}

/// A checked name as the bundle's.
pub(super) fn key(name: &Name) -> Option<Key> {
    Key::new(name.as_str()).ok()
}

/// The owner that an object with `service` or `gateway` is about, both resolved.
pub(super) fn owner(
    cx: &mut Cx<'_, '_>,
    service: Option<&Sp<Name>>,
    gateway: Option<&Sp<Name>>,
) -> Option<Owner> {
    match (service, gateway) {
        (Some(service), _) => {
            let found = cx.model.resolve(Kind::Service, service, &mut cx.findings);
            found.then(|| key(service).map(Owner::Service)).flatten()
        }
        (None, Some(gateway)) => {
            let found = cx.model.resolve_gateway(gateway, &mut cx.findings);
            found.then(|| key(gateway).map(Owner::Gateway)).flatten()
        }
        (None, None) => None,
    }
}

/// Reports a second object about one owner.
pub(super) fn only_one<K: Ord + Clone + std::fmt::Display>(
    cx: &mut Cx<'_, '_>,
    seen: &mut BTreeMap<K, Span>,
    owner: &K,
    what: &str,
    span: Span,
) -> bool {
    if let Some(first) = seen.get(owner) {
        let message = format!("`{owner}` has {what} already");
        let finding =
            Diagnostic::new(codes::TWICE, span, message).at("here again").label(*first, "first here");
        cx.report(finding.help("make one object of both"));
        return false;
    }
    seen.insert(owner.clone(), span);
    true
}

/// Reports names that stand twice in a list.
pub(super) fn unique<'n>(cx: &mut Cx<'_, '_>, names: impl Iterator<Item = &'n Sp<Name>>, what: &str) {
    let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
    for name in names {
        if let Some(first) = seen.get(name.as_str()) {
            let message = format!("two {what} are called `{}`", name.as_str());
            let finding = Diagnostic::new(codes::DUPLICATE_RULE, name.span, message);
            cx.report(finding.at("here again").label(*first, "first here"));
        } else {
            seen.insert(name.as_str(), name.span);
        }
    }
}
