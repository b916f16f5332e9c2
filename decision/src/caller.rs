//! Caller selection, for access entries and for the callers of a rule.

use std::collections::BTreeMap;

use mesh_bundle::program::{From, Service};
use mesh_bundle::{Name, Owner};

use crate::request::Source;

/// True if `from` selects this caller. `services` are those that the proxy knows; labels of a service that it does
/// not know match nothing.
#[must_use]
pub fn selects(from: &From, source: &Source<'_>, services: &BTreeMap<Name, Service>) -> bool {
    match (from, source.owner) {
        (From::Any, _) => true,
        (From::External, owner) => owner.is_none() && source.principal.is_empty(),
        (From::Principal(id), _) => !source.principal.is_empty() && id == source.principal,
        (From::Service(name), Some(Owner::Service(caller))) => name == caller,
        (From::Gateway(name), Some(Owner::Gateway(caller))) => name == caller,
        (From::Labels(labels), Some(Owner::Service(caller))) => services
            .get(caller)
            .filter(|_| !labels.is_empty())
            .is_some_and(|service| labels.iter().all(|(key, value)| service.labels.get(key) == Some(value))),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_is_its_certificate() {
        let web = Owner::Service(Name::new("web").unwrap());
        let services = BTreeMap::new();
        let known = Source { principal: "spiffe://d/prod/web", owner: Some(&web), ip: "127.0.0.1" };
        let foreign = Source { principal: "spiffe://d/dev/web", owner: None, ip: "127.0.0.1" };
        let nobody = Source { principal: "", owner: None, ip: "127.0.0.1" };
        let from = From::Service(Name::new("web").unwrap());
        assert!(selects(&from, &known, &services));
        assert!(!selects(&from, &foreign, &services) && !selects(&from, &nobody, &services));
        assert!(selects(&From::External, &nobody, &services));
        assert!(!selects(&From::External, &foreign, &services));
        assert!(selects(&From::Principal("spiffe://d/dev/web".into()), &foreign, &services));
        assert!(!selects(&From::Principal(String::new()), &nobody, &services));
    }
}
