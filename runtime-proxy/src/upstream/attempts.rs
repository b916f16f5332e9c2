//! The attempts of one request to one version of one service: which endpoint, whether again, until when.

use std::future::{Future as _, poll_fn};
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use mesh_bundle::program::Retry;
use tokio::time::Instant;

use super::admission::{Permit, RetryPermit};
use super::attempt::{Answered, Attempt};
use super::balance::Slot;
use super::endpoint::{Endpoint, Load};
use super::failure::Failure;
use super::outlier::Verdict;
use super::pool::{Lease, Pools};
use super::replay::RequestBody;
use super::retry::{Random, backoff, may_repeat};
use super::service::UpstreamService;
use crate::clock::Clock;
use crate::http::{Body, Head, ResponseHead};

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

/// What a worker sends with.
#[derive(Clone, Copy)]
pub struct Means<'a> {
    /// Its connections.
    pub pools: &'a Rc<Pools>,
    /// The time that ejections are measured in.
    pub clock: &'a Clock,
    /// The jitter of backoff.
    pub random: &'a Random,
}

/// What a call came to.
pub struct Outcome {
    /// The answer of the last attempt.
    pub result: Result<Response, Failure>,
    /// Attempts after the first.
    pub retries: u32,
    /// The endpoint of the last attempt.
    pub endpoint: Option<SocketAddr>,
    /// Endpoints that were ejected because of this call.
    pub ejected: u32,
}

/// An endpoint's answer. `lease`, `permit` and `load` are to be kept to the end of the body.
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

/// Sends a request and, as its rules say, sends it again.
pub async fn send(call: Call<'_>, body: Body, means: Means<'_>) -> Outcome {
    let body = RequestBody::new(body, call.retry);
    let mut attempts = Attempts { call: &call, means, body, retries: 0, endpoint: None, ejected: 0 };
    let result = {
        // Pinned here, so that the futures take their room once (`timeout_at` would move them twice).
        let mut late = pin!(call.deadline.map(tokio::time::sleep_until));
        let mut work = pin!(attempts.run());
        poll_fn(|cx| match (work.as_mut().poll(cx), late.as_mut().as_pin_mut()) {
            (Poll::Pending, Some(late)) => late.poll(cx).map(|()| Err(Failure::TimedOut)),
            (polled, _) => polled,
        })
        .await
    };
    if result.as_ref().is_err_and(|failure| *failure == Failure::TimedOut)
        && let Some(endpoint) = attempts.endpoint.take()
    {
        attempts.count_error(&endpoint);
        attempts.endpoint = Some(endpoint);
    }
    let Attempts { retries, endpoint, ejected, .. } = attempts;
    Outcome { result, retries, endpoint: endpoint.map(|endpoint| endpoint.address), ejected }
}

/// The policy of one request's attempts, and how far it has come.
struct Attempts<'a> {
    call: &'a Call<'a>,
    means: Means<'a>,
    body: RequestBody,
    retries: u32,
    /// That of the latest attempt.
    endpoint: Option<Arc<Endpoint>>,
    ejected: u32,
}

impl Attempts<'_> {
    /// Attempts one after another until one is taken.
    async fn run(&mut self) -> Result<Response, Failure> {
        let Call { service, slot, head, .. } = *self.call;
        let permit = service.admission.enter().await.map_err(|_| Failure::Overflow)?;
        let mut tried: Vec<u64> = Vec::new();
        let mut retry: Option<RetryPermit> = None;
        loop {
            let endpoint = slot.pick(self.means.clock, &tried).ok_or(Failure::NoEndpoint)?;
            self.endpoint = Some(Arc::clone(&endpoint));
            let attempt = Attempt { service, endpoint: &endpoint, head, pools: self.means.pools };
            let result = attempt.run(&mut self.body).await;
            self.judge(&endpoint, &result);
            drop(retry.take());
            retry = self.retry_permit(&result);
            if retry.is_none() {
                return result.map(|Answered { head, body, lease, load }| Response {
                    head,
                    body,
                    lease,
                    permit,
                    load,
                });
            }
            if let Ok(answered) = result {
                Box::pin(answered.drain()).await;
            }
            tried.push(endpoint.id);
            // Rare ways are boxed, so that each request need not carry their room.
            Box::pin(tokio::time::sleep(backoff(self.retries, self.call.retry, self.means.random))).await;
            self.retries += 1;
        }
    }

    /// Counts how an attempt went for its endpoint.
    fn judge(&mut self, endpoint: &Endpoint, result: &Result<Answered, Failure>) {
        let failed = match result {
            Ok(answered) => answered.head.status.is_server_error(),
            Err(Failure::ClientGone) => false,
            Err(_) => true,
        };
        if failed {
            self.count_error(endpoint);
        } else {
            endpoint.success();
        }
    }

    fn count_error(&mut self, endpoint: &Endpoint) {
        let verdict = self.call.slot.error(endpoint, self.call.service.outlier.as_ref(), self.means.clock);
        self.ejected += u32::from(verdict == Verdict::Ejected);
    }

    /// Leave for another attempt, where the rule wants one, the body allows it, and the budget has room.
    fn retry_permit(&self, result: &Result<Answered, Failure>) -> Option<RetryPermit> {
        let Call { service, head, retry, .. } = *self.call;
        let wanted = self.retries < retry.attempts
            && match result {
                Ok(answered) => {
                    let status = answered.head.status.as_u16();
                    retry.conditions.iter().any(|on| on.takes_status(status))
                        && may_repeat(&head.method, retry)
                }
                Err(failure) => {
                    retry.conditions.iter().any(|on| failure.meets(*on))
                        && (failure.is_unprocessed() || may_repeat(&head.method, retry))
                }
            };
        if wanted && self.body.can_repeat() { service.admission.retry_permit(retry) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Headers, Scheme, Target};
    use crate::upstream::{Admission, Connector, Directory, Transport};
    use http::{Method, Version};
    use http_body_util::BodyExt;
    use mesh_bundle::program::RetryOn;
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
            let means = Means { pools: &self.pools, clock: &self.clock, random: &self.random };
            send(call, Body::full(body), means).await
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
    async fn classes_of_statuses_are_tried_again() {
        const ERROR: &str = "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n";
        const GATEWAY: &str = "HTTP/1.1 504 Gateway Timeout\r\ncontent-length: 0\r\n\r\n";
        LocalSet::new()
            .run_until(async {
                let tried = async |on: RetryOn, method: Method, script: &[&'static str]| {
                    let server = server(vec![script.to_vec(); 3]).await;
                    let rig = Rig::new(&[server.address]);
                    let outcome = rig.send(method, "", &retry(&[on]), None).await;
                    (outcome.retries, outcome.result.map(|response| response.head.status.as_u16()).ok())
                };
                for status in [ERROR, GATEWAY, BUSY] {
                    assert_eq!(tried(RetryOn::ServerError, Method::GET, &[status, OK]).await, (1, Some(200)));
                }
                for status in [GATEWAY, BUSY] {
                    assert_eq!(
                        tried(RetryOn::GatewayError, Method::GET, &[status, OK]).await,
                        (1, Some(200))
                    );
                }
                assert_eq!(tried(RetryOn::GatewayError, Method::GET, &[ERROR, OK]).await, (0, Some(500)));
                assert_eq!(tried(RetryOn::ServerError, Method::POST, &[BUSY, OK]).await, (0, Some(503)));
            })
            .await;
    }

    #[tokio::test]
    async fn a_class_takes_what_would_be_answered_so_for_want_of_a_response() {
        LocalSet::new()
            .run_until(async {
                let dead = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
                for on in [RetryOn::ServerError, RetryOn::GatewayError] {
                    // No connection was made, so that any method may be repeated.
                    let refused = Rig::new(&[dead]).send(Method::POST, "x", &retry(&[on]), None).await;
                    assert_eq!((refused.retries, refused.result.err()), (2, Some(Failure::Connect)));
                    let broken = async |method| {
                        let server = server(vec![vec![""], vec![OK]]).await;
                        let outcome = Rig::new(&[server.address]).send(method, "", &retry(&[on]), None).await;
                        (outcome.retries, outcome.result.map(|response| response.head.status.as_u16()).ok())
                    };
                    assert_eq!(broken(Method::GET).await, (1, Some(200)));
                    assert_eq!(broken(Method::POST).await, (0, None));
                }
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
    async fn timeout_reset_and_no_endpoint_are_told_apart() {
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
