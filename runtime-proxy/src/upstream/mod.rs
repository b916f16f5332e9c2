//! Upstreams: where endpoints come from, which one a request takes, and how it gets there.

mod admission;
mod call;
mod connect;
mod directory;
mod dns;
mod endpoint;
mod outcomes;
mod outlier;
mod pool;
mod retry;
mod service;

pub use admission::{Admission, Full, Permit, RetryPermit};
pub use call::{Call, Failure, Load, Outcome, Response, send};
pub use connect::Connector;
pub use directory::{Directory, EndpointsFile, FileError, FileNews, Known, Versions};
pub use dns::{DnsRefresh, Lookup, SystemResolver};
pub use endpoint::{Endpoint, Slot};
pub use outcomes::{Outcomes, Sums};
pub use outlier::{Health, Verdict};
pub use pool::{Lease, Pools};
pub use retry::{Random, backoff, budget_allows, may_repeat};
pub use service::{Transport, UpstreamService};
