//! How much may be under way to one service: connections, waiting requests, requests, retries.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use mesh_bundle::program::{Resilience, Retry};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::retry::budget_allows;

/// Requests that may wait for a connection where connections are limited and the spec does not say how many (Envoy's
/// default).
const PENDING: u64 = 1_024;

/// A limit above this one is none: nobody has so many connections.
const MOST_PERMITS: usize = Semaphore::MAX_PERMITS;

/// The bulkheads of one service, shared by all workers.
///
/// An HTTP/1.1 connection carries one request at a time, so that a limit on connections is one on connections in use;
/// idle ones in another worker's pool count for nobody. HTTP/2 connections are few by construction and not counted.
#[derive(Debug)]
pub struct Admission {
    connections: Option<Arc<Semaphore>>,
    pending_limit: u64,
    pending: AtomicU64,
    requests_limit: u64,
    active: AtomicU64,
    retrying: AtomicU64,
    asked: Asked,
}

/// The limits asked for, and whether over HTTP/2.
type Asked = (Option<u32>, Option<u32>, Option<u32>, bool);

/// The bulkhead is full: 503.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl Admission {
    /// The bulkheads of a service that speaks HTTP/2 or HTTP/1.1.
    #[must_use]
    pub fn new(rules: Option<&Resilience>, http2: bool) -> Self {
        let connections = rules.and_then(|rules| rules.connections).filter(|_| !http2);
        let permits =
            |count: u32| usize::try_from(count).map_or(MOST_PERMITS, |count| count.min(MOST_PERMITS));
        Self {
            connections: connections.map(|count| Arc::new(Semaphore::new(permits(count)))),
            pending_limit: rules.and_then(|rules| rules.pending_requests).map_or(PENDING, u64::from),
            pending: AtomicU64::new(0),
            requests_limit: rules.and_then(|rules| rules.requests).map_or(u64::MAX, u64::from),
            active: AtomicU64::new(0),
            retrying: AtomicU64::new(0),
            asked: Self::asked(rules, http2),
        }
    }

    /// Whether these bulkheads are those that the rules ask for, so that a new bundle keeps their counts.
    #[must_use]
    pub fn is_for(&self, rules: Option<&Resilience>, http2: bool) -> bool {
        self.asked == Self::asked(rules, http2)
    }

    fn asked(rules: Option<&Resilience>, http2: bool) -> Asked {
        rules.map_or((None, None, None, http2), |r| (r.connections, r.pending_requests, r.requests, http2))
    }

    /// A request comes in. The permit is held until its response's body has ended.
    ///
    /// # Errors
    /// [`Full`], when too many requests are in flight or wait.
    pub async fn enter(self: &Arc<Self>) -> Result<Permit, Full> {
        let active = self.active.fetch_add(1, Ordering::Relaxed);
        let mut permit = Permit { admission: Arc::clone(self), connection: None };
        if active >= self.requests_limit {
            return Err(Full);
        }
        if let Some(connections) = &self.connections {
            permit.connection = Some(match Arc::clone(connections).try_acquire_owned() {
                Ok(connection) => connection,
                Err(_) => Box::pin(self.wait(connections)).await?,
            });
        }
        Ok(permit)
    }

    async fn wait(&self, connections: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Full> {
        let waiting = Waiting::begin(&self.pending);
        if waiting.before >= self.pending_limit {
            return Err(Full);
        }
        Arc::clone(connections).acquire_owned().await.map_err(|_| Full)
    }

    /// Requests in flight.
    #[must_use]
    pub fn active(&self) -> u64 {
        self.active.load(Ordering::Relaxed)
    }

    /// Leave for one retry, if the budget allows one more.
    pub fn retry_permit(self: &Arc<Self>, retry: &Retry) -> Option<RetryPermit> {
        let before = self.retrying.fetch_add(1, Ordering::Relaxed);
        let permit = RetryPermit(Arc::clone(self));
        budget_allows(self.active(), before, retry).then_some(permit)
    }
}

/// A request's place.
#[derive(Debug)]
pub struct Permit {
    admission: Arc<Admission>,
    connection: Option<OwnedSemaphorePermit>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.connection.take();
        self.admission.active.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A retry under way; it counts against the budget while this is held.
#[derive(Debug)]
pub struct RetryPermit(Arc<Admission>);

impl Drop for RetryPermit {
    fn drop(&mut self) {
        self.0.retrying.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Waiting<'a> {
    pending: &'a AtomicU64,
    before: u64,
}

impl<'a> Waiting<'a> {
    fn begin(pending: &'a AtomicU64) -> Self {
        Self { pending, before: pending.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.pending.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;

    fn rules(connections: Option<u32>, pending: Option<u32>, requests: Option<u32>) -> Resilience {
        Resilience { connections, pending_requests: pending, requests, ..Resilience::default() }
    }

    #[tokio::test]
    async fn a_request_waits_for_a_connection_and_the_queue_is_bounded() {
        let admission = Arc::new(Admission::new(Some(&rules(Some(1), Some(1), None)), false));
        let first = admission.enter().await.unwrap();
        let mut second = pin!(admission.enter());
        poll_fn(|cx| {
            assert!(second.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        assert_eq!(admission.enter().await.err(), Some(Full));
        drop(first);
        assert!(second.await.is_ok());
        assert_eq!(admission.active(), 0);
    }

    #[tokio::test]
    async fn requests_in_flight_are_bounded() {
        let admission = Arc::new(Admission::new(Some(&rules(None, None, Some(1))), true));
        let first = admission.enter().await.unwrap();
        assert_eq!(admission.enter().await.err(), Some(Full));
        drop(first);
        assert!(admission.enter().await.is_ok());
    }

    #[test]
    fn retries_are_bounded_and_given_back() {
        let admission = Arc::new(Admission::new(None, false));
        let retry = Retry { attempts: 1, ..Retry::default() };
        let mut tries: Vec<_> = (0..3).map(|_| admission.retry_permit(&retry).unwrap()).collect();
        assert!(admission.retry_permit(&retry).is_none());
        tries.pop();
        assert!(admission.retry_permit(&retry).is_some());
    }
}
