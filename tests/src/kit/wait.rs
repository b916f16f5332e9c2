//! Waiting for what comes true by itself.

use std::time::{Duration, Instant};

use super::error::KitError;

/// Asks again and again until `true`, at most `seconds` long.
///
/// # Errors
/// [`KitError::Late`].
pub fn wait(what: &str, seconds: u64, mut come_true: impl FnMut() -> bool) -> Result<(), KitError> {
    let end = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < end {
        if come_true() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Err(KitError::Late(what.to_owned(), seconds))
}
