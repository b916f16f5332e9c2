//! Requests written byte by byte, so that nothing of them is corrected on the way.

use std::io;

use mesh_decision::head::Version;
use mesh_decision::journey::Ask;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::client::{ClientError, Reach};
use super::compare::Live;
use crate::random::Random;

/// The most that is read of an answer.
const ANSWER_BYTES: usize = 1 << 20;

/// Writes a request as it is, on a connection of its own, and reads the first answer that is not an interim one.
///
/// # Errors
/// [`ClientError`] when there is no connection; one that is closed without an answer is no error.
pub async fn exchange(reach: &Reach, request: &[u8]) -> Result<Live, ClientError> {
    match &reach.tls {
        None => talk(reach.tcp().await?, request).await,
        Some(_) => {
            let stream: TcpStream = reach.tcp().await?;
            talk(reach.tls(stream).await?, request).await
        }
    }
}

/// The head of a request of HTTP/1, as it is asked.
#[must_use]
pub fn head(ask: &Ask) -> Vec<u8> {
    let version = if ask.version == Version::Http10 { "1.0" } else { "1.1" };
    let mut head = format!("{} {} HTTP/{version}\r\n", ask.method, ask.target).into_bytes();
    if !ask.headers.iter().any(|(name, _)| name == "host") {
        head.extend_from_slice(format!("host: {}\r\n", ask.authority).as_bytes());
    }
    for (name, value) in &ask.headers {
        head.extend_from_slice(name.as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value);
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head
}

/// A header line that a rule may read, or that says something about the hop or the body; some of them are refused.
pub fn odd_line(random: &mut Random) -> (&'static str, &'static [u8]) {
    let lines: &[(&str, &[&[u8]])] = &[
        ("x-tenant", &[b"acme", b"acme", b"other", b"\xff"]),
        ("x-tenant", &[b"acme"]),
        ("cookie", &[b"session=s1", b"session=s1; session=s2", b"a=1; session=s1", b"\xfe"]),
        ("x-flag", &[b"", b"1"]),
        ("x-block", &[b"yes", b"no", b"yes"]),
        (
            "connection",
            &[b"x-tenant", b"X-Tenant, close", b"cookie", b"x-block", b"keep-alive, x-flag", b"te"],
        ),
        ("connection", &[b"x-tenant", b"upgrade", b"content-length", b"host", b"a b", b",,", b"\xff"]),
        ("connection", &[b"a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p", b"a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q", b"close"]),
        ("upgrade", &[b"websocket", b"h2c", b"h2c, websocket"]),
        ("te", &[b"trailers", b"gzip"]),
        ("transfer-encoding", &[b"chunked", b"gzip", b"gzip, chunked", b"chunked, chunked", b"CHUNKED"]),
        ("content-length", &[b"0", b"5", b"+1", b"1, 1", b"0x1", b"18446744073709551616", b"-1"]),
        ("host", &[b"drill.example", b"other.example", b"DRILL.EXAMPLE:1", b""]),
        ("expect", &[b"100-continue", b"other"]),
        ("keep-alive", &[b"timeout=5"]),
        ("proxy-connection", &[b"close"]),
        ("http2-settings", &[b"AAMAAABkAAQAAP__"]),
        ("x-mesh-decision", &[b"1"]),
        ("x-source-service", &[b"orders"]),
        ("x-forwarded-for", &[b"10.0.0.1"]),
        ("accept", &[b"*/*"]),
    ];
    let (name, values) = random.one(lines).copied().unwrap_or_default();
    (name, random.one(values).copied().unwrap_or_default())
}

async fn talk(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &[u8]) -> Result<Live, ClientError> {
    // A server may answer and close before it has read all of a request.
    drop(stream.write_all(request).await);
    let mut answer = Vec::new();
    let mut piece = vec![0; 16 << 10];
    loop {
        if let Some(live) = whole(&answer) {
            return Ok(live);
        }
        let count = match stream.read(&mut piece).await {
            Ok(count) => count,
            Err(error) if is_end(&error) => 0,
            Err(error) => return Err(error.into()),
        };
        if count == 0 || answer.len() > ANSWER_BYTES {
            return Ok(Live { status: None, location: None, body: String::new() });
        }
        answer.extend(piece.iter().take(count));
    }
}

fn is_end(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof)
}

/// The first answer that is not an interim one, once all of its declared length is there.
fn whole(bytes: &[u8]) -> Option<Live> {
    let text = String::from_utf8_lossy(bytes);
    let mut rest: &str = &text;
    loop {
        let (head, after) = rest.split_once("\r\n\r\n")?;
        let status: u16 = head.split(' ').nth(1)?.parse().ok()?;
        rest = after;
        if status < 200 {
            continue;
        }
        let value = |name: &str| {
            let mut lines = head.lines().filter_map(|line| line.split_once(':'));
            lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
        };
        let length = value("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let body = rest.get(..length)?.to_owned();
        return Some(Live { status: Some(status), location: value("location").map(str::to_owned), body });
    }
}
