//! What is seen from outside: metrics, access log, the proxy's own messages.

mod access_log;
mod events;
mod explained;
mod metrics;
mod time;

pub use access_log::{AccessLog, Entry, Target};
pub use events::{Events, Level};
pub use explained::{Explained, Refusals};
pub use metrics::{Metrics, RequestLabels, RequestMeter};
pub use time::{instant, timestamp};
