//! Ends a check that is under way.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::event::{EventfdFlags, eventfd};

/// A switch that ends the check under way and every later one; copies are the same switch.
#[derive(Clone, Debug)]
pub struct Cancel(Arc<OwnedFd>);

impl Cancel {
    /// A switch that is off.
    ///
    /// # Errors
    /// The process has no file descriptor left.
    pub fn new() -> io::Result<Self> {
        Ok(Self(Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?)))
    }

    /// Turns it on, for good.
    pub fn cancel(&self) {
        // Nobody reads it: it can only be on already.
        let _already_on = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }
}

/// Readable once the switch is on (`eventfd(2)`).
impl AsFd for Cancel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
