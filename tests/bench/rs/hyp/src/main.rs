//! Minimal hyper 1.x reverse proxy: N current-thread runtimes with SO_REUSEPORT, per-thread pooled upstream
//! HTTP/1.1 connections, optional TLS/mTLS on both sides, longest-prefix route table. No policy, no logs, no metrics.
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, combinators::BoxBody};
use hyper::{
    Request, Response, Uri, body::Incoming, client::conn::http1::SendRequest, header, service::service_fn,
};
use hyper_util::rt::TokioIo;
use std::{
    cell::RefCell,
    collections::{HashMap, VecDeque},
    convert::Infallible,
    future::Future,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    task::LocalSet,
};
use tokio_rustls::{
    TlsAcceptor, TlsConnector,
    rustls::{self, pki_types::ServerName},
};
#[cfg(feature = "mi")]
#[global_allocator]
static A: mimalloc::MiMalloc = mimalloc::MiMalloc;
#[derive(Clone, Copy)]
struct Ex;
impl<F: Future + 'static> hyper::rt::Executor<F> for Ex
where
    F::Output: 'static,
{
    fn execute(&self, f: F) {
        tokio::task::spawn_local(f);
    }
}
trait Io: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Io for T {}
struct MaybeTls(Box<dyn Io>);
impl AsyncRead for MaybeTls {
    fn poll_read(
        mut self: Pin<&mut Self>,
        c: &mut Context<'_>,
        b: &mut tokio::io::ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(c, b)
    }
}
impl AsyncWrite for MaybeTls {
    fn poll_write(mut self: Pin<&mut Self>, c: &mut Context<'_>, b: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(c, b)
    }
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        c: &mut Context<'_>,
        b: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(c, b)
    }
    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }
    fn poll_flush(mut self: Pin<&mut Self>, c: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(c)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, c: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(c)
    }
}
struct Sh {
    ups: Vec<String>,
    routes: HashMap<Box<str>, usize>,
    utls: Option<TlsConnector>,
    dtls: Option<TlsAcceptor>,
}
struct Th {
    sh: Arc<Sh>,
    pools: Vec<RefCell<VecDeque<SendRequest<Incoming>>>>,
}
impl Th {
    fn route(&self, p: &str) -> Option<usize> {
        // longest segment prefix
        if self.sh.routes.is_empty() {
            return Some(0);
        }
        let mut e = p.len();
        loop {
            if let Some(&i) = self.sh.routes.get(&p[..e]) {
                return Some(i);
            }
            if e == 0 {
                return None;
            }
            e = p[..e].rfind('/')?;
        }
    }
    async fn sender(&self, i: usize) -> Result<SendRequest<Incoming>, Box<dyn std::error::Error>> {
        {
            let mut q = self.pools[i].borrow_mut();
            for _ in 0..q.len().min(8) {
                let Some(s) = q.pop_front() else { break };
                if s.is_ready() {
                    return Ok(s);
                }
                if !s.is_closed() {
                    q.push_back(s)
                }
            }
        }
        let s = TcpStream::connect(&self.sh.ups[i]).await?;
        s.set_nodelay(true)?;
        let io: Box<dyn Io> = match &self.sh.utls {
            None => Box::new(s),
            Some(t) => Box::new(t.connect(ServerName::try_from("svc.local")?, s).await?),
        };
        let (mut tx, conn) = hyper::client::conn::http1::handshake(TokioIo::new(MaybeTls(io))).await?;
        tokio::task::spawn_local(async move {
            let _ = conn.await;
        });
        tx.ready().await?;
        Ok(tx)
    }
    async fn handle(
        self: Rc<Self>,
        mut req: Request<Incoming>,
    ) -> Result<Response<BoxBody<Bytes, hyper::Error>>, Infallible> {
        let err = |c: u16| {
            Response::builder().status(c).body(Empty::new().map_err(|e| match e {}).boxed()).unwrap()
        };
        let Some(i) = self.route(req.uri().path()) else { return Ok(err(404)) };
        if let Some(a) = req.uri().authority() {
            // HTTP/2: move :authority to Host, origin-form target
            let h = header::HeaderValue::from_str(a.as_str()).unwrap();
            req.headers_mut().insert(header::HOST, h);
            let pq = req.uri().path_and_query().cloned().unwrap();
            *req.uri_mut() = Uri::from(pq);
        }
        *req.version_mut() = hyper::Version::HTTP_11;
        for h in
            [header::CONNECTION, header::TE, header::TRAILER, header::UPGRADE, header::PROXY_AUTHORIZATION]
        {
            req.headers_mut().remove(h);
        }
        req.headers_mut().insert("x-forwarded-proto", header::HeaderValue::from_static("http"));
        let Ok(mut tx) = self.sender(i).await else { return Ok(err(503)) };
        match tx.send_request(req).await {
            Ok(mut r) => {
                for h in [header::CONNECTION, header::TRAILER, header::UPGRADE] {
                    r.headers_mut().remove(h);
                }
                self.pools[i].borrow_mut().push_back(tx);
                Ok(r.map(|b| b.boxed()))
            }
            Err(_) => Ok(err(502)),
        }
    }
}
async fn serve(th: Rc<Th>, l: TcpListener, h2: bool, raw: bool) {
    loop {
        let Ok((s, _)) = l.accept().await else { continue };
        let _ = s.set_nodelay(true);
        let th = th.clone();
        if raw {
            tokio::task::spawn_local(async move {
                let mut s = s;
                if let Ok(mut u) = TcpStream::connect(&th.sh.ups[0]).await {
                    let _ = u.set_nodelay(true);
                    let _ = tokio::io::copy_bidirectional(&mut s, &mut u).await;
                }
            });
            continue;
        }
        tokio::task::spawn_local(async move {
            let svc = {
                let th = th.clone();
                service_fn(move |r| th.clone().handle(r))
            };
            match &th.sh.dtls {
                None if h2 => {
                    let _ = hyper::server::conn::http2::Builder::new(Ex)
                        .serve_connection(TokioIo::new(s), svc)
                        .await;
                }
                None => {
                    let _ = hyper::server::conn::http1::Builder::new()
                        .pipeline_flush(true)
                        .serve_connection(TokioIo::new(s), svc)
                        .await;
                }
                Some(t) => {
                    let Ok(s) = t.accept(s).await else { return };
                    if s.get_ref().1.alpn_protocol() == Some(b"h2") {
                        let _ = hyper::server::conn::http2::Builder::new(Ex)
                            .serve_connection(TokioIo::new(s), svc)
                            .await;
                    } else {
                        let _ = hyper::server::conn::http1::Builder::new()
                            .pipeline_flush(true)
                            .serve_connection(TokioIo::new(s), svc)
                            .await;
                    }
                }
            }
        });
    }
}
fn main() {
    let a: HashMap<String, String> = std::env::args()
        .skip(1)
        .collect::<Vec<_>>()
        .chunks(2)
        .map(|c| (c[0].clone(), c.get(1).cloned().unwrap_or_default()))
        .collect();
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let rd = |p: &str| std::io::BufReader::new(std::fs::File::open(p).unwrap());
    let certs = |p: &str| rustls_pemfile::certs(&mut rd(p)).map(|c| c.unwrap()).collect::<Vec<_>>();
    let key = |p: &str| rustls_pemfile::private_key(&mut rd(p)).unwrap().unwrap();
    let roots = |p: &str| {
        let mut r = rustls::RootCertStore::empty();
        for c in certs(p) {
            r.add(c).unwrap()
        }
        Arc::new(r)
    };
    let dtls = a.get("--cert").map(|c| {
        let b = rustls::ServerConfig::builder();
        let b = match a.get("--client-ca") {
            Some(p) => b.with_client_cert_verifier(
                rustls::server::WebPkiClientVerifier::builder(roots(p)).build().unwrap(),
            ),
            None => b.with_no_client_auth(),
        };
        let mut s = b.with_single_cert(certs(c), key(&a["--key"])).unwrap();
        s.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        s.send_tls13_tickets = 0;
        TlsAcceptor::from(Arc::new(s))
    });
    let utls = a.get("--up-ca").map(|p| {
        TlsConnector::from(Arc::new(
            rustls::ClientConfig::builder()
                .with_root_certificates(roots(p))
                .with_client_auth_cert(certs(&a["--up-cert"]), key(&a["--up-key"]))
                .unwrap(),
        ))
    });
    let ups: Vec<String> = a["--up"].split(',').map(String::from).collect();
    let routes = a
        .get("--routes")
        .map(|f| {
            std::fs::read_to_string(f)
                .unwrap()
                .lines()
                .map(|l| {
                    let l = l.split(' ').next().unwrap();
                    (l.into(), 0)
                })
                .collect()
        })
        .unwrap_or_default();
    let sh = Arc::new(Sh { ups, routes, utls, dtls });
    let n: usize = a.get("--threads").map(|s| s.parse().unwrap()).unwrap_or(1);
    let (h2, raw) = (a.contains_key("--h2"), a.contains_key("--raw"));
    let ts: Vec<_> = (0..n)
        .map(|_| {
            let (sh, addr) = (sh.clone(), a["--listen"].parse::<std::net::SocketAddr>().unwrap());
            std::thread::spawn(move || {
                let rt = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                LocalSet::new().block_on(&rt, async move {
                    let s = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
                    s.set_reuse_port(true).unwrap();
                    s.set_reuse_address(true).unwrap();
                    s.set_nonblocking(true).unwrap();
                    s.bind(&addr.into()).unwrap();
                    s.listen(4096).unwrap();
                    let th = Rc::new(Th { pools: sh.ups.iter().map(|_| Default::default()).collect(), sh });
                    serve(th, TcpListener::from_std(s.into()).unwrap(), h2, raw).await
                })
            })
        })
        .collect();
    for t in ts {
        t.join().unwrap();
    }
}
