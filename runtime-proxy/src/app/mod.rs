//! The program: arguments, threads, signals.

mod args;
mod operate;
mod run;
mod worker;

#[cfg(test)]
mod tests;

pub use args::{Cli, Operate, RunArgs};
pub use operate::operate;
pub use run::{Seams, StartError, run, run_with};
