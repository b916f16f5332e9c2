//! Upstreams: where endpoints come from, which one a request takes, and how it gets there.

mod admission;
mod attempt;
mod attempts;
mod balance;
mod connect;
mod directory;
mod dns;
mod endpoint;
mod endpoints_file;
mod failure;
mod outcomes;
mod outlier;
mod pool;
mod replay;
mod retry;
mod service;

pub use admission::{Admission, Full, Permit, RetryPermit};
pub use attempts::{Call, Means, Outcome, Response, send};
pub use balance::{Slot, Versions};
pub use connect::Connector;
pub use directory::Directory;
pub use dns::{DnsRefresh, Lookup, SystemResolver};
pub use endpoint::{Endpoint, Load};
pub use endpoints_file::{EndpointsFile, FileError, FileNews, Known};
pub use failure::Failure;
pub use outcomes::{Outcomes, Sums};
pub use outlier::{Health, Verdict};
pub use pool::{Lease, Pools};
pub use retry::{Random, backoff, budget_allows, may_repeat};
pub use service::{Transport, UpstreamService};
