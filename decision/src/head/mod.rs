//! The head of a request, before any rule sees it: the checks that it must pass, the fields that end at this hop, and
//! those that the caller may not set.
//!
//! [`admit`] takes a head as a codec tokenised it and decides nothing but this. It is the same for a proxy's live
//! traffic and for the tools, so that a rule sees the same request in both. Framing is a result of it: a codec reads the
//! body by what [`Admitted::framing`] says.

mod admit;
mod gate;
mod hop;
mod identity;
mod lines;
mod parts;
mod rejection;
#[cfg(test)]
mod tests;
mod visible;

pub use admit::{admit, canonical_path};
pub use hop::{BadConnectionField, strip_response};
pub use lines::HeaderLines;
pub use parts::{Admitted, Framing, StartLine, Trust, Version};
pub use rejection::Rejection;
pub use visible::is_visible;
