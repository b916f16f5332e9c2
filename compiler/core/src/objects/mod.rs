//! Objects as CEL sees them: what policies over objects (`each`) read.
//!
//! Types and values come from the language's own definitions ([`crate::spec::view`]), so that a field is here as soon as
//! it is in the schema. An object is seen after overrides, with its defaults, and with the objects that it goes with, one
//! step deep: values are trees.

mod relations;
mod types;
mod values;

use std::sync::Arc;

use crate::cel::types::{Field, Record, Type};
use crate::cel::{self, Environment, Phase};
use crate::spec::Kind;

pub use values::{Objects, Variables};

use types::{ENVIRONMENT, MESH, SELF};

/// The variables of a policy on each object of a kind: `self`, `mesh`, `environment`.
#[must_use]
pub fn environment(kind: Kind) -> Environment {
    let types = types::all();
    let record = |record: &Arc<Record>| Type::Record(record.clone());
    Environment::new()
        .with(Field::new(SELF, record(types.own(kind)), "the object, with what goes with it"))
        .with(Field::new(MESH, record(types.plain(Kind::Mesh)), "the mesh"))
        .with(Field::new(
            ENVIRONMENT,
            record(types.plain(Kind::Environment)),
            "the environment that is looked at",
        ))
}

/// The variables of an invariant: a request as an access rule sees it, and what is decided about it.
#[must_use]
pub fn invariants() -> Environment {
    let field = |name: &str, ty, doc| Field::new(name, ty, doc);
    let fields = vec![
        field("allowed", Type::Bool, "the request reaches the service"),
        field("rule", Type::String, "the rule that matches, as `edge/site`; empty where none does"),
        field("service", Type::String, "the service that gets it; empty where none does"),
        field("version", Type::String, "its version; empty where none gets it"),
        field(
            "status",
            Type::Int,
            "the status that the mesh itself answers with; 0 where the service answers",
        ),
    ];
    let decision = Type::Record(Arc::new(Record { name: "decision".to_owned(), fields }));
    cel::requests(Phase::Inbound).with(Field::new("decision", decision, "what the mesh decides"))
}

/// Every record that a policy over objects can read, in the order of the language's table: `self` of each kind, then the
/// records of fields, by name.
#[must_use]
pub fn documented() -> Vec<(String, Arc<Record>)> {
    let types = types::all();
    let own = Kind::ALL.into_iter().map(|kind| (kind.as_str().to_owned(), types.own(kind).clone()));
    own.chain(types.parts().map(|record| (record.name.clone(), record.clone()))).collect()
}

#[cfg(test)]
mod tests;
