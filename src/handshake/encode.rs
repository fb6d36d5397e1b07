//! Writing the head of a request or response (RFC 9112, section 2.1).
//!
//! What is written is made of types that can't hold a line break: numbers, tokens, `HeaderName`,
//! `HeaderValue` and the checked parts of a URI.

use bytes::Bytes;
use http::{StatusCode, header::HeaderValue};

/// Whether a value may be written: a `HeaderValue` can't hold a line break, but it can hold what isn't
/// ASCII.
pub(super) fn is_ascii(value: &HeaderValue) -> bool {
    value.to_str().is_ok()
}

/// A head in the making: a first line, fields, and the blank line.
#[derive(Debug)]
pub(super) struct HeadWriter(Vec<u8>);

impl HeadWriter {
    /// Begins the request for this resource, `/` and what follows it.
    pub(super) fn get(resource_name: &str) -> Self {
        Self::request("GET", resource_name)
    }

    /// Begins the request for a tunnel to this host and port.
    pub(super) fn connect(authority: &str) -> Self {
        Self::request("CONNECT", authority)
    }

    /// Begins a response. A status without a registered reason gets an empty one.
    pub(super) fn status(status: StatusCode) -> Self {
        let mut head = Self(Vec::with_capacity(256));
        head.0.extend_from_slice(b"HTTP/1.1 ");
        head.0.extend_from_slice(status.as_str().as_bytes());
        // RFC 9112, §4: the space is there also when no reason follows.
        head.0.push(b' ');
        head.0.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
        head.0.extend_from_slice(b"\r\n");
        head
    }

    /// Adds a field.
    pub(super) fn field(&mut self, name: &str, value: impl AsRef<[u8]>) {
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b": ");
        self.0.extend_from_slice(value.as_ref());
        self.0.extend_from_slice(b"\r\n");
    }

    /// Ends the head, and appends a body.
    pub(super) fn finish(mut self, body: &[u8]) -> Bytes {
        self.0.extend_from_slice(b"\r\n");
        self.0.extend_from_slice(body);
        Bytes::from(self.0)
    }

    fn request(method: &str, target: &str) -> Self {
        let mut head = Self(Vec::with_capacity(256 + target.len()));
        head.0.extend_from_slice(method.as_bytes());
        head.0.push(b' ');
        head.0.extend_from_slice(target.as_bytes());
        head.0.extend_from_slice(b" HTTP/1.1\r\n");
        head
    }
}
