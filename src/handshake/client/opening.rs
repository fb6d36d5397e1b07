//! The request on its way, and the response to it.

use core::fmt;

use bytes::Bytes;
use http::StatusCode;

use crate::entropy::Entropy;
use crate::handshake::accept_key::SecWebSocketKey;
use crate::handshake::client::error::ResponseError;
use crate::handshake::client::established::{Established, Expectation};
use crate::handshake::client::rejection::Rejection;
use crate::handshake::client::request::ClientRequest;
use crate::handshake::client::response::ResponseReader;

/// The client's handshake until the final response has arrived.
///
/// Send what [`outgoing`](Self::outgoing) holds, and nothing after it; then give
/// [`receive`](Self::receive) the bytes that arrive until it returns the outcome.
///
/// ```
/// use sansocket::{Config, handshake::{ClientHandshake, ClientRequest, Outcome, ResponseError}};
///
/// let request = ClientRequest::new("ws://example.com/chat".parse()?);
/// let mut handshake = ClientHandshake::new(&request);
/// assert!(handshake.outgoing().starts_with(b"GET /chat HTTP/1.1\r\nHost: example.com\r\n"));
///
/// let mut bytes = *b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
/// match handshake.receive(&mut &mut bytes[..])? {
///     Some(Outcome::Established(established)) => {
///         let connection = established.into_connection(Config::default());
///     }
///     Some(Outcome::Rejected(rejection)) => assert_eq!(rejection.into_response().status(), 404),
///     None => { /* read more, and come back */ }
/// }
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct ClientHandshake {
    outgoing: Bytes,
    response: ResponseReader<ResponseError>,
    expectation: Expectation,
    entropy: Entropy,
    max_body_size: usize,
}

impl fmt::Debug for ClientHandshake {
    /// Omits the request, which may contain secrets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ClientHandshake").finish_non_exhaustive()
    }
}

/// What became of a client's handshake.
#[derive(Debug)]
pub enum Outcome {
    /// The WebSocket connection is established.
    Established(Established),
    /// The server answered with something else: an error, a redirection, a request to authenticate.
    Rejected(Rejection),
}

impl ClientHandshake {
    /// Creates a handshake for this request, with a fresh key.
    pub fn new(request: &ClientRequest) -> Self {
        Self::with_entropy(request, Entropy::default())
    }

    /// Creates a handshake for this request that takes its key, and the connection's masking keys,
    /// from this source.
    pub fn with_entropy(request: &ClientRequest, entropy: Entropy) -> Self {
        let key = SecWebSocketKey::generate(&entropy);
        Self {
            outgoing: request.encode(key),
            response: ResponseReader::new(request.head_limits),
            expectation: Expectation::new(
                key.accept(),
                request.subprotocols().to_vec(),
                request.extensions.clone(),
            ),
            entropy,
            max_body_size: request.max_body_size,
        }
    }

    /// Returns the bytes of the request that are still to be sent; advance it past those written.
    pub const fn outgoing(&mut self) -> &mut Bytes {
        &mut self.outgoing
    }

    /// Takes bytes that have arrived, and returns the outcome once the final response's head is complete.
    ///
    /// What follows that head stays in `input`: it is the first input of the connection, or of the
    /// rejection, whose body it begins.
    ///
    /// # Errors
    ///
    /// [`ResponseError`] if the response is malformed, exceeds the limits, or switches protocols in a
    /// way other than was asked for. The error is final, and each further call returns it again: close
    /// the transport.
    pub fn receive(&mut self, input: &mut &mut [u8]) -> Result<Option<Outcome>, ResponseError> {
        let Self { response, expectation, entropy, max_body_size, .. } = self;
        response.read(input, |head| match head.status {
            StatusCode::SWITCHING_PROTOCOLS => {
                let terms = expectation.check(&head)?;
                let response = head.to_response()?;
                Ok(Outcome::Established(Established::new(response, terms, entropy.clone())))
            }
            _ => Ok(Outcome::Rejected(Rejection::new(head.to_response()?, *max_body_size))),
        })
    }

    /// Returns the error for a server that ends the transport before the response is complete, or the one
    /// that there was.
    pub fn receive_eof(self) -> ResponseError {
        self.response.into_error().unwrap_or(ResponseError::Truncated)
    }
}
