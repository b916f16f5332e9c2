//! Who the proxy is, whom it trusts, and what checks its bundles.

use std::net::SocketAddr;

use mesh_bundle::trust::TrustSet;
use mesh_bundle::{Name, Owner};

use crate::clock::Clock;
use crate::preflight::{Cancel, Preflight};

/// What does not change while the process lives.
pub struct Config {
    /// Its mesh.
    pub mesh: Name,
    /// Its environment.
    pub environment: Name,
    /// The service or gateway that it is the proxy of.
    pub owner: Owner,
    /// The operator's trusted keys; good bundles may bring others.
    pub trust: TrustSet,
    /// Where the application listens, for a service's proxy; the service's own port on loopback without.
    pub application: Option<SocketAddr>,
    /// Seeds the order of shares.
    pub seed: u32,
    /// Builds and proves a bundle before the proxy does.
    pub preflight: Box<dyn Preflight>,
    /// Ends the check under way when the proxy stops.
    pub cancel: Cancel,
    /// The proxy's clock.
    pub clock: Clock,
}
