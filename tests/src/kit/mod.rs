//! What tests are made of, each thing once: bundles, a proxy alone, a fleet, a client.
//!
//! - [`bundle`]: specs to programs, programs to signed bundles; [`draft`] takes a bundle apart and signs it again
//! - [`small`]: little programs of one gateway, for tests of the activation ladder
//! - [`lone`]: one gateway's proxy before toy services; [`fleet`]: every service of a mesh with its proxy
//! - [`inputs`]: the files of a golden case
//! - [`client`]: requests, [`raw`]: as bytes; [`compare`]: their answers beside journeys; [`process`], [`ports`], [`wait`], [`files`]: what these stand on

pub mod bundle;
pub mod client;
pub mod compare;
pub mod draft;
pub mod error;
pub mod files;
pub mod fleet;
pub mod inputs;
pub mod lone;
pub mod ports;
pub mod process;
pub mod raw;
pub mod small;
pub mod wait;

pub use error::KitError;
