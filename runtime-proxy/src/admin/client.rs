//! The operator's end of the admin socket.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http::uri::Authority;
use http::{Method, StatusCode, Version};
use http_body_util::{BodyExt, Limited};
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::http::codec::Http1;
use crate::http::{Body, Head, Headers, Scheme, Target};

/// The longest answer in bytes.
const ANSWER_BYTES: usize = 16 << 20;
/// How long an answer may take: longer than the proxy waits for its control thread.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// Nobody answers on the socket.
    #[error("no proxy answers on {path}: {source}")]
    Away {
        /// The socket.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// No answer in time.
    #[error("the proxy does not answer within {} s", PATIENCE.as_secs())]
    Late,
    /// The conversation broke off.
    #[error("the proxy's answer broke off: {0}")]
    Broken(String),
}

/// Asks the proxy behind a socket. Runs inside a `LocalSet`.
///
/// # Errors
/// Nobody is there, or the answer is late, broke off or is too long.
pub async fn ask(socket: &Path, method: Method, target: &str) -> Result<(StatusCode, Bytes), AdminError> {
    timeout(PATIENCE, converse(socket, method, target)).await.map_err(|_| AdminError::Late)?
}

async fn converse(socket: &Path, method: Method, target: &str) -> Result<(StatusCode, Bytes), AdminError> {
    let stream = UnixStream::connect(socket)
        .await
        .map_err(|source| AdminError::Away { path: socket.display().to_string(), source })?;
    let broken = |error: &dyn std::fmt::Display| AdminError::Broken(error.to_string());
    let mut connection = Http1::connect(stream).await.map_err(|e| broken(&e))?;
    let path = target.parse().map_err(|e: http::uri::InvalidUri| broken(&e))?;
    let authority = Some(Authority::from_static("admin"));
    let target = Target { scheme: Scheme::Http, authority, path: Some(path) };
    let head = Head { method, target, version: Version::HTTP_11, headers: Headers::default() };
    let (head, body) = connection.send(&head, Body::Empty).await.map_err(|e| broken(&e))?;
    let body = Limited::new(body, ANSWER_BYTES).collect().await.map_err(|e| broken(&e))?;
    Ok((head.status, body.to_bytes()))
}
