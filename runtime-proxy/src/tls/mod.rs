//! Identities and TLS: SPIFFE certificates between proxies, ordinary ones towards the public.
//!
//! A peer is who its certificate says, and nothing else. Its trust domain chooses the roots *before* a path is built,
//! so that no root of one domain can vouch for a name of another.

mod config;
mod error;
mod files;
mod identity;
mod public;
mod spiffe;
mod svid;
mod verify;
mod watch;

#[cfg(test)]
pub mod testing;

pub use config::{Alpn, client_config, server_config};
pub use error::IdentityError;
pub use files::FileSet;
pub use identity::Identity;
pub use public::{PublicCertificate, public_server_config};
pub use spiffe::{SpiffeError, SpiffeId};
pub use svid::{SvidError, svid_id};
pub use verify::{MeshClients, OneService};
pub use watch::{Reload, TlsState, Watch};
