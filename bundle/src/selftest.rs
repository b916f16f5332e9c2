//! Self-tests: example decisions that lie beside a unit, and that a proxy repeats before the unit comes into force.
//!
//! An answer is a function of the bundle alone: never of the rollout's state, nor of which proxy runs it. What would
//! be (the version that a canary's share chooses) is left out of the expectation and not compared.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::canonical::is_default;
use crate::canonical::{self, CanonicalError};
use crate::limits;
use crate::name::Name;

/// The address of callers whose own does not matter: TEST-NET-1 (RFC 5737 section 3).
pub const ADDRESS: &str = "192.0.2.1";

/// The arrival time of requests whose time does not matter: 2026-07-01T12:00:00Z, in seconds since 1970.
pub const NOW: i64 = 1_782_907_200;

/// The examples of one unit, at most [`limits::SELF_TESTS`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SelfTests {
    /// The examples, in the order in which they run.
    pub cases: Vec<Case>,
}

/// One example: a request and its expected outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The outcome that must be the engine's.
    pub expect: Expect,
    /// The request that is decided.
    #[serde(default, skip_serializing_if = "is_default")]
    pub request: Example,
}

/// A request as the decision core sees it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// A second line of some headers, after the first.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub again: BTreeMap<String, String>,
    /// Header lines, the first of each name; names in lower case.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The host in canonical form; empty is the name of the unit's owner.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub host: String,
    /// The caller's address; empty is [`ADDRESS`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub ip: String,
    /// The method token; default `GET`.
    #[serde(default = "get", skip_serializing_if = "is_get")]
    pub method: String,
    /// The arrival time, in seconds since 1970 in UTC; absent is [`NOW`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<i64>,
    /// The path in canonical form; default `/`.
    #[serde(default = "root", skip_serializing_if = "is_root")]
    pub path: String,
    /// The pick that every split draws, 0 to 9,999.
    #[serde(default, skip_serializing_if = "is_default")]
    pub pick: u32,
    /// The query without `?`; empty where absent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub query: String,
    /// `http` or `https`; default `http`.
    #[serde(default = "http", skip_serializing_if = "is_http")]
    pub scheme: String,
    /// Declared body size in bytes, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The caller; default is the proxy's own owner.
    #[serde(default, skip_serializing_if = "is_default")]
    pub source: Caller,
}

/// The caller of an example.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Caller {
    /// The owner of the proxy that runs the test.
    #[default]
    Own,
    /// A service of this mesh and environment.
    Service(Name),
    /// A gateway of this mesh and environment.
    Gateway(Name),
    /// A SPIFFE ID of another mesh or environment.
    Principal(String),
    /// A caller without a mesh identity.
    External,
}

/// The expected outcome of an example.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Expect {
    /// A rule forwards it to a service.
    Forward(Forward),
    /// A rule answers with a redirect.
    Redirect(Redirect),
    /// A rule answers with a fixed response.
    Respond(Respond),
    /// The request is refused.
    Refuse(Refuse),
    /// The verdict of the access rules.
    Access(Access),
    /// The request passes and is charged; one charge a limit, in the limits' order.
    Charges(Vec<Charge>),
}

/// The outcome of a rule that forwards a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forward {
    /// The host that the next hop sees, where the rule changes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The path that the next hop sees, where the rule changes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Address of the rule.
    pub rule: String,
    /// Name of the service. A gateway's rule that names no version enters the service's own Route, which has its own
    /// tests.
    pub service: Name,
    /// The version, where the unit and its owner fix it; otherwise it is not compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Name>,
}

/// The outcome of a rule that answers with a redirect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redirect {
    /// Value of the `location` field.
    pub location: String,
    /// Address of the rule.
    pub rule: String,
    /// Status code of the redirect.
    pub status: u16,
}

/// The outcome of a rule that answers with a fixed response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Respond {
    /// Address of the rule.
    pub rule: String,
    /// Status code of the response.
    pub status: u16,
}

/// The outcome of a refused request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refuse {
    /// The short word for the reason: `no-rule`, `no-host`, `bad-rewrite`.
    pub reason: String,
    /// The address of the rule that took it, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

/// The verdict of the access rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// The address of the entry that decided; absent where none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// The short word for the verdict: `allow`, `deny`, `audit-deny`, `ambiguous-request`.
    pub verdict: String,
}

/// A charge against one bucket of one limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Charge {
    /// The amount charged: the `cost` of the limit.
    pub cost: u32,
    /// Key of the bucket; empty is the one that all share.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// Name of the limit.
    pub limit: String,
}

/// The error of bytes that are not self-tests.
#[derive(Debug, thiserror::Error)]
pub enum SelfTestError {
    /// Not of this form, or not its canonical spelling.
    #[error("{0}")]
    Canonical(#[from] CanonicalError),
    /// More cases than [`limits::SELF_TESTS`].
    #[error("{0} cases, and the limit is {limit}", limit = limits::SELF_TESTS)]
    TooMany(usize),
    /// A pick that no split draws; holds the case's index and the pick.
    #[error("case {0} draws {1}, and picks end at 9999")]
    Pick(usize, u32),
}

impl SelfTests {
    /// Serialises the self-tests to canonical bytes.
    ///
    /// # Errors
    /// When a value has no canonical form (a size past 2^53).
    pub fn to_bytes(&self) -> Result<Vec<u8>, CanonicalError> {
        canonical::to_bytes(self)
    }

    /// Reads canonical bytes strictly, within the bounds.
    ///
    /// # Errors
    /// [`SelfTestError`] for bytes of another form, or past a bound.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SelfTestError> {
        let tests: Self = canonical::from_bytes(bytes)?;
        if tests.cases.len() > limits::SELF_TESTS {
            return Err(SelfTestError::TooMany(tests.cases.len()));
        }
        match tests.cases.iter().position(|case| case.request.pick >= limits::WHOLE) {
            Some(at) => {
                let pick = tests.cases.get(at).map_or(0, |case| case.request.pick);
                Err(SelfTestError::Pick(at, pick))
            }
            None => Ok(tests),
        }
    }
}

impl Default for Example {
    fn default() -> Self {
        Self {
            again: BTreeMap::new(),
            now: None,
            headers: BTreeMap::new(),
            host: String::new(),
            ip: String::new(),
            method: get(),
            path: root(),
            pick: 0,
            query: String::new(),
            scheme: http(),
            size: None,
            source: Caller::Own,
        }
    }
}

fn get() -> String {
    "GET".to_owned()
}

fn is_get(method: &str) -> bool {
    method == "GET"
}

fn root() -> String {
    "/".to_owned()
}

fn is_root(path: &str) -> bool {
    path == "/"
}

fn http() -> String {
    "http".to_owned()
}

fn is_http(scheme: &str) -> bool {
    scheme == "http"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(pick: u32) -> Case {
        let expect = Expect::Respond(Respond { rule: "route/a/x".into(), status: 200 });
        Case { expect, request: Example { pick, ..Example::default() } }
    }

    #[test]
    fn defaults_are_not_written_and_bytes_are_read_strictly() {
        let bytes = SelfTests { cases: vec![case(0)] }.to_bytes().unwrap();
        let text = r#"{"cases":[{"expect":{"respond":{"rule":"route/a/x","status":200}}}]}"#;
        assert_eq!(bytes, text.as_bytes());
        assert_eq!(SelfTests::from_bytes(&bytes).unwrap().cases, [case(0)]);
        for other in [
            text.replace("}]}", r#","request":{}}]}"#),
            text.replace("}]}", r#","extra":1}]}"#),
            text.replace("}]}", r#","request":{"path":"/"}}]}"#),
            text.replace("[{", "[ {"),
        ] {
            assert!(
                matches!(SelfTests::from_bytes(other.as_bytes()), Err(SelfTestError::Canonical(_))),
                "{other}"
            );
        }
    }

    #[test]
    fn cases_and_picks_are_bounded() {
        let read = |cases: Vec<Case>| SelfTests::from_bytes(&SelfTests { cases }.to_bytes().unwrap());
        assert!(read(vec![case(9_999); limits::SELF_TESTS]).is_ok());
        assert!(matches!(read(vec![case(0); limits::SELF_TESTS + 1]), Err(SelfTestError::TooMany(65))));
        assert!(matches!(read(vec![case(0), case(10_000)]), Err(SelfTestError::Pick(1, 10_000))));
    }
}
