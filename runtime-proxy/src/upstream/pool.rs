//! One worker's connections to endpoints, kept and used again.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use super::connect::Connector;
use super::endpoint::Endpoint;
use super::service::UpstreamService;
use crate::http::codec::{Client, Http1, Http2, SendError};
use crate::http::{Body, Head, ResponseHead};

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
    client: Http1,
    since: u64,
}

struct Multiplexed {
    client: Http2,
    streams: Rc<Cell<u32>>,
}

/// A connection taken for one request. Dropping it closes an HTTP/1.1 connection; see [`Lease::give_back`].
pub struct Lease {
    pool: Rc<Pool>,
    taken: Taken,
    /// Whether the connection has carried a request before.
    pub(super) reused: bool,
    tick: u64,
}

enum Taken {
    Http1(Http1),
    Http2(Stream),
}

/// A place among the streams of an HTTP/2 connection; counted while it is held.
struct Stream {
    client: Http2,
    streams: Rc<Cell<u32>>,
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
        let (taken, reused) = match kept {
            Some(taken) => (taken, true),
            None if service.transport.http2 => Box::pin(self.take_http2(&pool, service, fresh)).await?,
            None => (pool.adopt(Box::pin(self.connector.connect(endpoint.address, service)).await?), false),
        };
        Ok(Lease { pool, taken, reused, tick: self.tick.get() })
    }

    /// One connection attempt at a time: the requests that wait share what it makes.
    async fn take_http2(
        &self,
        pool: &Rc<Pool>,
        service: &UpstreamService,
        fresh: bool,
    ) -> io::Result<(Taken, bool)> {
        let guard = pool.connecting.lock().await;
        if !fresh && let Some(taken) = pool.kept() {
            return Ok((taken, true));
        }
        let taken = pool.adopt(self.connector.connect(pool.endpoint.address, service).await?);
        drop(guard);
        Ok((taken, false))
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
                .retain(|idle| !gone && !idle.client.is_closed() && now - idle.since < IDLE_TICKS);
            let quiet = now - pool.last_used.get() >= IDLE_TICKS;
            pool.http2
                .borrow_mut()
                .retain(|one| !one.client.is_closed() && (one.streams.get() > 0 || !(gone || quiet)));
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
    fn kept(&self) -> Option<Taken> {
        let mut http2 = self.http2.borrow_mut();
        if !http2.is_empty() {
            http2.retain(|one| !one.client.is_closed());
            let full = http2.len() >= MAX_HTTP2;
            let least = http2.iter().min_by_key(|one| one.streams.get())?;
            return (full || least.streams.get() < STREAMS).then(|| Taken::Http2(least.open()));
        }
        let mut idle = self.idle.borrow_mut();
        let mut index = idle.len();
        while let Some(candidate) = index.checked_sub(1) {
            index = candidate;
            let one = idle.get(index)?;
            if one.client.is_closed() {
                idle.remove(index);
            } else if one.client.is_ready() {
                return Some(Taken::Http1(idle.remove(index).client));
            }
        }
        None
    }

    fn adopt(&self, client: Client) -> Taken {
        match client {
            Client::Http1(client) => Taken::Http1(client),
            Client::Http2(client) => {
                let one = Multiplexed { client, streams: Rc::default() };
                let stream = one.open();
                self.http2.borrow_mut().push(one);
                Taken::Http2(stream)
            }
        }
    }
}

impl Multiplexed {
    fn open(&self) -> Stream {
        self.streams.set(self.streams.get().saturating_add(1));
        Stream { client: self.client.clone(), streams: Rc::clone(&self.streams) }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.streams.set(self.streams.get().saturating_sub(1));
    }
}

impl Lease {
    /// Sends the request.
    pub(super) async fn send(&mut self, head: &Head, body: Body) -> Result<(ResponseHead, Body), SendError> {
        match &mut self.taken {
            Taken::Http1(client) => client.send(head, body).await,
            Taken::Http2(stream) => stream.client.send(head, body).await,
        }
    }

    /// The response has ended: the connection can carry another request.
    pub fn give_back(self) {
        let Self { pool, taken, tick, .. } = self;
        if let Taken::Http1(client) = taken
            && !client.is_closed()
            && !pool.endpoint.is_retired()
            && pool.idle.borrow().len() < MAX_IDLE
        {
            pool.idle.borrow_mut().push(Idle { client, since: tick });
        }
    }
}
