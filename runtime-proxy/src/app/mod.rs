//! The program: arguments, threads, signals.

mod args;
mod control;
mod file_watch;
mod operate;
mod run;
mod worker;

#[cfg(test)]
mod tests;

pub use args::{Cli, Operate, RunArgs};
pub use operate::operate;
pub use run::{Seams, StartError, run, run_with};
