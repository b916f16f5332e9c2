//! Spec in, program out: YAML with spans, checks, CEL, lowering, plan.
//!
//! A pure crate: no file, environment variable, clock, network or process is touched (`clippy.toml` bans them), the
//! same input gives the same output on any machine. Rooms, each knowing only those before it:
//!
//! - [`diag`]: places in source files, findings, the table of their codes, suppression comments
//! - [`source`]: YAML bytes to trees of nodes with byte spans; merging of overrides
//! - [`spec`]: the typed language: one definition per kind gives the struct, its decoder, its JSON Schema, and what readers see
//! - [`re2`]: which regular expressions mean one thing to RE2 and to proxies
//! - [`sets`]: sets of requests as automata, and what a comparison with a constant can find in them
//! - [`cel`]: expressions, checked; [`model`]: the objects of one environment
//! - [`objects`]: objects as CEL sees them, for policies; [`check`]: rules that never match, policies
//! - [`stage`]: stages of canaries; [`scenario`]: the kind Test, run in the decision core
//! - `blame`: findings that an override caused stand there; [`repair`]: repairs of findings, applied to texts
//! - [`plan`]: the difference of two programs; [`selftest`]: examples that travel in bundles

mod blame;
pub mod cel;
pub mod check;
pub mod compile;
pub mod diag;
pub mod lower;
pub mod model;
pub mod numbers;
pub mod objects;
pub mod plan;
pub mod re2;
pub mod repair;
pub mod scenario;
pub mod selftest;
pub mod sets;
pub mod source;
pub mod spec;
pub mod stage;
#[cfg(test)]
mod tests;

pub use compile::{Compiled, CompiledEnvironment, Counts, Options, compile};
