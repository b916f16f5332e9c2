//! The path of one request, top to bottom.
//!
//! A request takes one snapshot of what is in force ([`Active`]) when its head is complete and keeps it to its last
//! byte, whatever is activated meanwhile. The engine is asked in two places: `outbound` and `inbound`.

mod active;
mod answer;
mod fault;
mod inbound;
mod outbound;
mod prepare;
mod probation;
mod record;
mod running;
mod streams;
mod tag;
mod worker;

pub use active::{Active, BuildInput, ServiceVersions, UnitDigests};
pub use answer::Answer;
pub use inbound::Inbound;
pub use outbound::Outbound;
pub use probation::Probation;
pub use record::{Direction, Explained};
pub use running::Running;
pub use worker::{Hook, Shared, Worker};
