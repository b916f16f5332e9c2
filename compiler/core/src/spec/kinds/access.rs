//! `AccessPolicy`: who may call.

use super::shared::{FromItem, PathMatch};
use crate::spec::context::Sp;
use crate::spec::decode::{List1, Rule};
use crate::spec::macros::{choice, object};
use crate::spec::scalar::Scalar;
use crate::spec::scalars::*;

object! {
    /// Callers that may call a service or pass a gateway. What no entry allows is denied; deny goes before allow.
    pub struct AccessPolicy, "an AccessPolicy", kind "AccessPolicy" {
        /// The name; the name of the service or gateway unless said otherwise.
        name "name": Option<Sp<Name>>,
        /// Team responsible for the object.
        owner "owner": Option<Sp<Name>>,
        /// Purpose of the object, for readers.
        description "description": Option<Sp<Prose>>,
        /// Service that the policy protects.
        service "service": Option<Sp<Name>>,
        /// Gateway that the policy protects.
        gateway "gateway": Option<Sp<Name>>,
        /// Entries of requests that are allowed.
        allow "allow": Vec<Entry>,
        /// Entries of requests that are denied in any case.
        deny "deny": Vec<Entry>,
        /// Whether the policy counts; `enforce` unless said otherwise.
        mode "mode": Option<Sp<AccessMode>> = |_| Sp::unwritten(AccessMode::Enforce),
    }
    rules [Rule::ExactlyOne(&["service", "gateway"])]
}

impl AccessPolicy {
    /// The AccessPolicy that `callers` of a service is short for.
    pub fn of_callers(service: Sp<Name>, callers: &[FromItem]) -> Self {
        let mut callers = callers.iter().cloned();
        let entry = callers.next().map(|first| Entry {
            name: Name::parse(CALLERS).map(Sp::unwritten),
            from: List1::new(first, callers),
            to: None,
            when: None,
            enabled: None,
            complete: true,
        });
        Self {
            name: Some(service.clone()),
            owner: None,
            description: None,
            service: Some(service),
            gateway: None,
            allow: entry.into_iter().collect(),
            deny: Vec::new(),
            mode: None,
            complete: true,
        }
    }
}

/// The name of the entry that `callers` of a service is short for.
pub const CALLERS: &str = "callers";

choice! {
    /// Whether a policy counts.
    pub enum AccessMode, "a mode" {
        /// The policy is enforced.
        Enforce = "enforce",
        /// It is evaluated and logged only.
        Audit = "audit",
    }
}

object! {
    /// One entry; all its fields must hold.
    pub struct Entry, "an entry" {
        /// The name, unique in its list.
        name "name": Option<Sp<Name>>,
        /// One of these callers.
        from "from": List1<FromItem>,
        /// Requests that the entry is about; everything unless said otherwise.
        to "to": Option<AccessTo>,
        /// A CEL expression.
        when "when": Option<Sp<CelText>>,
        /// `false` takes the entry out.
        enabled "enabled": Option<Sp<bool>> = |_| Sp::unwritten(true),
    }
}

object! {
    /// Requests that an entry is about; all fields must hold.
    pub struct AccessTo, "a target" {
        /// One of these methods.
        methods "methods": Option<List1<Sp<MethodToken>>>,
        /// One of these paths, as the callee gets them.
        paths "paths": Option<List1<PathMatch>>,
    }
    rules [Rule::AtLeastOne(&["methods", "paths"])]
}
