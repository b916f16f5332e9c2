//! A client's byte stream: replays what was peeked, and tells its connection when bytes move.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::lifetime::Connection;

/// The beginning of an HTTP/2 connection preface (RFC 9113, 3.4) that no HTTP/1 request has.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n";
/// The first byte of a TLS handshake record (RFC 8446, 5.1).
const TLS_HANDSHAKE: u8 = 0x16;
/// How much is read at once while peeking.
const PEEK_BYTES: usize = 1024;

/// What a client begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// A TLS handshake.
    Tls,
    /// The HTTP/2 preface.
    Http2,
    /// Anything else: HTTP/1, or rubbish that its parser refuses.
    Http1,
}

/// A stream whose first bytes may have been read already.
pub(super) struct Stream {
    socket: TcpStream,
    peeked: Bytes,
    connection: Rc<Connection>,
}

impl Stream {
    pub(super) fn new(socket: TcpStream, connection: Rc<Connection>) -> Self {
        Self { socket, peeked: Bytes::new(), connection }
    }

    /// Reads until it is clear what the client begins with.
    pub(super) async fn peek(&mut self) -> io::Result<Opening> {
        let mut read = BytesMut::from(self.peeked.as_ref());
        let opening = loop {
            if let Some(opening) = opening_of(&read) {
                break opening;
            }
            read.reserve(PEEK_BYTES);
            if self.socket.read_buf(&mut read).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        };
        self.peeked = read.freeze();
        Ok(opening)
    }
}

/// `None` while the bytes so far could still become the HTTP/2 preface.
fn opening_of(bytes: &[u8]) -> Option<Opening> {
    match bytes.first()? {
        &TLS_HANDSHAKE => Some(Opening::Tls),
        _ if bytes.starts_with(PREFACE) => Some(Opening::Http2),
        _ if PREFACE.starts_with(bytes) => None,
        _ => Some(Opening::Http1),
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buf.filled().len();
        if this.peeked.is_empty() {
            ready!(Pin::new(&mut this.socket).poll_read(cx, buf))?;
        } else {
            let count = this.peeked.len().min(buf.remaining());
            buf.put_slice(&this.peeked.split_to(count));
        }
        if buf.filled().len() > before {
            this.connection.on_read();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.connection.on_write();
        Pin::new(&mut self.socket).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.connection.on_write();
        Pin::new(&mut self.socket).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opening_is_known_as_early_as_it_can_be() {
        assert_eq!(opening_of(b""), None);
        assert_eq!(opening_of(&[TLS_HANDSHAKE]), Some(Opening::Tls));
        assert_eq!(opening_of(b"G"), Some(Opening::Http1));
        assert_eq!(opening_of(b"P"), None);
        assert_eq!(opening_of(b"POST / HT"), Some(Opening::Http1));
        assert_eq!(opening_of(b"PRI * HTTP/2.0\r"), None);
        assert_eq!(opening_of(b"PRI * HTTP/2.0\r\n\r\nSM"), Some(Opening::Http2));
        assert_eq!(opening_of(b"PRI * HTTP/1.1\r\n"), Some(Opening::Http1));
    }
}
