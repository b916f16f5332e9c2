//! The program: arguments, threads, signals.

mod args;
mod control;
mod file_watch;
mod operator_commands;
mod run;
mod shutdown;
mod worker;

#[cfg(test)]
mod tests;

pub use args::{Cli, Operate, RunArgs};
pub use operator_commands::operate;
pub use run::{Seams, StartError, run, run_with};
