//! The versions of HTTP that are spoken, and the bounds that hold on both sides.

/// A version of HTTP on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1 (and 1.0): one request at a time.
    Http1,
    /// HTTP/2: many requests at once.
    Http2,
}

/// Lines of a message head; one more in a request is a 431 (`docs/proxy.md`, "Reasons").
pub(super) const HEADER_LINES: usize = mesh_bundle::limits::HEADER_LINES;
/// Bytes of an HTTP/1.1 message head.
pub(super) const HEAD_BYTES: usize = mesh_bundle::limits::HEAD_BYTES;
/// Bytes of an HTTP/2 header list (RFC 9113, 6.5.2).
pub(super) const HEADER_LIST: u32 = HEAD_BYTES as u32;
const _: () = assert!(HEADER_LIST as usize == HEAD_BYTES);
/// Flow control window of one HTTP/2 stream, in bytes.
pub(super) const STREAM_WINDOW: u32 = 256 * 1024;
/// Flow control window of one HTTP/2 connection, in bytes.
pub(super) const CONNECTION_WINDOW: u32 = 1024 * 1024;
