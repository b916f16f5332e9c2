//! Ports of loopback.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

use super::error::KitError;

/// Where ports for listeners begin: below those that systems give to outgoing connections, of which tests make many.
const PORTS: u32 = 10_000;
/// How many there are.
const PORT_COUNT: u32 = 22_000;
/// Ports apart for each process, so that tests side by side rarely ask for the same one.
const APART: u32 = 64;
/// The next port to try, from [`PORTS`].
static NEXT: AtomicU32 = AtomicU32::new(0);

/// A port of loopback on which nobody listens now.
///
/// # Errors
/// When all are taken.
pub fn free_port() -> Result<u16, KitError> {
    let first = std::process::id().wrapping_mul(APART);
    for _ in 0..PORT_COUNT {
        let at = first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % PORT_COUNT;
        let Ok(port) = u16::try_from(PORTS + at) else { continue };
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(KitError::Io("a free port".to_owned(), std::io::ErrorKind::AddrInUse.into()))
}
