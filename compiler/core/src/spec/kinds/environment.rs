//! `Environment`: what differs.

use schemars::{Schema, SchemaGenerator, json_schema};

use super::shared::Bound;
use crate::source::{Node, Value};
use crate::spec::context::{Cx, Sp};
use crate::spec::decode::{Decode, Dict, List1, NumberOr, Rule};
use crate::spec::macros::{choice, either, object};
use crate::spec::scalar::parse_at;
use crate::spec::scalars::*;
use crate::spec::view::{Data, Inherited, Shape, View};

object! {
    /// A place where the mesh runs, and what differs there.
    pub struct Environment, "an Environment", kind "Environment" {
        /// The name; part of identities.
        name "name": Sp<Name>,
        /// Team responsible for the object.
        owner "owner": Option<Sp<Name>>,
        /// Purpose of the object, for readers.
        description "description": Option<Sp<Prose>>,
        /// Source of the endpoints of services.
        discovery "discovery": Option<Discovery>,
        /// Branch that runs here, with its signatures and approvals.
        follow "follow": Option<Follow>,
        /// Delivery of releases to the proxies.
        proxies "proxies": Option<Proxies>,
        /// Differences by address: a map is merged into the object; `null` removes it.
        overrides "overrides": Overrides,
    }
}

object! {
    /// Source of the endpoints of services.
    pub struct Discovery, "a discovery" {
        /// Of a service as a whole.
        pattern "pattern": Option<Sp<EndpointPattern>>,
        /// Of one version.
        versions "versions": Option<Sp<VersionPattern>>,
        /// Endpoints by service.
        static_ "static": Dict<Name, StaticEndpoints>,
    }
    rules [Rule::AtLeastOne(&["pattern", "versions", "static"])]
}

either! {
    /// Endpoints of a service: a list, or lists by version.
    pub enum StaticEndpoints {
        /// Of its only version.
        All(List1<Sp<Endpoint>>) as "endpoints",
        /// Endpoints by version.
        ByVersion(Dict<Name, List1<Sp<Endpoint>>>) if Map as "versions",
    }
}

object! {
    /// The branch that an environment runs, with its signatures and approvals.
    pub struct Follow, "a followed branch" {
        /// Name of the branch.
        branch "branch": Sp<BranchName>,
        /// The file of allowed signers (`ssh-keygen`, ALLOWED SIGNERS), from which commits must be signed.
        signers "signers": Option<Sp<RelPath>>,
        /// Approvals that a change needs; 0 unless said otherwise.
        approvals "approvals": Option<Sp<Small>> = |_| Sp::unwritten(Small::clamped(0)),
    }
}

object! {
    /// Delivery of releases to the proxies.
    pub struct Proxies, "proxy settings" {
        /// Sizes of the groups of proxies that get a release one after the other: numbers or shares.
        waves "waves": Option<List1<NumberOr<Sp<Count>, Sp<Percent>>>>,
        /// Time for which each wave is watched.
        hold "hold": Option<Sp<Duration>>,
        /// Limits that a wave must keep within.
        gates "gates": Vec<Gate>,
        /// Features that proxies here have.
        features "features": Vec<Sp<Name>>,
    }
}

choice! {
    /// Measure of a wave.
    pub enum GateMeasure, "a measure" {
        /// Proxies that could not activate the release.
        ActivationErrors = "activation-errors",
        /// Failed requests of all requests.
        ErrorRate = "error-rate",
        /// Latency that 99 % keep below.
        P99 = "p99",
        /// Denied requests of all requests.
        DenyRate = "deny-rate",
    }
}

object! {
    /// A limit that a wave must keep within.
    pub struct Gate, "a gate" {
        /// Measure that is limited.
        measure "measure": Sp<GateMeasure>,
        /// Largest accepted value.
        max "max": Option<Sp<Bound>>,
        /// At most this much more than on the proxies with the old bundle.
        max_over_stable "maxOverStable": Option<Sp<Bound>>,
    }
    rules [Rule::AtLeastOne(&["max", "maxOverStable"])]
}

/// Differences in an environment: a map (merged into the object) or `null` (removes the object) by address. The maps
/// are typed only once merged.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Overrides(Vec<(Sp<Address>, Node)>);

impl Overrides {
    /// Address and difference, in the order of writing; each is [`Value::Map`] or [`Value::Null`].
    pub fn iter(&self) -> std::slice::Iter<'_, (Sp<Address>, Node)> {
        self.0.iter()
    }

    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

const OVERRIDES: &str = "write the address, and below it the fields that differ: `canary/orders: { autoPromote: false }`; `null` removes";

impl View for Overrides {
    fn shape() -> Shape {
        Shape::Hidden("overrides are merged into the objects that they are about: read those")
    }
    fn view(&self, _: &Inherited) -> Option<Data> {
        None
    }
}

impl Decode for Overrides {
    const REQUIRED: bool = false;
    fn example() -> String {
        "{ canary/orders: { autoPromote: false } }".to_owned()
    }
    fn decode(node: &Node, cx: &mut Cx<'_>) -> Option<Self> {
        let Some(entries) = node.as_map() else {
            cx.misfit(node, "a map of addresses", Some(OVERRIDES.to_owned()), Some(Self::example()));
            return Some(Self::default());
        };
        let mut out = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let address = parse_at::<Address>(&key.text, key.span, cx);
            match value.value {
                Value::Map(_) | Value::Null => {
                    if let Some(address) = address {
                        out.push((Sp { value: address, span: key.span }, value.clone()));
                    }
                }
                _ => cx.misfit(value, "a map of fields, or `null`", Some(OVERRIDES.to_owned()), None),
            }
        }
        Some(Self(out))
    }
    fn absent() -> Option<Self> {
        Some(Self::default())
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "propertyNames": generator.subschema_for::<Address>(),
            "additionalProperties": { "type": ["object", "null"] },
        })
    }
}
