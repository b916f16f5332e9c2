//! A mesh in git: which repository, whether it may be read, and its files at a revision or in the index.
//!
//! Read with a library and not by running git: what a repository says about programs to run (hooks, filters, monitors)
//! has no effect. The library is told where things are, in the way that git finds them ([`discover`], [`settings`]), and
//! what it would judge otherwise than git is judged here: whose repository it is ([`ownership`]), its form ([`format`]),
//! grafts and replacements (neither changes what was committed), where objects lie while they are pushed.

mod convert;
mod discover;
mod environment;
mod format;
mod index;
mod lacking;
mod opened;
mod ownership;
mod reading;
mod revision;
mod settings;
mod walk;
mod words;

pub use environment::GitEnvironment;
pub(super) use opened::Repository;
