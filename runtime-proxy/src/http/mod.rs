//! The request path's own vocabulary for messages.
//!
//! Everything between the listener and the upstream pools speaks [`Head`], [`ResponseHead`] and [`Body`]; only
//! `wire` knows hyper's types, so that the codec can change without touching the path.

mod body;
mod head;
mod wire;

pub use body::{Body, BodyError, Replay, Unread};
pub use head::{Head, Headers, ResponseHead, Scheme, Target};
pub use wire::{LocalExecutor, request_from_wire, request_to_wire, response_from_wire, response_to_wire};
