//! The connection of a request: whether the owner takes requests from it at all, before any rule is asked.

use mesh_bundle::Owner;
use mesh_bundle::program::TlsMode;

use crate::engine::Engine;
use crate::host;
use crate::reason::Reason;
use crate::request::Request;

impl Engine {
    /// Checks that the connection of a request is one that the owner takes requests from: at a gateway it was opened
    /// for the request's host or for one that the same Routes claim, at a service of a `tls: strict` mesh by a caller
    /// that showed its identity.
    ///
    /// # Errors
    /// [`Reason::WrongServerName`] and [`Reason::NoIdentity`].
    pub fn admits_connection(&self, request: &Request<'_>) -> Result<(), Reason> {
        match self.owner() {
            Owner::Gateway(_) if !self.is_opened_for(request.connection.sni, request.host) => {
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

    /// True if a connection with this server name, empty for none, may carry requests for a canonical `host`. A client
    /// uses one connection for all names of the server's certificate (RFC 9113 section 9.1.1), so the names may differ
    /// as long as the same rules decide about both.
    fn is_opened_for(&self, sni: &str, host: &str) -> bool {
        if sni.is_empty() || sni.eq_ignore_ascii_case(host) {
            return true;
        }
        let Ok(sni) = host::canonical(sni) else { return false };
        let tables = self.routing().table_for(&sni).zip(self.routing().table_for(host));
        tables.is_some_and(|(one, other)| std::ptr::eq(one, other))
    }
}
