//! The mesh's proxy: small, fast, with bundles that activate atomically.

pub mod http;
pub mod limits;
pub mod listen;
pub mod store;
pub mod telemetry;
pub mod tls;
pub mod upstream;
