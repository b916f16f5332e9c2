//! The mesh's proxy: small, fast, with bundles that activate atomically.
//!
//! An I/O shell around `mesh-decision`: it accepts connections, asks the engine what happens to each request, and does
//! that. It contains no parser of specs or expressions and no compiler; bundles reach it compiled and signed.
//!
//! `http` is the vocabulary of the path, `listen` and `upstream` its two ends, `request` what happens between them;
//! `clock` tells the time, `tls` says who is who, `quota` counts, `activation`, `preflight` and `store` bring bundles into force and keep them,
//! `probation` judges them there, `telemetry` and `admin` show it all, `app` is the program. May depend on `mesh-bundle` and `mesh-decision` only.

pub mod activation;
pub mod admin;
pub mod app;
pub mod clock;
mod files;
pub mod http;
pub mod listen;
mod memory;
pub mod preflight;
pub mod probation;
pub mod quota;
pub mod request;
pub mod store;
pub mod telemetry;
pub mod tls;
pub mod upstream;
