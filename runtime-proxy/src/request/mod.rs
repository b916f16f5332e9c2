//! The path of one request, top to bottom.
//!
//! A request takes one snapshot of what is in force ([`Running`]) when its head is complete and keeps it to its last
//! byte, whatever is activated meanwhile. The engine is asked in two places, `outbound` and `inbound`, and for streams
//! that outlive their bundle once more, in `recheck`.
//!
//! Files lean on each other in one direction: `inbound` and `outbound` are the listeners; below them `fault`, `guard`,
//! `exchange`, `response`, `end` and `recheck` are steps; below those `record` is what is remembered, `worker` what is at
//! hand, and `direction`, `ask`, `prepare`, `refusal`, `rule_answer`, `deadline`, `meters`, `streams`, `running` are leaves.

mod active;
mod ask;
mod deadline;
mod direction;
mod end;
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
mod refusal;
mod response;
mod rule_answer;
mod running;
mod streams;
mod worker;

pub use active::{Active, BuildInput, ServiceVersions, UnitDigests};
pub use direction::Direction;
pub use inbound::Inbound;
pub use outbound::Outbound;
pub use probation::Probation;
pub use recheck::recheck;
pub use refusal::Answer;
pub use running::Running;
pub use worker::{Hook, Shared, Worker};
