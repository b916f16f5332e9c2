//! The request path's own vocabulary for messages.
//!
//! Everything between the listener and the upstream pools speaks [`Head`], [`ResponseHead`] and [`Body`]; only
//! `wire` knows hyper's types, so that the codec can change without touching the path.

mod body;
mod gate;
mod head;
mod hop;
mod wire;

pub use body::{Body, BodyError, Replay, Unread};
pub use gate::{Rejection, admit};
pub use head::{Head, Headers, ResponseHead, Scheme, Target};
pub use hop::{strip_request, strip_response, wants_upgrade};
pub use wire::{LocalExecutor, request_from_wire, request_to_wire, response_from_wire, response_to_wire};
