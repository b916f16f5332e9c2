//! Access rules: the callers and requests that each callee lets in.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::canonical::is_default;
use crate::expr::Expression;
use crate::name::Name;
use crate::path::PathPattern;

/// The access rules of one callee. Deny before allow, default deny.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Access {
    /// Whether the verdict is enforced; default [`AccessMode::Enforce`].
    #[serde(default, skip_serializing_if = "is_default")]
    pub mode: AccessMode,
    /// Entries that deny a request, asked first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<Entry>,
    /// Entries that allow a request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<Entry>,
}

/// The mode of access rules: whether a verdict is enforced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccessMode {
    /// A denied request is answered 403.
    #[default]
    Enforce,
    /// A denial is logged only.
    Audit,
}

/// One entry of an access list: all of its parts must hold (AND); items of a list are alternatives (OR).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Entry {
    /// Its name, or its place as written: `allow[1]`, `deny[0]`, `callers`.
    pub name: String,
    /// Callers that the entry is about; never empty.
    pub from: Vec<From>,
    /// Methods that the entry is about; empty is any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// Paths that the entry is about; empty is any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<PathPattern>,
    /// Expression that must be true; absent is always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Expression>,
}

/// A set of callers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum From {
    /// A service of this mesh and environment.
    Service(Name),
    /// A gateway of this mesh and environment.
    Gateway(Name),
    /// A service of this mesh and environment that has all of these labels.
    Labels(BTreeMap<String, String>),
    /// The caller with this SPIFFE ID, of whatever mesh or environment.
    Principal(String),
    /// Callers without a mesh identity.
    External,
    /// Every caller, with or without an identity.
    Any,
}
