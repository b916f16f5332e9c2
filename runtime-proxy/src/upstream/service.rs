//! What the bundle in force says about one upstream service, resolved for the request path.

use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use mesh_bundle::program::Outlier;

use super::admission::Admission;
use super::balance::Slot;
use super::outcomes::Outcomes;
use crate::tls::SpiffeId;

/// One upstream service under one bundle.
#[derive(Debug)]
pub struct UpstreamService {
    /// Its name.
    pub name: Box<str>,
    /// How its endpoints are spoken to.
    pub transport: Transport,
    /// When its endpoints are ejected.
    pub outlier: Option<Outlier>,
    /// How much may be under way to it.
    pub admission: Arc<Admission>,
    /// How requests to it end.
    pub outcomes: Arc<Outcomes>,
    /// Its versions' endpoints, sorted by version.
    pub versions: Vec<(Box<str>, Arc<Slot>)>,
}

impl UpstreamService {
    /// The endpoints of one version.
    #[must_use]
    pub fn slot(&self, version: &str) -> Option<&Arc<Slot>> {
        self.versions.iter().find_map(|(name, slot)| (&**name == version).then_some(slot))
    }
}

/// How endpoints are spoken to.
#[derive(Clone, Debug)]
pub struct Transport {
    /// HTTP/2 instead of HTTP/1.1.
    pub http2: bool,
    /// Mutual TLS with exactly this peer; plain text without.
    pub tls: Option<SpiffeId>,
    /// Connections may be shared where this is equal.
    pub(super) key: u64,
}

impl Transport {
    /// A transport.
    #[must_use]
    pub fn new(http2: bool, tls: Option<SpiffeId>) -> Self {
        let mut transport = Self { http2, tls, key: 0 };
        transport.key = foldhash::fast::FixedState::default().hash_one(&transport);
        transport
    }
}

impl Hash for Transport {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.http2.hash(state);
        self.tls.hash(state);
    }
}
