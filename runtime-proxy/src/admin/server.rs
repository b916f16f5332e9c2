//! The proxy's end of the admin socket: HTTP/1.1 over a Unix socket that only its owner can open.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::future::Future;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::header::{CONTENT_TYPE, HeaderValue};
use http::uri::PathAndQuery;
use http::{Method, StatusCode};
use mesh_bundle::Digest;
use serde::Serialize;
use serde_json::json;
use socket2::{Domain, SockAddr, Socket, Type};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Notify;

use super::health::{Phase, ready};
use super::order::{Command, NoAnswer, Orders};
use crate::activation::{ReloadOutcome, StatusView};
use crate::http::codec::{self, Protocol, Service};
use crate::http::{Body, Head, ResponseHead, Scheme};
use crate::request::Shared;
use crate::upstream::Directory;

/// How long accepting rests when the process has no descriptor left.
const REST: Duration = Duration::from_millis(50);
/// How long an operator waits for a command: longer than a bundle's check may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the admin socket can see and reach. Nothing of it waits for another thread, but commands, and these not for long.
pub struct Panel {
    /// What is in force, counted, explained.
    pub shared: Arc<Shared>,
    /// Endpoints.
    pub directory: Arc<Directory>,
    /// What the control side says of itself.
    pub status: StatusView,
    /// The way to the control thread.
    pub orders: Orders,
    /// Tells the process to stop.
    pub stop: Rc<Notify>,
    /// Where the process stands.
    pub phase: Rc<Cell<Phase>>,
}

/// Opens the socket, in place of one that a dead proxy left. Only the proxy's own user may connect.
///
/// # Errors
/// Another proxy answers there, or the system refuses.
pub fn listen(path: &Path) -> io::Result<UnixListener> {
    if answers(path)? {
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

/// Whether a process listens on a socket. Never waits: one that takes nobody any more listens too.
fn answers(path: &Path) -> io::Result<bool> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None)?;
    let full = |error: &io::Error| error.kind() == io::ErrorKind::WouldBlock;
    Ok(socket.connect(&SockAddr::unix(path)?).map_or_else(|error| full(&error), |()| true))
}

/// Serves the socket until the future is dropped. Runs inside a `LocalSet`.
pub async fn serve(listener: UnixListener, panel: Rc<Panel>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(REST).await;
            continue;
        };
        tokio::task::spawn_local(talk(stream, Rc::clone(&panel)));
    }
}

async fn talk(stream: UnixStream, panel: Rc<Panel>) {
    // An operator who went away needs no answer.
    let _gone_or_not = codec::serve(stream, Protocol::Http1, Scheme::Http, Operator(panel), || false).await;
}

/// Whoever is at the other end of the socket.
struct Operator(Rc<Panel>);

impl Service for Operator {
    fn call(&self, head: Head, _: Body) -> impl Future<Output = Answer> + 'static {
        let panel = Rc::clone(&self.0);
        async move { panel.answer(&head).await }
    }
}

type Answer = (ResponseHead, Body);

impl Panel {
    async fn answer(&self, head: &Head) -> Answer {
        let target = head.target.path.as_ref();
        // No query and an empty one ask the same.
        let query = target.and_then(PathAndQuery::query).unwrap_or_default();
        match (&head.method, target.map_or("/", PathAndQuery::path)) {
            (&Method::GET, "/healthz") => text(StatusCode::OK, "ok\n"),
            (&Method::GET, "/readyz") => {
                let (status, why) = ready(self.phase.get(), self.shared.active().is_some());
                text(status, why)
            }
            (&Method::GET, "/metrics") => self.metrics(),
            (&Method::GET, "/v1/endpoints") => json(StatusCode::OK, &self.endpoints()),
            (&Method::GET, "/v1/explain") => self.explain(query),
            (&Method::GET, "/v1/bundle") => json(StatusCode::OK, &self.status.status()),
            (&Method::POST, "/v1/reload") => self.order(Command::Reload).await,
            (&Method::POST, "/v1/rollback") => match parameter::<Digest>(query, "to") {
                Ok(to) => self.order(Command::Rollback(to)).await,
                Err(answer) => answer,
            },
            (&Method::POST, "/v1/resume") => match parameter::<Digest>(query, "bundle") {
                Ok(bundle) => self.order(Command::Resume(bundle)).await,
                Err(answer) => answer,
            },
            (&Method::POST, "/v1/drain") => {
                self.stop.notify_one();
                text(StatusCode::ACCEPTED, "draining\n")
            }
            _ => text(StatusCode::NOT_FOUND, "no such thing\n"),
        }
    }

    async fn order(&self, command: Command) -> Answer {
        let why = match self.orders.ask(command, PATIENCE).await {
            Ok(outcome) => return shown(&outcome),
            Err(why) => why,
        };
        let at = self
            .status
            .busy()
            .map_or_else(String::new, |busy| format!(" with `{}` for {} s", busy.with, busy.seconds));
        let message = match why {
            NoAnswer::Busy => format!("the control thread is busy{at}; nothing was done\n"),
            NoAnswer::UnderWay => {
                format!("the control thread is busy{at}; the command goes on, see `status`\n")
            }
            NoAnswer::Stopping => "the proxy is stopping\n".to_owned(),
        };
        text(StatusCode::SERVICE_UNAVAILABLE, &message)
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

fn shown(outcome: &ReloadOutcome) -> Answer {
    let refused = matches!(outcome, ReloadOutcome::Refused { .. });
    json(if refused { StatusCode::CONFLICT } else { StatusCode::OK }, outcome)
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
    let mut head = ResponseHead::new(status);
    head.headers.append(CONTENT_TYPE, HeaderValue::from_static(kind));
    (head, Body::full(body))
}
