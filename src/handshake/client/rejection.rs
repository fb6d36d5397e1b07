//! A response that doesn't open a WebSocket, and as much of its body as has arrived.

use core::mem;

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{Response, StatusCode};

use crate::handshake::client::chunked::ChunkedDecoder;
use crate::handshake::field::{Field, number};

/// The server's final response when it isn't the 101 that was asked for (RFC 6455, section 4.1).
///
/// Its head is complete. To get the body as well, which often says why, keep reading until
/// [`is_complete`](Self::is_complete): the body is then all that the server sent, or as much as
/// [`ClientRequest::max_body_size`](super::ClientRequest::max_body_size) allows.
///
/// ```
/// use sansocket::handshake::{ClientHandshake, ClientRequest, Outcome};
///
/// let mut handshake = ClientHandshake::new(&ClientRequest::new("ws://a/".parse()?));
/// let mut bytes = *b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno";
/// let mut input = &mut bytes[..];
/// let Some(Outcome::Rejected(mut rejection)) = handshake.receive(&mut input)? else { panic!() };
/// rejection.receive(&mut input);
/// while !rejection.is_complete() {
///     // read, and give it to rejection.receive; stop at the end of the transport
/// }
/// assert_eq!(rejection.into_response().body(), b"no");
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Rejection {
    response: Response<Vec<u8>>,
    framing: Framing,
    max_body_size: usize,
}

/// Where the body ends (RFC 9112, section 6.3).
#[derive(Debug)]
enum Framing {
    /// After this many more bytes.
    Length(u64),
    /// Where its chunks say.
    Chunked(ChunkedDecoder),
    /// Where the transport does.
    Transport,
    /// Here.
    Complete,
}

impl Rejection {
    pub(super) fn new(head: Response<()>, max_body_size: usize) -> Self {
        let framing = Framing::of(&head);
        Self { response: head.map(|()| Vec::new()), framing, max_body_size }
    }

    /// Takes the bytes of the body off the front of `input`, and keeps the content without its framing.
    pub fn receive(&mut self, input: &mut &mut [u8]) {
        while !input.is_empty() && !self.is_complete() {
            let room = self.max_body_size.saturating_sub(self.response.body().len());
            let (taken, content) = match &mut self.framing {
                Framing::Length(left) => {
                    let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
                    *left -= taken as u64;
                    (taken, input.get(..taken))
                }
                Framing::Chunked(decoder) => decoder.decode(input),
                Framing::Transport => (input.len(), input.get(..)),
                Framing::Complete => (0, None),
            };
            let content = content.unwrap_or_default();
            let kept = content.get(..room).unwrap_or(content);
            self.response.body_mut().extend_from_slice(kept);
            *input = mem::take(input).get_mut(taken..).unwrap_or_default();
        }
    }

    /// Returns whether the body is complete, or as long as it may get.
    ///
    /// If this stays `false`, the body ends with the transport.
    pub fn is_complete(&self) -> bool {
        self.response.body().len() >= self.max_body_size
            || match &self.framing {
                Framing::Length(left) => *left == 0,
                Framing::Chunked(decoder) => decoder.is_complete(),
                Framing::Transport => false,
                Framing::Complete => true,
            }
    }

    /// Returns the response, with as much of the body as has arrived so far.
    pub const fn response(&self) -> &Response<Vec<u8>> {
        &self.response
    }

    /// Converts this into the response, with as much of the body as has arrived.
    pub fn into_response(self) -> Response<Vec<u8>> {
        self.response
    }
}

impl Framing {
    fn of(head: &Response<()>) -> Self {
        let headers = head.headers();
        // RFC 9112, §6.3 (1): these end with their head, whatever it says.
        if matches!(head.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
            return Self::Complete;
        }
        // (3) and (4): an encoding takes precedence over a length. An unknown one is left as it is.
        let encodings = Field::of(headers, &TRANSFER_ENCODING);
        if let Some(last) = encodings.elements().last() {
            return if last.eq_ignore_ascii_case(b"chunked") {
                Self::Chunked(ChunkedDecoder::default())
            } else {
                Self::Transport
            };
        }
        // (5) A length may be repeated. If there is no telling where the body ends, it isn't waited for.
        let field = Field::of(headers, &CONTENT_LENGTH);
        let mut lengths = field.elements().map(number);
        match (&field, lengths.next()) {
            (Field::Absent, _) => Self::Transport,
            (_, Some(Some(length))) if lengths.all(|other| other == Some(length)) => {
                Self::Length(length)
            }
            _ => Self::Complete,
        }
    }
}
