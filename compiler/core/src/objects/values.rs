//! The values of one environment.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::relations::{self, By, Index, Many, Relation};
use super::types::{ENVIRONMENT, MESH, SELF};
use crate::cel::evaluate;
use crate::cel::types::Unit;
use crate::cel::value::{Map, Value};
use crate::model::Model;
use crate::spec::view::{Data, Inherited, View};
use crate::spec::{AccessPolicy, Address, Kind, Mesh, Object, Spec};

/// Objects of one environment as policies read them. Values are made when they are first asked for, and shared.
#[derive(Debug)]
pub struct Objects<'m, 'l> {
    model: &'m Model<'l>,
    inherited: Inherited,
    index: Index<'m>,
    mesh: Value,
    environment: Value,
    plain: BTreeMap<Address, Value>,
    own: BTreeMap<&'m Address, Option<Variables>>,
}

/// The variables of one object.
#[derive(Debug, Clone)]
pub struct Variables {
    own: Value,
    mesh: Value,
    environment: Value,
}

impl evaluate::Variables for Variables {
    fn get(&self, name: &str) -> Option<Value> {
        match name {
            SELF => Some(self.own.clone()),
            MESH => Some(self.mesh.clone()),
            ENVIRONMENT => Some(self.environment.clone()),
            _ => None,
        }
    }
}

impl<'m, 'l> Objects<'m, 'l> {
    /// Those of a model.
    #[must_use]
    pub fn new(model: &'m Model<'l>) -> Self {
        let inherited = Mesh::inherited(model.mesh_spec());
        let mesh = value(model.mesh.data(&inherited));
        let mut environment = model.settings.and_then(|spec| spec.view(&inherited)).map(Data::into_fields);
        let fields = environment.get_or_insert_default();
        fields.retain(|(key, _)| *key != "name");
        fields.push(("name", Data::text(model.environment.as_str())));
        let environment = value(Data::Record(environment.unwrap_or_default()));
        Self {
            model,
            inherited,
            index: Index::new(model),
            mesh,
            environment,
            plain: BTreeMap::new(),
            own: BTreeMap::new(),
        }
    }

    /// The objects of a kind, by name. Of environments only the one that is looked at: each is looked at in its turn.
    pub fn each(&self, kind: Kind) -> impl Iterator<Item = &'m Object> + use<'m, 'l> {
        let model = self.model;
        let here = model.environment.as_str();
        model.of_kind(kind).filter(move |o| kind != Kind::Environment || o.address.name.as_str() == here)
    }

    /// The variables for an object; `None` where it, or an object that goes with it, could not be read: what is said of
    /// such a one would be guessed.
    pub fn variables(&mut self, object: &'m Object) -> Option<Variables> {
        if let Some(known) = self.own.get(&object.address) {
            return known.clone();
        }
        let variables = self.read(object);
        self.own.insert(&object.address, variables.clone());
        variables
    }

    fn read(&mut self, object: &'m Object) -> Option<Variables> {
        let mut fields = object.data(&self.inherited).into_fields();
        let mut relations: Vec<(&str, Value)> = Vec::new();
        let name = object.address.name.clone();
        for relation in relations::of(object.address.kind) {
            if relation.by == By::Gateway {
                relations.extend(self.gateway(object).map(|gateway| (relation.name, gateway)));
                continue;
            }
            let found = self.index.find(self.model, object, relation);
            if !found.iter().all(|other| other.complete) || self.is_broken(relation, object, &name) {
                return None;
            }
            match relation.many {
                Many::List => {
                    relations
                        .push((relation.name, Value::list(found.into_iter().map(|other| self.plain(other)))));
                }
                Many::AtMostOne => {
                    let other = match found.first() {
                        Some(other) => Some(self.plain(other)),
                        None if relation.to == Some(Kind::AccessPolicy) => self.callers(object),
                        None => None,
                    };
                    relations.extend(other.map(|other| (relation.name, other)));
                }
            }
        }
        if !object.complete {
            return None;
        }
        let own = fields.drain(..).map(|(key, data)| (key, value(data))).chain(relations);
        let own = Value::Map(Arc::new(own.collect()));
        Some(Variables { own, mesh: self.mesh.clone(), environment: self.environment.clone() })
    }

    /// An object without what goes with it.
    fn plain(&mut self, object: &Object) -> Value {
        if let Some(known) = self.plain.get(&object.address) {
            return known.clone();
        }
        let value = value(object.data(&self.inherited));
        self.plain.insert(object.address.clone(), value.clone());
        value
    }

    /// True where a document that gave no object may be the one of the relation.
    fn is_broken(&self, relation: &Relation, object: &Object, name: &crate::spec::Name) -> bool {
        let name = match relation.by {
            By::Service => Some(name),
            By::Subject => relations::subject(&object.spec).map(|name| &name.value),
            By::Destination | By::Gateway => None,
        };
        let address = relation.to.zip(name).map(|(kind, name)| Address { kind, name: name.clone() });
        address.is_some_and(|address| self.model.is_broken(&address))
    }

    fn gateway(&self, object: &Object) -> Option<Value> {
        let name = relations::gateway(&object.spec)?;
        let gateway = self.model.mesh_spec()?.gateways.get(name.as_str())?;
        gateway.view(&self.inherited).map(value)
    }

    /// The AccessPolicy that `callers` of a Service is short for.
    fn callers(&self, object: &Object) -> Option<Value> {
        let Spec::Service(service) = &object.spec else { return None };
        let access = AccessPolicy::of_callers(service.name.clone(), service.callers.as_ref()?);
        access.view(&self.inherited).map(value)
    }
}

/// Data as a value.
fn value(data: Data) -> Value {
    match data {
        Data::Null => Value::Null,
        Data::Bool(value) => Value::Bool(value),
        Data::Int(number) => Value::Int(number),
        Data::Double(number) => Value::Double(number),
        Data::Text(text) => Value::String(text),
        Data::Percent(amount) => Value::Quantity(Unit::Percent, amount),
        Data::Rate(amount) => Value::Quantity(Unit::Rate, amount),
        Data::ByteSize(amount) => Value::Quantity(Unit::ByteSize, amount),
        Data::Duration(nanos) => Value::Duration(nanos),
        Data::Time(nanos) => Value::Timestamp(nanos),
        Data::List(items) => Value::list(items.into_iter().map(value)),
        Data::Map(entries) => {
            let entries: Vec<(Arc<str>, Value)> =
                entries.into_iter().map(|(key, data)| (key, value(data))).collect();
            Value::Map(Arc::new(
                entries.iter().map(|(key, value)| (key.as_ref(), value.clone())).collect::<Map>(),
            ))
        }
        Data::Record(fields) => {
            Value::Map(Arc::new(fields.into_iter().map(|(key, data)| (key, value(data))).collect::<Map>()))
        }
    }
}
