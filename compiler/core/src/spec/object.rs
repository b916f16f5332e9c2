//! A document as an object of the language.

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;

use super::context::{Cx, Sp};
use super::decode::Decode;
use super::kinds::*;
use super::scalar::Scalar;
use super::scalars::{Address, Name};
use super::view::{Data, Inherited, Shape, View};
use super::{Kind, scalar};
use crate::diag::{Diagnostic, Sources, Span, codes};
use crate::source::{Document, Node};

/// A document of [`super::Loaded::documents`], by its place there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentId(pub usize);

/// One object of the mesh.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// Its address, unique in a mesh.
    pub address: Address,
    /// The place of the name, or of the field that it was taken from, or of `kind`.
    pub name_span: Span,
    /// The place of the whole document.
    pub span: Span,
    /// Content of the object, by its kind.
    pub spec: Spec,
    /// Whether it was decoded without an error. If not, fields that could not be read are absent.
    pub complete: bool,
}

/// From one list: the sum of all kinds, its decoder, the schemas.
macro_rules! specs {
    ($($(#[doc = $doc:literal])* $Kind:ident, $name:expr;)*) => {
        /// Content of an object, by its kind.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Spec {
            $($(#[doc = $doc])* $Kind(Box<$Kind>),)*
        }

        impl Spec {
            /// Kind of the object.
            pub fn kind(&self) -> Kind {
                match self {
                    $(Self::$Kind(_) => Kind::$Kind,)*
                }
            }

            fn decode(kind: Kind, node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
                match kind {
                    $(Kind::$Kind => Box::<$Kind>::decode(node, cx).map(Self::$Kind),)*
                }
            }

            /// The name that the object says, or that it takes from what it is about.
            fn name(&self) -> Option<&Sp<Name>> {
                match self {
                    $(Self::$Kind(spec) => {
                        let name: fn(&$Kind) -> Option<&Sp<Name>> = $name;
                        name(spec)
                    })*
                }
            }
        }

        impl Spec {
            /// The object as readers see it, without the name that it may take from elsewhere.
            fn data(&self, mesh: &Inherited) -> Option<Data> {
                match self {
                    $(Self::$Kind(spec) => spec.view(mesh),)*
                }
            }
        }

        impl Kind {
            /// Shape of the objects of the kind, as readers see them.
            #[must_use]
            pub fn shape(self) -> Shape {
                match self {
                    $(Self::$Kind => named(<$Kind as View>::shape()),)*
                }
            }
        }

        /// The JSON Schemas (draft 2020-12) of all kinds, by kind in lower case. The same bytes on any machine.
        pub fn schemas() -> BTreeMap<&'static str, serde_json::Value> {
            let mut all = BTreeMap::new();
            $(
                let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<$Kind>();
                all.insert(file_name(Kind::$Kind), schema.to_value());
            )*
            all
        }
    };
}

specs! {
    /// The mesh as a whole.
    Mesh, |s| Some(&s.name);
    /// A workload: port, protocol, versions, labels, callers.
    Service, |s| Some(&s.name);
    /// Destinations of requests to a service or gateway.
    Route, |s| s.name.as_ref().or(s.service.as_ref());
    /// Gradual introduction of a new version.
    Canary, |s| Some(s.name.as_ref().unwrap_or(&s.service));
    /// Callers that a service or gateway lets in.
    AccessPolicy, |s| s.name.as_ref().or(s.service.as_ref()).or(s.gateway.as_ref());
    /// Rate limits of callers.
    Quota, |s| s.name.as_ref().or(s.service.as_ref()).or(s.gateway.as_ref());
    /// Balancing, ejection and limits of a service's endpoints.
    Resilience, |s| Some(s.name.as_ref().unwrap_or(&s.service));
    /// Certificates and tokens.
    Identity, |s| s.name.as_ref().or(s.service.as_ref());
    /// Access logs, traces, metrics and objectives.
    Telemetry, |s| s.name.as_ref().or(s.service.as_ref());
    /// A rule about all objects or all requests.
    Policy, |s| Some(&s.name);
    /// A deployment of the mesh, with its overrides.
    Environment, |s| Some(&s.name);
    /// Outside the mesh.
    External, |s| Some(&s.name);
    /// Examples that must stay true.
    Test, |s| Some(&s.name);
}

impl Object {
    /// The object as readers see it: its fields, its defaults filled in, and the name of its address.
    #[must_use]
    pub fn data(&self, mesh: &Inherited) -> Data {
        let mut fields = self.spec.data(mesh).map(Data::into_fields).unwrap_or_default();
        fields.retain(|(key, _)| *key != NAME);
        fields.insert(0, (NAME, Data::text(self.address.name.as_str())));
        Data::Record(fields)
    }
}

/// Every object has a name, also where it is not written.
fn named(mut shape: Shape) -> Shape {
    if let Shape::Record(record) = &mut shape {
        record.fields.iter_mut().filter(|field| field.key == NAME).for_each(|field| field.optional = false);
    }
    shape
}

const NAME: &str = "name";

/// The name of an Identity or Telemetry of the whole mesh.
const DEFAULT_NAME: &str = "default";

fn file_name(kind: Kind) -> &'static str {
    match kind {
        Kind::AccessPolicy => "accesspolicy",
        other => other.slug(),
    }
}

/// Decodes a document. A document that was not read completely gives no object: what is missing would be reported as
/// missing, although it may be there.
pub fn decode(document: &Document, sources: &Sources, findings: &mut Vec<Diagnostic>) -> Option<Object> {
    if document.complete { decode_node(&document.root, sources, findings) } else { None }
}

/// Decodes the root of a document, also one that overrides were merged into.
pub fn decode_node(root: &Node, sources: &Sources, findings: &mut Vec<Diagnostic>) -> Option<Object> {
    let mut cx = Cx::new(sources);
    let object = object(root, &mut cx);
    let complete = cx.errors() == 0;
    findings.extend(cx.into_findings());
    object.map(|object| Object { complete, ..object })
}

fn object(root: &Node, cx: &mut Cx<'_>) -> Option<Object> {
    let (kind, kind_span) = kind_of(root, cx)?;
    let spec = Spec::decode(kind, root, cx);
    for (key, _) in root.as_map().unwrap_or_default() {
        cx.advise(codes::UNKNOWN_FIELD, key.span, || of_other_kinds(kind, &key.text));
    }
    let spec = spec?;
    let (name, name_span) = match spec.name() {
        Some(name) => (name.value.clone(), name.span),
        None if matches!(kind, Kind::Identity | Kind::Telemetry) => (Name::parse(DEFAULT_NAME)?, kind_span),
        None => return None,
    };
    Some(Object { address: Address { kind, name }, name_span, span: root.span, spec, complete: true })
}

/// The kinds that have a field which `kind` lacks.
fn of_other_kinds(kind: Kind, key: &str) -> Option<String> {
    let has = |kind: &Kind| match kind.shape() {
        Shape::Record(record) => record.fields.iter().any(|field| field.key == key),
        _ => false,
    };
    let kinds = Kind::ALL
        .into_iter()
        .filter(|other| *other != kind)
        .filter(has)
        .map(|kind| format!("`kind: {}`", kind.as_str()));
    let kinds: Vec<String> = kinds.collect();
    (!kinds.is_empty())
        .then(|| format!("`{key}` is a field of {}: write it in an object of its own", kinds.join(", ")))
}

fn kind_of(root: &Node, cx: &mut Cx<'_>) -> Option<(Kind, Span)> {
    let words = Kind::ALL.map(Kind::as_str);
    let help = format!("kinds: {}", words.join(", "));
    let Some(entries) = root.as_map() else {
        cx.wrong_type(root, "a map with `kind`");
        return None;
    };
    let Some((_, node)) = root.entry("kind") else {
        let span = entries.first().map_or(root.span, |(key, _)| key.span);
        let finding = Diagnostic::new(codes::UNKNOWN_KIND, span, "the document has no `kind`").help(help);
        cx.report(finding.help("a file of another program is listed in mesh.yaml: `ignore: [PATH]`"));
        return None;
    };
    let Some(word) = node.as_str() else {
        cx.wrong_type(node, "a kind");
        return None;
    };
    if let Some(kind) = Kind::from_word(word) {
        return Some((kind, node.span));
    }
    let kind = scalar::unknown_kind(node, word, &words, help, cx).and_then(Kind::from_word)?;
    Some((kind, node.span))
}

/// The address that a document would have had, as far as it says one; for documents that gave no object, so that others
/// that refer to them are not reported as well.
pub(super) fn address_hint(root: &Node) -> Option<Address> {
    let kind = Kind::from_word(root.get("kind")?.as_str()?)?;
    let name = ["name", "service", "gateway"].iter().find_map(|key| Name::parse(root.get(key)?.as_str()?));
    Some(Address { kind, name: name? })
}
