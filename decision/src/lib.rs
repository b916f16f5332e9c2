//! The decision core: decides the outcome of one request.
//!
//! [`Engine::new`] builds matchers from a program and a state for one proxy;
//! [`Engine::decide_outbound`] and [`Engine::decide_inbound`] are the only places in the
//! product that know what happens to a request. The proxy calls them for live traffic,
//! `meshc route`, `test` and `plan` for example requests, through [`journey`].
//!
//! Pure: no parser of languages, no I/O, no clock, no randomness of its own. Whatever varies
//! comes in as a field of [`Request`]. An engine is immutable and shared behind an `Arc`.

mod access;
mod alternatives;
pub mod build;
pub mod caller;
mod canary;
pub mod compare;
mod connection;
mod dialect;
pub mod edit;
pub mod engine;
pub mod explain;
pub mod expr;
pub mod head;
pub mod host;
pub mod inbound_decision;
pub mod index;
pub mod journey;
pub mod matcher;
pub mod outbound_decision;
pub mod path;
mod prefixes;
mod quota;
pub mod reach;
pub mod reason;
mod redirect;
pub mod regex;
pub mod request;
mod route;
pub mod selftest;
pub mod shares;
pub mod split;
pub mod text;
pub mod values;

pub use build::BuildError;
pub use engine::Engine;
pub use inbound_decision::{Charge, Inbound, Verdict};
pub use outbound_decision::{Forward, Outbound, Outcome};
pub use reason::Reason;
pub use request::{Connection, Fields, Picks, Request, Sole, Source};
pub use route::Scratch;
