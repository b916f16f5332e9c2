//! Activation under the worst instants: the real ladder over the real store, killed or cut off anywhere.
//!
//! `ladder` is the one place that knows how a proxy's ladder is set up; `script` runs steps of it in a process of one
//! thread, whose system calls `kill` counts and ends and `power` cuts off; `check` says whether what is left on the disk is whole.

pub mod broken_disks;
pub mod check;
pub mod kill;
pub mod ladder;
pub mod power_cut;
pub mod script;

use std::io::Write;

/// Says on standard error, and in the file that `MESH_SKIPPED` names, that a test cannot run here. `ci/test` lists
/// them, and fails if it is CI that skips.
pub fn skip(test: &str, why: &str) {
    let line = format!("{test}: {why}\n");
    let _gone_or_not = std::io::stderr().lock().write_all(line.as_bytes());
    if let Some(path) = std::env::var_os("MESH_SKIPPED") {
        let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
        let _gone_or_not = file.and_then(|mut file| file.write_all(line.as_bytes()));
    }
}
