//! Access: who may call.

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
    /// Whether the verdict counts.
    #[serde(default, skip_serializing_if = "is_default")]
    pub mode: AccessMode,
    /// Entries that forbid.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<Entry>,
    /// Entries that allow.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<Entry>,
}

/// Whether a verdict counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccessMode {
    /// It does.
    #[default]
    Enforce,
    /// It is logged only.
    Audit,
}

/// One entry: its parts AND, items of a list OR.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Entry {
    /// Its name, or its place as written: `allow[1]`, `deny[0]`, `callers`.
    pub name: String,
    /// Who calls; never empty.
    pub from: Vec<From>,
    /// One of these methods; empty is any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// One of these paths; empty is any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<PathPattern>,
    /// And this expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Expression>,
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum From {
    /// A service of this mesh and environment.
    Service(Name),
    /// A gateway of this mesh and environment.
    Gateway(Name),
    /// A service of this mesh and environment that has all of these labels.
    Labels(BTreeMap<String, String>),
    /// This SPIFFE ID, of whatever mesh or environment.
    Principal(String),
    /// Somebody without a mesh identity.
    External,
    /// Everybody.
    Any,
}
