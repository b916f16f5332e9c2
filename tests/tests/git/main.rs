//! `meshc` in real git repositories, as people and machines set them up: each with the exit code and the words of
//! `docs/ci.md`.
//!
//! Repositories are made by the `git` of the machine; where an old one cannot make a kind, by hand. Those of another
//! owner need the right to give files away: without it those tests say so and end.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod bench;
mod conversions;
mod hooks;
mod owners;
mod setups;
mod workflow;
