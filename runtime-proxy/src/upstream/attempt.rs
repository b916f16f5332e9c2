//! One attempt: one request to one endpoint.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use http_body::Body as _;
use http_body_util::{BodyExt, Limited};
use tokio::time::timeout;

use super::endpoint::{Endpoint, Load};
use super::failure::Failure;
use super::pool::{Lease, Pools};
use super::replay::RequestBody;
use super::retry::is_idempotent;
use super::service::UpstreamService;
use crate::http::codec::SendError;
use crate::http::{Body, Head, ResponseHead};

/// A response that nobody takes is read to its end up to this many bytes, so that its connection can be used again.
const DRAIN_BYTES: usize = 16 * 1024;
/// ... and for so long.
const DRAIN_TIME: Duration = Duration::from_millis(50);

/// What is sent, and where.
pub(super) struct Attempt<'a> {
    pub(super) service: &'a UpstreamService,
    pub(super) endpoint: &'a Arc<Endpoint>,
    pub(super) head: &'a Head,
    pub(super) pools: &'a Rc<Pools>,
}

/// An endpoint's answer.
pub(super) struct Answered {
    pub(super) head: ResponseHead,
    pub(super) body: Body,
    pub(super) lease: Lease,
    pub(super) load: Load,
}

impl Attempt<'_> {
    /// Sends the request and waits for the answer's head. A kept connection that the peer had closed meanwhile is no
    /// failure of the endpoint: the request goes once more over a fresh one, if nothing of it was sent, or if it may be
    /// repeated.
    pub(super) async fn run(&self, body: &mut RequestBody) -> Result<Answered, Failure> {
        let load = Load::new(self.endpoint);
        let mut fresh = false;
        let mut unsent: Option<Body> = None;
        loop {
            let taken = self.pools.take(self.endpoint, self.service, fresh).await;
            let mut lease = taken.map_err(|_| Failure::Connect)?;
            let sending = unsent.take().or_else(|| body.next()).ok_or(Failure::Reset)?;
            let error = match lease.send(self.head, sending).await {
                Ok((head, body)) => return Ok(Answered { head, body, lease, load }),
                Err(error) => error,
            };
            let stale = lease.reused && !fresh;
            let repeatable = || is_idempotent(&self.head.method) && body.can_repeat();
            match error {
                SendError::Cancelled => return Err(Failure::ClientGone),
                SendError::NotSent(given_back) if stale => unsent = Some(given_back),
                SendError::Refused | SendError::Closed if stale && repeatable() => {}
                SendError::Refused => return Err(Failure::Refused),
                SendError::NotSent(_) | SendError::Closed | SendError::Unwritable => {
                    return Err(Failure::Reset);
                }
            }
            fresh = true;
        }
    }
}

impl Answered {
    /// Reads a small rest of the body, so that the connection can be used again.
    pub(super) async fn drain(self) {
        let Self { body, lease, .. } = self;
        if body.is_end_stream()
            || timeout(DRAIN_TIME, Limited::new(body, DRAIN_BYTES).collect()).await.is_ok_and(|r| r.is_ok())
        {
            lease.give_back();
        }
    }
}
