//! A bundle that passed rungs 1 to 6.

use std::sync::Arc;

use super::secrets::Watched;
use crate::request::Active;
use crate::upstream::Known;

/// What comes into force next, with all that belongs to it.
pub(super) struct Ready {
    pub(super) active: Arc<Active>,
    /// Names that the endpoints file may hold.
    pub(super) known: Known,
    /// A gateway's public certificate.
    pub(super) public: Option<Watched>,
    /// Addresses at which a reviewer has seen that requests are denied.
    pub(super) denied: Vec<String>,
}
