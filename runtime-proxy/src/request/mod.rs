//! The path of one request, top to bottom.
//!
//! A request takes one snapshot of what is in force ([`Running`]) when its head is complete and keeps it to its last
//! byte, whatever is activated meanwhile. The engine is asked in two places, `outbound` and `inbound`, and for streams
//! that outlive their bundle once more, in `recheck`.
//!
//! Files lean on each other in one direction: `inbound` and `outbound` are the listeners; below them `fault`, `guard`,
//! `exchange`, `relay`, `refuse` and `recheck` are steps; below those `record` is what is remembered, `worker` what is at
//! hand, and `direction`, `ask`, `prepare`, `answer`, `deadline`, `meters`, `streams`, `running` are leaves.

mod active;
mod answer;
mod ask;
mod deadline;
mod direction;
mod exchange;
mod fault;
mod guard;
mod inbound;
mod meters;
mod outbound;
mod prepare;
mod probation;
mod recheck;
mod record;
mod refuse;
mod response;
mod running;
mod streams;
mod worker;

pub use active::{Active, BuildInput, ServiceVersions, UnitDigests};
pub use answer::Answer;
pub use direction::Direction;
pub use inbound::Inbound;
pub use outbound::Outbound;
pub use probation::Probation;
pub use recheck::recheck;
pub use running::Running;
pub use worker::{Hook, Shared, Worker};
