//! The proxy's end of the admin socket: HTTP/1.1 over a Unix socket that only its owner can open.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use mesh_bundle::{Digest, Refusal};
use serde::Serialize;
use serde_json::json;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};

use crate::activation::{ReloadOutcome, Status};
use crate::request::Shared;
use crate::upstream::Directory;

/// Bytes of an admin request's head.
const HEAD_BYTES: usize = 16 * 1024;

/// What an operator orders. The reloader's thread answers.
pub enum Command {
    /// What the proxy says of itself.
    Status(oneshot::Sender<Status>),
    /// Look at the source now.
    Reload(oneshot::Sender<ReloadOutcome>),
    /// Go back, to a given bundle or the one before.
    Rollback(Option<Digest>, oneshot::Sender<Result<Digest, Refusal>>),
    /// End the hold, and a bundle's quarantine.
    Resume(Option<Digest>, oneshot::Sender<Result<ReloadOutcome, Refusal>>),
    /// Finish what is in flight and stop.
    Drain,
}

/// What the admin socket can see and reach.
pub struct Panel {
    /// What is in force, counted, explained.
    pub shared: Arc<Shared>,
    /// Endpoints.
    pub directory: Arc<Directory>,
    /// The way to the reloader.
    pub commands: mpsc::Sender<Command>,
    /// Set when the proxy stops.
    pub draining: Arc<AtomicBool>,
}

/// Opens the socket, in place of one that a dead proxy left. Only the proxy's own user may connect.
///
/// # Errors
/// Another proxy answers there, or the system refuses.
pub fn listen(path: &Path) -> io::Result<UnixListener> {
    if std::os::unix::net::UnixStream::connect(path).is_ok() {
        return Err(io::Error::new(io::ErrorKind::AddrInUse, "another proxy answers on this admin socket"));
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Serves the socket until the future is dropped. Runs inside a `LocalSet`.
pub async fn serve(listener: UnixListener, panel: Rc<Panel>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            continue;
        };
        tokio::task::spawn_local(talk(stream, Rc::clone(&panel)));
    }
}

async fn talk(stream: UnixStream, panel: Rc<Panel>) {
    let service = service_fn(move |request| {
        let panel = Rc::clone(&panel);
        async move { Ok::<_, Infallible>(panel.answer(&request).await) }
    });
    let served =
        http1::Builder::new().max_buf_size(HEAD_BYTES).serve_connection(TokioIo::new(stream), service);
    // An operator who went away needs no answer.
    let _gone_or_not = served.await;
}

type Answer = Response<Full<Bytes>>;

impl Panel {
    async fn answer(&self, request: &Request<Incoming>) -> Answer {
        let query = request.uri().query().unwrap_or_default();
        match (request.method(), request.uri().path()) {
            (&Method::GET, "/healthz") => text(StatusCode::OK, "ok\n"),
            (&Method::GET, "/readyz") => self.ready(),
            (&Method::GET, "/metrics") => self.metrics(),
            (&Method::GET, "/v1/endpoints") => json(StatusCode::OK, &self.endpoints()),
            (&Method::GET, "/v1/explain") => self.explain(query),
            (&Method::GET, "/v1/bundle") => match self.order(Command::Status).await {
                Some(status) => json(StatusCode::OK, &status),
                None => stopping(),
            },
            (&Method::POST, "/v1/reload") => match self.order(Command::Reload).await {
                Some(look) => looked(&look),
                None => stopping(),
            },
            (&Method::POST, "/v1/rollback") => match parameter::<Digest>(query, "to") {
                Ok(to) => match self.order(|reply| Command::Rollback(to, reply)).await {
                    Some(Ok(bundle)) => looked(&ReloadOutcome::Activated { bundle }),
                    Some(Err(refusal)) => looked(&ReloadOutcome::Refused { refusal }),
                    None => stopping(),
                },
                Err(answer) => answer,
            },
            (&Method::POST, "/v1/resume") => match parameter::<Digest>(query, "bundle") {
                Ok(bundle) => match self.order(|reply| Command::Resume(bundle, reply)).await {
                    Some(Ok(look)) => looked(&look),
                    Some(Err(refusal)) => looked(&ReloadOutcome::Refused { refusal }),
                    None => stopping(),
                },
                Err(answer) => answer,
            },
            (&Method::POST, "/v1/drain") => match self.commands.send(Command::Drain).await {
                Ok(()) => text(StatusCode::ACCEPTED, "draining\n"),
                Err(_) => stopping(),
            },
            _ => text(StatusCode::NOT_FOUND, "no such thing\n"),
        }
    }

    async fn order<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.ok()?;
        answer.await.ok()
    }

    fn ready(&self) -> Answer {
        if self.draining.load(Ordering::Relaxed) {
            return text(StatusCode::SERVICE_UNAVAILABLE, "draining\n");
        }
        if self.shared.active().is_none() {
            return text(StatusCode::SERVICE_UNAVAILABLE, "no bundle is in force\n");
        }
        text(StatusCode::OK, "ready\n")
    }

    fn metrics(&self) -> Answer {
        for (service, versions) in self.directory.all() {
            for (version, endpoints) in versions {
                self.shared.metrics.endpoints(&service, &version, endpoints.len());
            }
        }
        let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        response(StatusCode::OK, kind, self.shared.metrics.text())
    }

    fn endpoints(&self) -> BTreeMap<String, BTreeMap<String, Vec<serde_json::Value>>> {
        let shown = |endpoint: &Arc<crate::upstream::Endpoint>| {
            json!({
                "address": endpoint.address.to_string(),
                "active": endpoint.active.load(Ordering::Relaxed),
                "ejected": endpoint.is_out(&self.shared.clock),
            })
        };
        let versions = |versions: crate::upstream::Versions| {
            versions.into_iter().map(|(name, list)| (name, list.iter().map(shown).collect())).collect()
        };
        self.directory.all().into_iter().map(|(service, list)| (service, versions(list))).collect()
    }

    fn explain(&self, query: &str) -> Answer {
        let why = query.strip_prefix("decision=").and_then(|id| self.shared.refusals.find(id));
        match why {
            Some(why) => json(StatusCode::OK, &why),
            None => text(StatusCode::NOT_FOUND, "no refusal with this decision id is remembered\n"),
        }
    }
}

fn parameter<T: std::str::FromStr>(query: &str, name: &str) -> Result<Option<T>, Answer> {
    if query.is_empty() {
        return Ok(None);
    }
    // `sha256:` may come with its colon escaped.
    let value = query
        .strip_prefix(name)
        .and_then(|rest| rest.strip_prefix('='))
        .map(|value| value.replace("%3A", ":"));
    let parsed = value.and_then(|value| value.parse().ok());
    parsed.map(Some).ok_or_else(|| text(StatusCode::BAD_REQUEST, "the parameter is not understood\n"))
}

fn looked(look: &ReloadOutcome) -> Answer {
    let status =
        if matches!(look, ReloadOutcome::Refused { .. }) { StatusCode::CONFLICT } else { StatusCode::OK };
    json(status, look)
}

fn stopping() -> Answer {
    text(StatusCode::SERVICE_UNAVAILABLE, "the proxy is stopping\n")
}

fn json(status: StatusCode, value: &impl Serialize) -> Answer {
    match serde_json::to_string(value) {
        Ok(body) => response(status, "application/json", body),
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

fn text(status: StatusCode, body: &str) -> Answer {
    response(status, "text/plain; charset=utf-8", body.to_owned())
}

fn response(status: StatusCode, kind: &'static str, body: String) -> Answer {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(kind));
    response
}
