//! The connection of a request: whether the owner takes requests from it at all, before any rule is asked.

use mesh_bundle::Owner;
use mesh_bundle::program::TlsMode;

use crate::engine::Engine;
use crate::reason::Reason;
use crate::request::Request;

impl Engine {
    /// Checks that the connection of a request is one that the owner takes requests from: at a gateway it was opened
    /// for the request's host, at a service of a `tls: strict` mesh by a caller that showed its identity.
    ///
    /// # Errors
    /// [`Reason::WrongServerName`] and [`Reason::NoIdentity`].
    pub fn admits_connection(&self, request: &Request<'_>) -> Result<(), Reason> {
        let sni = request.connection.sni;
        match self.owner() {
            Owner::Gateway(_) if !sni.is_empty() && !sni.eq_ignore_ascii_case(request.host) => {
                Err(Reason::WrongServerName)
            }
            Owner::Service(_)
                if self.program().mesh.tls == TlsMode::Strict && request.source.principal.is_empty() =>
            {
                Err(Reason::NoIdentity)
            }
            Owner::Gateway(_) | Owner::Service(_) => Ok(()),
        }
    }
}
