//! One request to one version of one service: endpoint, connection, further tries, time.

use std::error::Error as _;
use std::future::{Future as _, poll_fn};
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;

use http::{StatusCode, Version};
use http_body::Body as _;
use http_body_util::{BodyExt, Limited};
use mesh_bundle::program::{Retry, RetryOn};
use tokio::time::{Instant, timeout};

use super::admission::{Permit, RetryPermit};
use super::endpoint::{Endpoint, Slot};
use super::outlier::Verdict;
use super::pool::{Lease, Pools};
use super::retry::{Random, backoff, is_idempotent, may_repeat};
use super::service::UpstreamService;
use crate::clock::Clock;
use crate::http::{Body, Head, ResponseHead, Unread, request_to_wire, response_from_wire};

/// A refused response's body is read to its end up to this many bytes, so that its connection can be used again.
const DRAIN_BYTES: usize = 16 * 1024;
/// ... and for so long.
const DRAIN_TIME: std::time::Duration = std::time::Duration::from_millis(50);

/// What to send, where, and how patiently.
pub struct Call<'a> {
    /// The service.
    pub service: &'a Arc<UpstreamService>,
    /// The endpoints of the version that was chosen.
    pub slot: &'a Slot,
    /// The head as the endpoint is to see it.
    pub head: &'a Head,
    /// When to try again.
    pub retry: &'a Retry,
    /// When the whole must have ended.
    pub deadline: Option<Instant>,
}

/// What a call came to.
pub struct Outcome {
    /// The answer of the last try.
    pub result: Result<Response, Failure>,
    /// Tries after the first.
    pub retries: u32,
    /// The endpoint of the last try.
    pub endpoint: Option<SocketAddr>,
    /// Endpoints that were ejected because of this call.
    pub ejected: u32,
}

/// An endpoint's answer. `lease` and `permit` are to be kept to the end of the body.
pub struct Response {
    /// Its head.
    pub head: ResponseHead,
    /// Its body.
    pub body: Body,
    /// The connection that it comes from.
    pub lease: Lease,
    /// The request's place in the bulkhead.
    pub permit: Permit,
    /// The endpoint, which has one more request in flight while this is held.
    pub load: Load,
}

/// Why there is no answer. Whose fault it is decides status and retries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No endpoint, or none that is not ejected: 503.
    #[error("no endpoint")]
    NoEndpoint,
    /// The bulkhead is full: 503.
    #[error("too many requests under way to the service")]
    Overflow,
    /// No connection could be made: 503.
    #[error("no connection to the endpoint")]
    Connect,
    /// The endpoint refused to process the request: 503.
    #[error("the endpoint refused the request unprocessed")]
    Refused,
    /// The connection ended without an answer: 502.
    #[error("the endpoint ended the connection without an answer")]
    Reset,
    /// Time was up: 504.
    #[error("the timeout passed")]
    TimedOut,
    /// The client's body ended before it was complete; nobody waits for the answer.
    #[error("the request's body ended early")]
    ClientGone,
}

impl Failure {
    /// The status of the proxy's own answer (`semantics.md`, "Answers").
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::NoEndpoint | Self::Overflow | Self::Connect | Self::Refused => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Reset => StatusCode::BAD_GATEWAY,
            Self::TimedOut => StatusCode::GATEWAY_TIMEOUT,
            Self::ClientGone => StatusCode::BAD_REQUEST,
        }
    }

    /// A short word for the log.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::NoEndpoint => "no-endpoint",
            Self::Overflow => "overflow",
            Self::Connect => "connect-failure",
            Self::Refused => "refused-stream",
            Self::Reset => "upstream-reset",
            Self::TimedOut => "timed-out",
            Self::ClientGone => "client-gone",
        }
    }

    fn retry_on(self) -> Option<RetryOn> {
        match self {
            Self::Connect => Some(RetryOn::ConnectFailure),
            Self::Refused => Some(RetryOn::RefusedStream),
            _ => None,
        }
    }
}

/// Sends a request and, as its rules say, sends it again.
pub async fn send(call: Call<'_>, body: Body, pools: &Rc<Pools>, clock: &Clock, random: &Random) -> Outcome {
    let mut progress = Progress::default();
    let result = {
        // Pinned here, so that the futures take their room once (`timeout_at` would move them twice).
        let mut late = pin!(call.deadline.map(tokio::time::sleep_until));
        let mut work = pin!(attempts(&call, body, pools, clock, random, &mut progress));
        poll_fn(|cx| match (work.as_mut().poll(cx), late.as_mut().as_pin_mut()) {
            (Poll::Pending, Some(late)) => late.poll(cx).map(|()| Err(Failure::TimedOut)),
            (polled, _) => polled,
        })
        .await
    };
    if result.as_ref().is_err_and(|failure| *failure == Failure::TimedOut)
        && let Some(endpoint) = &progress.endpoint
    {
        progress.ejected += count_error(&call, endpoint, clock);
    }
    let Progress { retries, endpoint, ejected } = progress;
    Outcome { result, retries, endpoint: endpoint.map(|endpoint| endpoint.address), ejected }
}

#[derive(Default)]
struct Progress {
    retries: u32,
    endpoint: Option<Arc<Endpoint>>,
    ejected: u32,
}

/// The request's body over several tries.
enum Source {
    Nothing,
    Once(Option<Body>),
    Again(Unread),
}

impl Source {
    fn new(body: Body, retry: &Retry) -> Self {
        if body.is_empty() {
            Self::Nothing
        } else if retry.attempts == 0 {
            Self::Once(Some(body))
        } else {
            Self::Again(Unread::new(body))
        }
    }

    fn next(&mut self) -> Option<Body> {
        match self {
            Self::Nothing => Some(Body::Empty),
            Self::Once(body) => body.take(),
            Self::Again(unread) => Some(unread.next_try()),
        }
    }

    fn can_repeat(&self) -> bool {
        match self {
            Self::Nothing => true,
            Self::Once(body) => body.is_some(),
            Self::Again(unread) => unread.is_replayable(),
        }
    }
}

async fn attempts(
    call: &Call<'_>,
    body: Body,
    pools: &Rc<Pools>,
    clock: &Clock,
    random: &Random,
    progress: &mut Progress,
) -> Result<Response, Failure> {
    let permit = call.service.admission.enter().await.map_err(|_| Failure::Overflow)?;
    let mut source = Source::new(body, call.retry);
    let mut tried: Vec<u64> = Vec::new();
    let mut further: Option<RetryPermit> = None;
    loop {
        let endpoint = call.slot.pick(clock, &tried).ok_or(Failure::NoEndpoint)?;
        progress.endpoint = Some(Arc::clone(&endpoint));
        let result = one_try(call, &endpoint, &mut source, pools).await;
        let failed = match &result {
            Ok((head, ..)) => head.status.is_server_error(),
            Err(Failure::ClientGone) => false,
            Err(_) => true,
        };
        if failed {
            progress.ejected += count_error(call, &endpoint, clock);
        } else {
            endpoint.success();
        }
        let again = progress.retries < call.retry.attempts && is_wanted(call, &result) && source.can_repeat();
        drop(further.take());
        if again {
            further = call.service.admission.retry_permit(call.retry);
        }
        if further.is_none() {
            return result.map(|(head, body, lease, load)| Response { head, body, lease, permit, load });
        }
        if let Ok((_, body, lease, _)) = result {
            Box::pin(drain(body, lease)).await;
        }
        tried.push(endpoint.id);
        // Rare ways are boxed, so that each request need not carry their room.
        Box::pin(tokio::time::sleep(backoff(progress.retries, call.retry, random))).await;
        progress.retries += 1;
    }
}

type Answer = (ResponseHead, Body, Lease, Load);

fn is_wanted(call: &Call<'_>, result: &Result<Answer, Failure>) -> bool {
    let listed = |condition: RetryOn| call.retry.conditions.contains(&condition);
    match result {
        Ok((head, ..)) => {
            listed(RetryOn::Status(head.status.as_u16())) && may_repeat(&call.head.method, call.retry)
        }
        Err(failure) => failure.retry_on().is_some_and(listed),
    }
}

fn count_error(call: &Call<'_>, endpoint: &Endpoint, clock: &Clock) -> u32 {
    u32::from(call.slot.error(endpoint, call.service.outlier.as_ref(), clock) == Verdict::Ejected)
}

/// One try. A kept connection that the peer had closed meanwhile is no failure of the endpoint: the request goes once
/// more over a fresh one, if nothing of it was sent, or if it may be repeated.
async fn one_try(
    call: &Call<'_>,
    endpoint: &Arc<Endpoint>,
    source: &mut Source,
    pools: &Rc<Pools>,
) -> Result<Answer, Failure> {
    let load = Load::new(endpoint);
    let mut fresh = false;
    let mut unsent: Option<http::Request<Body>> = None;
    loop {
        let mut lease = pools.take(endpoint, call.service, fresh).await.map_err(|_| Failure::Connect)?;
        let request = match unsent.take() {
            Some(request) => request,
            None => {
                let version = if lease.is_http2() { Version::HTTP_2 } else { Version::HTTP_11 };
                let body = source.next().ok_or(Failure::Reset)?;
                request_to_wire(call.head, body, version).ok_or(Failure::Reset)?
            }
        };
        let failed = match lease.send(request).await {
            Ok(response) => {
                let (head, body) = response_from_wire(response);
                return Ok((head, body, lease, load));
            }
            Err(failed) => failed,
        };
        let repeatable = is_idempotent(&call.head.method) && source.can_repeat();
        let stale = lease.reused && !fresh && (failed.message.is_some() || repeatable);
        if !stale || failed.error.as_ref().is_some_and(hyper::Error::is_user) {
            return Err(classify(failed.error.as_ref()));
        }
        fresh = true;
        unsent = failed.message;
    }
}

fn classify(error: Option<&hyper::Error>) -> Failure {
    let Some(error) = error else { return Failure::Reset };
    if error.is_user() {
        // The only thing of ours that can fail is the body that the client sends.
        return Failure::ClientGone;
    }
    let reason =
        error.source().and_then(|source| source.downcast_ref::<h2::Error>()).and_then(h2::Error::reason);
    if reason == Some(h2::Reason::REFUSED_STREAM) { Failure::Refused } else { Failure::Reset }
}

/// Reads a small rest of a body, so that the connection can be used again.
async fn drain(body: Body, lease: Lease) {
    if body.is_end_stream()
        || timeout(DRAIN_TIME, Limited::new(body, DRAIN_BYTES).collect()).await.is_ok_and(|r| r.is_ok())
    {
        lease.give_back();
    }
}

/// Counts a request in flight to an endpoint.
pub struct Load(Arc<Endpoint>);

impl Load {
    fn new(endpoint: &Arc<Endpoint>) -> Self {
        endpoint.active.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(endpoint))
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Headers, Scheme, Target};
    use crate::upstream::{Admission, Connector, Directory, Transport};
    use http::Method;
    use std::cell::Cell;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::task::LocalSet;

    const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    const BUSY: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 4\r\n\r\nbusy";

    /// A server that answers the requests of each connection from a script; an empty answer closes the connection, and
    /// so does the script's end.
    struct Server {
        address: SocketAddr,
        connections: Rc<Cell<usize>>,
        requests: Rc<Cell<usize>>,
    }

    async fn server(script: Vec<Vec<&'static str>>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, requests) = (Rc::<Cell<usize>>::default(), Rc::<Cell<usize>>::default());
        let (opened, asked) = (Rc::clone(&connections), Rc::clone(&requests));
        tokio::task::spawn_local(async move {
            for answers in script {
                let (mut socket, _) = listener.accept().await.unwrap();
                opened.set(opened.get() + 1);
                let asked = Rc::clone(&asked);
                tokio::task::spawn_local(async move {
                    for answer in answers {
                        let mut buffer = vec![0; 4096];
                        if socket.read(&mut buffer).await.unwrap_or(0) == 0 {
                            return;
                        }
                        asked.set(asked.get() + 1);
                        if answer == "hang" {
                            std::future::pending::<()>().await;
                        }
                        socket.write_all(answer.as_bytes()).await.unwrap();
                    }
                });
            }
        });
        Server { address, connections, requests }
    }

    struct Rig {
        pools: Rc<Pools>,
        clock: Clock,
        random: Random,
        service: Arc<UpstreamService>,
    }

    impl Rig {
        fn new(addresses: &[SocketAddr]) -> Self {
            let directory = Directory::new();
            directory.set("orders", "v1", addresses);
            let service = UpstreamService {
                outcomes: Arc::default(),
                name: "orders".into(),
                transport: Transport::new(false, None),
                outlier: None,
                admission: Arc::new(Admission::new(None, false)),
                versions: vec![("v1".into(), directory.slot("orders", "v1"))],
            };
            Self {
                pools: Rc::new(Pools::new(Connector::new(None, false))),
                clock: Clock::system(),
                random: Random::new(1),
                service: Arc::new(service),
            }
        }

        async fn send(
            &self,
            method: Method,
            body: &'static str,
            retry: &Retry,
            timeout: Option<Duration>,
        ) -> Outcome {
            let head = Head {
                method,
                target: Target {
                    scheme: Scheme::Http,
                    authority: Some("orders".parse().unwrap()),
                    path: Some("/".parse().unwrap()),
                },
                version: Version::HTTP_11,
                headers: Headers::default(),
            };
            let call = Call {
                service: &self.service,
                slot: self.service.slot("v1").unwrap(),
                head: &head,
                retry,
                deadline: timeout.map(|timeout| self.clock.now() + timeout),
            };
            send(call, Body::full(body), &self.pools, &self.clock, &self.random).await
        }
    }

    fn retry(conditions: &[RetryOn]) -> Retry {
        Retry {
            attempts: 2,
            conditions: conditions.to_vec(),
            backoff_base_ms: 1,
            backoff_max_ms: 1,
            ..Retry::default()
        }
    }

    async fn finish(response: Response) -> (u16, String) {
        let text = response.body.collect().await.unwrap().to_bytes();
        response.lease.give_back();
        (response.head.status.as_u16(), String::from_utf8(text.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_connection_is_used_again() {
        LocalSet::new()
            .run_until(async {
                let server = server(vec![vec![OK, OK, OK]]).await;
                let rig = Rig::new(&[server.address]);
                for _ in 0..3 {
                    let outcome = rig.send(Method::GET, "", &Retry::default(), None).await;
                    assert_eq!(finish(outcome.result.ok().unwrap()).await, (200, "ok".to_owned()));
                    tokio::task::yield_now().await;
                }
                assert_eq!(server.connections.get(), 1);
            })
            .await;
    }

    #[tokio::test]
    async fn a_503_is_tried_again_only_where_that_is_safe() {
        LocalSet::new()
            .run_until(async {
                let server = server(vec![vec![BUSY, BUSY, OK, BUSY, OK]; 3]).await;
                let rig = Rig::new(&[server.address]);
                let rule = retry(&[RetryOn::Status(503)]);
                let outcome = rig.send(Method::GET, "", &rule, None).await;
                assert_eq!(outcome.retries, 2);
                assert_eq!(finish(outcome.result.ok().unwrap()).await.0, 200);
                let outcome = rig.send(Method::POST, "x", &rule, None).await;
                assert_eq!((outcome.retries, outcome.result.ok().unwrap().head.status.as_u16()), (0, 503));
            })
            .await;
    }

    #[tokio::test]
    async fn a_refused_connection_goes_to_another_endpoint_with_the_whole_body() {
        LocalSet::new()
            .run_until(async {
                let dead = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
                let server = server(vec![vec![OK]; 4]).await;
                let rig = Rig::new(&[dead, server.address]);
                let rule = retry(&[RetryOn::ConnectFailure]);
                let mut retries = 0;
                for _ in 0..2 {
                    let outcome = rig.send(Method::POST, "body", &rule, None).await;
                    retries += outcome.retries;
                    assert_eq!(outcome.endpoint, Some(server.address));
                    assert!(outcome.result.is_ok());
                }
                assert!(retries >= 1, "one of two in turn was the dead one");
                let alone = Rig::new(&[dead]).send(Method::GET, "", &Retry::default(), None).await;
                assert_eq!(alone.result.err(), Some(Failure::Connect));
            })
            .await;
    }

    #[tokio::test]
    async fn a_connection_closed_between_requests_is_no_failure() {
        LocalSet::new()
            .run_until(async {
                let server = server(vec![vec![OK, ""], vec![OK]]).await;
                let rig = Rig::new(&[server.address]);
                let first = rig.send(Method::GET, "", &Retry::default(), None).await;
                finish(first.result.ok().unwrap()).await;
                tokio::task::yield_now().await;
                let second = rig.send(Method::GET, "", &Retry::default(), None).await;
                assert_eq!(finish(second.result.ok().unwrap()).await.0, 200);
                assert_eq!((second.retries, server.connections.get(), server.requests.get()), (0, 2, 3));
            })
            .await;
    }

    #[tokio::test]
    async fn time_out_reset_and_no_endpoint_are_told_apart() {
        LocalSet::new()
            .run_until(async {
                let server = server(vec![vec!["hang"], vec![""]]).await;
                let rig = Rig::new(&[server.address]);
                let late =
                    rig.send(Method::GET, "", &Retry::default(), Some(Duration::from_millis(30))).await;
                assert_eq!(late.result.err(), Some(Failure::TimedOut));
                let reset = rig.send(Method::GET, "", &Retry::default(), None).await;
                assert_eq!(reset.result.err(), Some(Failure::Reset));
                let nobody = Rig::new(&[]).send(Method::GET, "", &Retry::default(), None).await;
                assert_eq!(nobody.result.err(), Some(Failure::NoEndpoint));
            })
            .await;
    }
}
