//! Writing the head of a request or response (RFC 9112, section 2.1).
//!
//! Everything written comes from types that can't hold a line break: numbers, tokens, `HeaderName`,
//! `HeaderValue` and the checked parts of a URI.

use bytes::Bytes;
use http::StatusCode;
use http::header::HeaderValue;

use crate::handshake::accept_key::SecWebSocketAccept;

/// Returns whether a value may be written: a `HeaderValue` can't hold a line break, but it can hold
/// characters outside ASCII.
pub(super) fn is_ascii(value: &HeaderValue) -> bool {
    value.to_str().is_ok()
}

/// Returns the request for this resource: `/` and what follows it.
pub(super) fn get<'a>(
    resource_name: &str,
    fields: impl Iterator<Item = (&'a str, &'a [u8])> + Clone,
) -> Bytes {
    encode(["GET ", resource_name, " HTTP/1.1"].map(str::as_bytes), fields, b"")
}

/// Returns the request for a tunnel to this host and port.
pub(super) fn connect<'a>(
    authority: &str,
    fields: impl Iterator<Item = (&'a str, &'a [u8])> + Clone,
) -> Bytes {
    encode(["CONNECT ", authority, " HTTP/1.1"].map(str::as_bytes), fields, b"")
}

/// Returns the response that opens a WebSocket: the fields that every one has (§4.2.2 (5)), and these.
pub(super) fn switching_protocols<'a>(
    accept: &SecWebSocketAccept,
    fields: impl Iterator<Item = (&'a str, &'a [u8])> + Clone,
) -> Bytes {
    let head = b"HTTP/1.1 101 Switching Protocols\r\n\
        Upgrade: websocket\r\n\
        Connection: Upgrade\r\n\
        Sec-WebSocket-Accept: ";
    encode([head, accept.as_bytes()], fields, b"")
}

/// Returns a response. A status without a registered reason gets an empty one.
pub(super) fn response<'a>(
    status: StatusCode,
    fields: impl Iterator<Item = (&'a str, &'a [u8])> + Clone,
    body: &[u8],
) -> Bytes {
    // RFC 9112, §4: the space is required even if no reason follows.
    let reason = status.canonical_reason().unwrap_or_default();
    let status_line = ["HTTP/1.1 ", status.as_str(), " ", reason];
    encode(status_line.map(str::as_bytes), fields, body)
}

/// Joins the start of the head, its fields, the blank line and the body in storage of exactly their size.
fn encode<'a, const PARTS: usize>(
    front: [&[u8]; PARTS],
    fields: impl Iterator<Item = (&'a str, &'a [u8])> + Clone,
    body: &[u8],
) -> Bytes {
    let size = front.iter().map(|part| part.len()).sum::<usize>()
        + fields
            .clone()
            .map(|(name, value)| name.len() + value.len() + ": \r\n".len())
            .sum::<usize>()
        + "\r\n\r\n".len()
        + body.len();
    let mut bytes = Vec::with_capacity(size);
    for part in front {
        bytes.extend_from_slice(part);
    }
    bytes.extend_from_slice(b"\r\n");
    let mut bytes = fields.fold(bytes, |mut bytes, (name, value)| {
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value);
        bytes.extend_from_slice(b"\r\n");
        bytes
    });
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    // `Bytes` takes over full storage as it is, and would have to remember the size of any other.
    Bytes::from(bytes)
}
