//! The kinds of the language.

use crate::spec::macros::choice;

choice! {
    /// A kind of object.
    pub enum Kind, "a kind" {
        /// The mesh as a whole.
        Mesh = "Mesh",
        /// A workload: port, protocol, versions, labels, callers.
        Service = "Service",
        /// Destinations of requests to a service or gateway.
        Route = "Route",
        /// Gradual introduction of a new version.
        Canary = "Canary",
        /// Callers that a service or gateway lets in.
        AccessPolicy = "AccessPolicy",
        /// Rate limits of callers.
        Quota = "Quota",
        /// Balancing, ejection and limits of a service's endpoints.
        Resilience = "Resilience",
        /// Certificates and tokens.
        Identity = "Identity",
        /// Access logs, traces, metrics and objectives.
        Telemetry = "Telemetry",
        /// A rule about all objects or all requests.
        Policy = "Policy",
        /// A deployment of the mesh, with its overrides.
        Environment = "Environment",
        /// Outside the mesh.
        External = "External",
        /// Examples that must stay true.
        Test = "Test",
    }
}

impl Kind {
    /// All kinds, in the order of the language's table.
    pub const ALL: [Self; 13] = [
        Self::Mesh,
        Self::Service,
        Self::Route,
        Self::Canary,
        Self::AccessPolicy,
        Self::Quota,
        Self::Resilience,
        Self::Identity,
        Self::Telemetry,
        Self::Policy,
        Self::Environment,
        Self::External,
        Self::Test,
    ];

    /// The kind as it stands in addresses: `access` in `access/orders`.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Mesh => "mesh",
            Self::Service => "service",
            Self::Route => "route",
            Self::Canary => "canary",
            Self::AccessPolicy => "access",
            Self::Quota => "quota",
            Self::Resilience => "resilience",
            Self::Identity => "identity",
            Self::Telemetry => "telemetry",
            Self::Policy => "policy",
            Self::Environment => "environment",
            Self::External => "external",
            Self::Test => "test",
        }
    }

    /// The kind of an address.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.slug() == slug)
    }

    /// The kind as it is written in `kind:`.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}
