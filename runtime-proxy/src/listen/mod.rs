//! Listeners: from a socket to heads and bodies, one worker a thread.
//!
//! Each worker has its own listening socket of the same address (`SO_REUSEPORT`), its own connections and its own
//! clock tick. Nothing on the way of a byte is shared between workers.

mod lifetime;
mod serve;
mod socket;
mod stream;

pub use lifetime::{Bounds, Connections, InFlight};
pub use serve::{Handler, ListenerMode, Peer, accept_loop};
pub use socket::bind;
