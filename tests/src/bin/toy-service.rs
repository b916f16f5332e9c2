//! A toy service: answers with what it saw, over HTTP/1.1 and HTTP/2 in clear.
//!
//! `x-toy-status: 503` makes it answer so; gRPC requests get a message of the same JSON and `grpc-status: 0`.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::{BufMut, Bytes, BytesMut};
use clap::Parser;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;

/// Answers with what it saw.
#[derive(Debug, Clone, Parser)]
struct Args {
    /// Where it listens.
    #[arg(long)]
    listen: SocketAddr,
    /// The name that it answers with.
    #[arg(long)]
    service: String,
    /// The version that it answers with.
    #[arg(long, default_value = "v1")]
    version: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let args = Args::parse();
    let listener = TcpListener::bind(args.listen).await?;
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let args = args.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(args.clone(), request));
            let server = auto::Builder::new(TokioExecutor::new());
            // A caller that goes away is the caller's business.
            drop(server.serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

async fn answer(
    args: Args,
    request: Request<Incoming>,
) -> Result<Response<BoxBody<Bytes, Infallible>>, Infallible> {
    let (head, body) = request.into_parts();
    let size = body.collect().await.map(|b| b.to_bytes().len()).unwrap_or(0);
    let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in &head.headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        headers.entry(name.as_str().to_owned()).or_default().push(value);
    }
    let host = head.uri.host().map(str::to_owned);
    let host = host.or_else(|| headers.get("host").and_then(|h| h.first()).cloned());
    let target = head.uri.path_and_query().map(|p| p.as_str().to_owned());
    let seen = serde_json::json!({
        "service": args.service,
        "version": args.version,
        "method": head.method.as_str(),
        "target": target,
        "host": host,
        "headers": headers,
        "size": size,
    });
    let text = seen.to_string();
    let grpc =
        head.headers.get("content-type").is_some_and(|v| v.as_bytes().starts_with(b"application/grpc"));
    if grpc {
        let mut message = BytesMut::new();
        message.put_u8(0);
        message.put_u32(u32::try_from(text.len()).unwrap_or(0));
        message.put_slice(text.as_bytes());
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        let body = Full::new(message.freeze()).with_trailers(async move { Some(Ok(trailers)) });
        let mut response = Response::new(body.boxed());
        response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
        return Ok(response);
    }
    let wanted = head.headers.get("x-toy-status").and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
    let status = wanted.and_then(|code: u16| StatusCode::from_u16(code).ok()).unwrap_or(StatusCode::OK);
    let mut response = Response::new(Full::new(Bytes::from(text)).boxed());
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    Ok(response)
}
