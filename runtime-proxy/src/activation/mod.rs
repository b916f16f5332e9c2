//! The activation ladder: how a bundle comes into force, and how an older one comes back.
//!
//! Each rung is a function: 1 to 4 are `mesh-bundle`'s (`verify`), 3's second half is [`removal`], 5 and 6 are
//! [`crate::preflight`] in a child, then [`crate::request::Active::build`] with the secrets, 7 is [`crate::store`], 8 is one
//! pointer swap, 9 and 10 are `watch`. Whatever a bundle fails at, the one in force stays.

mod activate;
mod back;
mod boot;
mod refused;
mod reloader;
mod removal;
mod secrets;
mod source;
mod watch;

#[cfg(test)]
mod tests;

pub use reloader::{Config, ReloadOutcome, Reloader, Status};
pub use removal::{Removal, not_too_much};
pub use secrets::Secrets;
pub use source::{Fingerprint, Offer, Raw, Source};
pub use watch::ProbationStatus;
