//! The types of records, made once from the shapes of the language.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use super::relations::{self, Many};
use crate::cel::types::{Field, Record, Type, Unit};
use crate::spec::Kind;
use crate::spec::view::{FieldShape, RecordShape, Shape};

/// Name of the variable of the object that a policy is about.
pub(super) const SELF: &str = "self";
/// Name of the variable of the mesh.
pub(super) const MESH: &str = "mesh";
/// Name of the variable of the environment.
pub(super) const ENVIRONMENT: &str = "environment";

/// Records of all kinds and of their fields.
pub(super) struct Types {
    /// Objects as they are written, defaults filled in.
    plain: BTreeMap<Kind, Arc<Record>>,
    /// Records of the kinds, extended by their relations.
    own: BTreeMap<Kind, Arc<Record>>,
    /// Parts of objects, by name.
    parts: BTreeMap<String, Arc<Record>>,
}

/// The types of this language.
pub(super) fn all() -> &'static Types {
    static TYPES: LazyLock<Types> = LazyLock::new(Types::new);
    &TYPES
}

impl Types {
    fn new() -> Self {
        let mut parts = BTreeMap::new();
        let plain: BTreeMap<Kind, Arc<Record>> = Kind::ALL
            .into_iter()
            .filter_map(|kind| match ty(kind.shape(), &mut parts) {
                Type::Record(record) => Some((kind, record)),
                _ => None,
            })
            .collect();
        for kind in Kind::ALL {
            parts.remove(kind.as_str());
        }
        let own = plain
            .iter()
            .map(|(kind, record)| (*kind, with_relations(*kind, record, &plain, &parts)))
            .collect();
        Self { plain, own, parts }
    }

    /// An object of a kind, where another one or a policy names it.
    pub(super) fn plain(&self, kind: Kind) -> &Arc<Record> {
        get(&self.plain, kind)
    }

    /// `self` of a kind.
    pub(super) fn own(&self, kind: Kind) -> &Arc<Record> {
        get(&self.own, kind)
    }

    /// The records of fields, by name.
    pub(super) fn parts(&self) -> impl Iterator<Item = &Arc<Record>> {
        self.parts.values()
    }
}

/// Every kind has its record: the maps are made from all of them.
fn get(records: &BTreeMap<Kind, Arc<Record>>, kind: Kind) -> &Arc<Record> {
    static NONE: LazyLock<Arc<Record>> =
        LazyLock::new(|| Arc::new(Record { name: String::new(), fields: Vec::new() }));
    records.get(&kind).unwrap_or(&NONE)
}

/// The record of `self`: a type of its own, so that an object beside it is not taken for it.
fn with_relations(
    kind: Kind,
    plain: &Record,
    records: &BTreeMap<Kind, Arc<Record>>,
    parts: &BTreeMap<String, Arc<Record>>,
) -> Arc<Record> {
    let mut fields = plain.fields.clone();
    for relation in relations::of(kind) {
        let record = match relation.to {
            Some(to) => Some(get(records, to)),
            None => parts.get(relations::GATEWAY),
        };
        let Some(record) = record else { continue };
        let one = Type::Record(record.clone());
        fields.push(match relation.many {
            Many::AtMostOne => Field::new(relation.name, one, relation.doc).optional(),
            Many::List => Field::new(relation.name, Type::list(one), relation.doc),
        });
    }
    Arc::new(Record { name: SELF.to_owned(), fields })
}

fn ty(shape: Shape, parts: &mut BTreeMap<String, Arc<Record>>) -> Type {
    match shape {
        Shape::Bool => Type::Bool,
        Shape::Int => Type::Int,
        Shape::Double => Type::Double,
        Shape::Text => Type::String,
        Shape::Percent => Type::Quantity(Unit::Percent),
        Shape::Rate => Type::Quantity(Unit::Rate),
        Shape::ByteSize => Type::Quantity(Unit::ByteSize),
        Shape::Duration => Type::Duration,
        Shape::Time => Type::Timestamp,
        Shape::Any | Shape::Hidden(_) => Type::Dyn,
        Shape::List(item) => Type::list(ty(*item, parts)),
        Shape::Map(value) => Type::map(Type::String, ty(*value, parts)),
        Shape::Record(record) => Type::Record(self::record(record, parts)),
    }
}

fn record(shape: RecordShape, parts: &mut BTreeMap<String, Arc<Record>>) -> Arc<Record> {
    if let Some(known) = parts.get(shape.name.as_ref()) {
        return known.clone();
    }
    let fields = shape.fields.into_iter().map(|field| self::field(field, parts)).collect();
    let record = Arc::new(Record { name: shape.name.clone().into_owned(), fields });
    parts.insert(shape.name.into_owned(), record.clone());
    record
}

fn field(shape: FieldShape, parts: &mut BTreeMap<String, Arc<Record>>) -> Field {
    let hidden = match shape.shape {
        Shape::Hidden(why) => Some(why),
        _ => None,
    };
    let field = Field::new(shape.key, ty(shape.shape, parts), shape.doc);
    Field { optional: shape.optional, hidden, ..field }
}
