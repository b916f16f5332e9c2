//! The request path's own vocabulary for messages, and the seam to the wire.
//!
//! Everything between the listener and the upstream pools speaks [`Head`], [`ResponseHead`] and [`Body`]; only [`codec`]
//! knows the library that reads and writes them, so that it can change without touching the path.

pub mod codec;
mod head;

pub use codec::{Body, BodyError};
pub use head::{Head, Headers, ResponseHead, Scheme, Target};
