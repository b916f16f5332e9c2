//! Journeys: a request's whole way through the mesh, by the gateway or the caller's proxy, then the callee's.
//!
//! Tools show journeys, and tests compare live proxies with them. Each hop is decided by the engine of that hop's own
//! proxy, built from that proxy's part of the program. What a proxy would know and nobody told is taken to be something,
//! and where a rule reads it the journey says so ([`Note::Assumed`]).

mod arrival;
mod ask;
mod callee;
mod engines;
mod entrance;
mod mesh;
mod note;
mod outcome;
mod sent;

pub use ask::Ask;
pub use mesh::{Mesh, Part};
pub use note::{Fact, Note, assumptions};
pub use outcome::{Journey, NEEDS_TLS};
