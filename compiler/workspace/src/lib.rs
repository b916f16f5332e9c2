//! A mesh from where it is kept to signed bundles, and back to a verified one: files and git, loading, packing,
//! verifying. For tools that need the whole way: `meshc`, and a control plane.
//!
//! Reads and writes files and git repositories; the clock and the environment are arguments. No rendering, no exit
//! codes: what cannot be done is a typed error, what is wrong in a mesh is a finding.
//!
//! - [`tree`]: the files of a mesh from a folder or a git revision
//! - [`load`]: from files to a compiled mesh, without a secret in its findings ([`redact`])
//! - [`pack`]: from an environment to a signed bundle
//! - [`bundles`]: bundles on disk
//! - [`verify`]: the rungs that need no proxy

pub mod bundles;
pub mod files;
pub mod load;
pub mod pack;
pub mod redact;
pub mod tree;
pub mod verify;

pub use load::{Day, LoadError, Mesh};
pub use tree::{GitEnvironment, Origin, Place, Which};
