//! A request as the engine sees it.

use mesh_bundle::Owner;
use mesh_bundle::expr::Instant;
use mesh_decision::{Connection, Request, Source};

use super::active::Active;
use super::direction::Direction;
use super::prepare::Prepared;
use crate::http::Head;
use crate::listen::Peer;

/// What is known of a request when it is decided.
#[derive(Clone, Copy)]
pub(super) struct Ask<'r> {
    pub(super) direction: Direction,
    /// The bundle that decides.
    pub(super) active: &'r Active,
    pub(super) peer: &'r Peer,
    /// The service or gateway that the peer's identity names.
    pub(super) caller: Option<&'r Owner>,
    pub(super) head: &'r Head,
    pub(super) prepared: &'r Prepared,
}

impl<'r> Ask<'r> {
    /// The engine's request at `now`.
    pub(super) fn engine_request(self, now: Instant) -> Request<'r> {
        let Self { direction, active, peer, caller, head, prepared } = self;
        let (ip, identity) = (&*peer.ip, peer.principal.as_ref());
        let source = match direction {
            Direction::Inbound => {
                Source { principal: identity.map_or("", |id| id.as_str()), owner: caller, ip }
            }
            // The application has no identity of its own but the proxy's.
            Direction::Outbound => {
                Source { principal: &active.principal, owner: Some(active.engine.owner()), ip }
            }
            Direction::Gateway => Source { principal: "", owner: None, ip },
        };
        Request {
            method: head.method.as_str(),
            scheme: head.target.scheme.as_str(),
            host: &prepared.host,
            path: prepared.path(),
            query: prepared.query(),
            headers: &head.headers,
            size: prepared.size,
            source,
            connection: Connection {
                mtls: direction == Direction::Inbound && identity.is_some(),
                // Empty texts stand for a connection in clear.
                tls_version: peer.tls_version.unwrap_or_default(),
                sni: peer.sni.as_deref().unwrap_or_default(),
            },
            now,
            picks: active,
        }
    }
}
