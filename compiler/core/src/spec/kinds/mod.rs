//! The kinds of the language, one module each.

mod access;
mod canary;
mod environment;
mod external;
mod identity;
mod mesh;
mod policy;
mod quota;
mod resilience;
mod route;
mod service;
mod shared;
mod split;
mod telemetry;
mod test;

pub use access::*;
pub use canary::*;
pub use environment::*;
pub use external::*;
pub use identity::*;
pub use mesh::*;
pub use policy::*;
pub use quota::*;
pub use resilience::*;
pub use route::*;
pub use service::*;
pub use shared::*;
pub use split::*;
pub use telemetry::*;
pub use test::*;
