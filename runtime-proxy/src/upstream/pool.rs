//! One worker's connections to endpoints, kept and used again.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};

use super::connect::{Connector, Sender};
use super::endpoint::Endpoint;
use super::service::UpstreamService;
use crate::http::Body;

/// Idle HTTP/1.1 connections that are kept for one endpoint.
const MAX_IDLE: usize = 256;
/// Ticks (seconds) after which an idle connection is closed: under nginx's and Node's usual server-side idle times.
const IDLE_TICKS: u64 = 55;
/// Streams of one HTTP/2 connection before another one is made (the least that RFC 9113, 6.5.2, recommends to allow).
const STREAMS: u32 = 100;
/// HTTP/2 connections to one endpoint; past them streams share.
const MAX_HTTP2: usize = 8;

/// All pools of one worker.
pub struct Pools {
    connector: Connector,
    tick: Cell<u64>,
    pools: RefCell<HashMap<(u64, u64), Rc<Pool>, foldhash::fast::FixedState>>,
}

/// The connections to one endpoint over one transport.
struct Pool {
    endpoint: Arc<Endpoint>,
    idle: RefCell<Vec<Idle>>,
    http2: RefCell<Vec<Multiplexed>>,
    connecting: tokio::sync::Mutex<()>,
    last_used: Cell<u64>,
}

struct Idle {
    sender: http1::SendRequest<Body>,
    since: u64,
}

#[derive(Clone)]
struct Multiplexed {
    sender: http2::SendRequest<Body>,
    streams: Rc<Cell<u32>>,
}

/// A connection taken for one request. Dropping it closes an HTTP/1.1 connection; see [`Lease::give_back`].
pub struct Lease {
    pool: Rc<Pool>,
    /// Taken out when the connection is given back.
    kind: Option<Kind>,
    /// Whether the connection has carried a request before.
    pub(super) reused: bool,
    tick: u64,
}

/// A request without an answer.
pub(super) struct Unsent {
    /// Why.
    pub(super) error: Option<hyper::Error>,
    /// The request itself, if nothing of it was sent.
    pub(super) message: Option<http::Request<Body>>,
}

enum Kind {
    Http1(http1::SendRequest<Body>),
    Http2(Multiplexed),
}

impl Pools {
    /// No connection yet.
    #[must_use]
    pub fn new(connector: Connector) -> Self {
        Self { connector, tick: Cell::new(0), pools: RefCell::default() }
    }

    /// A connection to `endpoint`: an idle one, or with `fresh` (or for want of one) a new one.
    pub(super) async fn take(
        &self,
        endpoint: &Arc<Endpoint>,
        service: &UpstreamService,
        fresh: bool,
    ) -> io::Result<Lease> {
        let pool = self.pool(endpoint, service.transport.key);
        pool.last_used.set(self.tick.get());
        let kept = if fresh { None } else { pool.kept() };
        // Connecting is rare and large: boxed, so that requests over kept connections do not carry its room.
        let (kind, reused) = match kept {
            Some(kind) => (kind, true),
            None if service.transport.http2 => Box::pin(self.take_http2(&pool, service, fresh)).await?,
            None => (pool.adopt(Box::pin(self.connector.connect(endpoint.address, service)).await?), false),
        };
        if let Kind::Http2(connection) = &kind {
            connection.streams.set(connection.streams.get() + 1);
        }
        Ok(Lease { pool, kind: Some(kind), reused, tick: self.tick.get() })
    }

    /// One connection attempt at a time: the requests that wait share what it makes.
    async fn take_http2(
        &self,
        pool: &Rc<Pool>,
        service: &UpstreamService,
        fresh: bool,
    ) -> io::Result<(Kind, bool)> {
        let guard = pool.connecting.lock().await;
        if !fresh && let Some(kind) = pool.kept() {
            return Ok((kind, true));
        }
        let kind = pool.adopt(self.connector.connect(pool.endpoint.address, service).await?);
        drop(guard);
        Ok((kind, false))
    }

    fn pool(&self, endpoint: &Arc<Endpoint>, transport: u64) -> Rc<Pool> {
        let mut pools = self.pools.borrow_mut();
        let pool = pools.entry((endpoint.id, transport)).or_insert_with(|| {
            Rc::new(Pool {
                endpoint: Arc::clone(endpoint),
                idle: RefCell::default(),
                http2: RefCell::default(),
                connecting: tokio::sync::Mutex::new(()),
                last_used: Cell::new(0),
            })
        });
        Rc::clone(pool)
    }

    /// One tick later: closes what is idle too long, closed by the peer, or to an endpoint that is gone.
    pub fn tick(&self) {
        let now = self.tick.get() + 1;
        self.tick.set(now);
        self.pools.borrow_mut().retain(|_, pool| {
            let gone = pool.endpoint.is_retired();
            pool.idle
                .borrow_mut()
                .retain(|idle| !gone && !idle.sender.is_closed() && now - idle.since < IDLE_TICKS);
            let quiet = now - pool.last_used.get() >= IDLE_TICKS;
            pool.http2
                .borrow_mut()
                .retain(|one| !one.sender.is_closed() && (one.streams.get() > 0 || !(gone || quiet)));
            !(gone || quiet) || !pool.idle.borrow().is_empty() || !pool.http2.borrow().is_empty()
        });
    }

    /// Connections that no request uses at this moment.
    #[must_use]
    pub fn idle(&self) -> usize {
        let pools = self.pools.borrow();
        #[expect(clippy::iter_over_hash_type, reason = "a sum has no order")]
        let sum = {
            let mut sum = 0;
            for pool in pools.values() {
                sum += pool.idle.borrow().len();
            }
            sum
        };
        sum
    }
}

impl Pool {
    /// An idle connection: the one used last, whose peer is the least likely to have given it up.
    fn kept(&self) -> Option<Kind> {
        let mut http2 = self.http2.borrow_mut();
        if !http2.is_empty() {
            http2.retain(|one| !one.sender.is_closed());
            let full = http2.len() >= MAX_HTTP2;
            let least = http2.iter().min_by_key(|one| one.streams.get())?;
            return (full || least.streams.get() < STREAMS).then(|| Kind::Http2(least.clone()));
        }
        let mut idle = self.idle.borrow_mut();
        let mut index = idle.len();
        while let Some(candidate) = index.checked_sub(1) {
            index = candidate;
            let one = idle.get(index)?;
            if one.sender.is_closed() {
                idle.remove(index);
            } else if one.sender.is_ready() {
                return Some(Kind::Http1(idle.remove(index).sender));
            }
        }
        None
    }

    fn adopt(&self, sender: Sender) -> Kind {
        match sender {
            Sender::Http1(sender) => Kind::Http1(sender),
            Sender::Http2(sender) => {
                let one = Multiplexed { sender, streams: Rc::default() };
                self.http2.borrow_mut().push(one.clone());
                Kind::Http2(one)
            }
        }
    }
}

impl Lease {
    /// Sends the request.
    pub(super) async fn send(
        &mut self,
        request: http::Request<Body>,
    ) -> Result<http::Response<Incoming>, Unsent> {
        let sent = match &mut self.kind {
            Some(Kind::Http1(sender)) => sender.try_send_request(request).await,
            Some(Kind::Http2(one)) => one.sender.try_send_request(request).await,
            None => {
                return Err(Unsent { error: None, message: Some(request) });
            }
        };
        sent.map_err(|mut failed| Unsent { message: failed.take_message(), error: Some(failed.into_error()) })
    }

    /// Whether requests go over HTTP/2.
    pub(super) fn is_http2(&self) -> bool {
        matches!(self.kind, Some(Kind::Http2(_)))
    }

    /// The response has ended: the connection can carry another request.
    pub fn give_back(mut self) {
        let since = self.tick;
        if let Some(Kind::Http1(sender)) = self.kind.take_if(|kind| matches!(kind, Kind::Http1(_)))
            && !sender.is_closed()
            && !self.pool.endpoint.is_retired()
            && self.pool.idle.borrow().len() < MAX_IDLE
        {
            self.pool.idle.borrow_mut().push(Idle { sender, since });
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(Kind::Http2(one)) = &self.kind {
            one.streams.set(one.streams.get().saturating_sub(1));
        }
    }
}
