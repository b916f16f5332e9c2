//! Exit codes: the whole table.

/// Done, and nothing found.
pub(crate) const DONE: u8 = 0;
/// Ran well and found something: findings at or over `--fail-on`, a test that fails, a bundle that does not hold.
pub(crate) const FOUND: u8 = 1;
/// Could not run: usage, files, git.
pub(crate) const COULD_NOT_RUN: u8 = 2;
/// `plan --exit-code` found changes.
pub(crate) const CHANGES: u8 = 10;
