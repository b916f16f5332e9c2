//! The admin socket: what an operator asks and orders, on this machine only.

mod client;
mod server;

pub use client::{AdminError, ask};
pub use server::{Command, Panel, listen, serve};
