//! The proxy's own disk: bundles that it accepted, and the journal that says which one is in force.
//!
//! Every change is one file written beside its place, synced, renamed into it, and the folder synced. After a crash at
//! any instant a reader finds the old file or the new one.

mod disk;
mod journal;
mod state_dir;
mod words;

pub use disk::{Disk, RealDisk};
pub use journal::{Activation, BOOT_ATTEMPTS, Journal, RefusalRecord};
pub use state_dir::{Store, StoreError};
pub use words::{ActivationCause, Judgement};
