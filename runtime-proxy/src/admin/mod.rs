//! The admin socket: what an operator asks and orders, on this machine only.

mod client;
mod health;
mod order;
mod server;

pub use client::{AdminError, ask};
pub use health::Phase;
pub use order::{Command, NoAnswer, Order, Orders, Reply};
pub use server::{Panel, listen, serve};
