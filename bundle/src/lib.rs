//! The contract between the compiler and everything that runs its output.
//!
//! This crate knows what a mesh *will do* ([`Program`]), how that is written as bytes
//! (canonical JSON units, index, manifest), what the rollout decided ([`State`]), what may
//! run now ([`Release`]), and how all of it is signed and checked. It performs no I/O and
//! reads no clock: everything is a function from bytes to values and back.
//!
//! It may depend on nothing else of this workspace.

pub mod archive;
pub mod calendar;
pub mod canonical;
pub mod defaulted;
pub mod digest;
pub mod dsse;
pub mod expr;
pub mod features;
pub mod files;
pub mod limits;
pub mod manifest;
pub mod message;
pub mod name;
pub mod pack;
pub mod path;
pub mod program;
pub mod refusal;
pub mod release;
pub mod scope;
pub mod selftest;
pub mod sourcemap;
pub mod state;
pub mod trust;
pub mod unit;
pub mod verify;

pub use digest::Digest;
pub use files::FileSet;
pub use name::{Name, Owner};
pub use path::PathPattern;
pub use program::Program;
pub use refusal::{Refusal, Rung};
pub use release::Release;
pub use state::State;
