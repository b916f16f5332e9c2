//! The wire: HTTP/1.1 and HTTP/2 on a byte stream.
//!
//! A listener's side is [`serve`], an upstream's is [`connect`] and `send` of what it gives. Outside, a message is a
//! [`Head`](crate::http::Head) or [`ResponseHead`](crate::http::ResponseHead) and a [`Body`]; which library reads and writes
//! it is known here alone. What a request may look like is no question of the codec's: it tokenises and decides nothing.

mod body;
mod client;
mod executor;
mod incoming;
mod message;
mod protocol;
mod server;

pub use body::{Body, BodyError};
pub use client::{Client, Http1, Http2, SendError, connect};
#[cfg(test)]
pub(crate) use executor::LocalExecutor;
pub use incoming::{Incoming, TransportError};
pub use protocol::Protocol;
pub use server::{Service, serve};
