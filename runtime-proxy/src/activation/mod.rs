//! Bundle activation: how a bundle comes into force, and how an older one comes back.
//!
//! Three objects. `Ladder` makes of bytes an engine that is ready: rungs 1 to 4 are `mesh-bundle`'s (`verify`), 5 and 6 are
//! [`crate::preflight`] in a child, then [`crate::request::Active::build`] with the secrets. `InForce` has the pointer, the
//! journal in [`crate::store`] (rung 7, 8), the probation (9, 10) and the return. [`Reloader`] has the source and the
//! refusals, and drives both; `boot` does so at a start. What others see of it is a [`StatusView`]. Whatever a bundle fails
//! at, the one in force stays.

mod boot;
mod config;
mod in_force;
mod integrity;
mod ladder;
mod outcome;
mod probation_window;
mod proven;
mod refused;
mod reloader;
mod rollback;
mod secrets;
mod source;
mod status;

#[cfg(test)]
mod tests;

pub use config::Config;
pub use outcome::ReloadOutcome;
pub use probation_window::ProbationStatus;
pub use reloader::Reloader;
pub use secrets::Secrets;
pub use source::{Fingerprint, LocalPath, Offer, Raw, Source};
pub use status::{Busy, Status, StatusView};
