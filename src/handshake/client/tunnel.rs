//! Asking a proxy for a tunnel to the server (RFC 9110, section 9.3.6).

use core::fmt;

use bytes::Bytes;
use http::{Response, StatusCode};

use crate::handshake::client::error::ProxyResponseError;
use crate::handshake::client::proxy::Proxy;
use crate::handshake::client::rejection::Rejection;
use crate::handshake::client::request::ClientRequest;
use crate::handshake::client::response::ResponseReader;
use crate::handshake::encode;

/// What precedes a client's handshake if there is a proxy in between: the request for a tunnel,
/// until the proxy has answered it.
///
/// Send what [`outgoing`](Self::outgoing) holds, and nothing after it; then give
/// [`receive`](Self::receive) the bytes that arrive until it returns the outcome. After
/// [`ProxyOutcome::Tunnel`], the transport leads to the server, and you go on as on a direct
/// connection: with TLS if the scheme is `wss`, then with the
/// [`ClientHandshake`](super::ClientHandshake).
///
/// ```
/// use sansocket::handshake::{ClientRequest, Proxy, ProxyHandshake, ProxyOutcome};
///
/// let proxy: Proxy = "http://proxy.example.com:3128".parse()?;
/// let request = ClientRequest::new("ws://example.com/chat".parse()?);
/// let mut handshake = ProxyHandshake::new(&proxy, &request);
/// assert!(handshake.outgoing().starts_with(b"CONNECT example.com:80 HTTP/1.1\r\n"));
///
/// let mut bytes = *b"HTTP/1.1 200 Connection established\r\n\r\n";
/// match handshake.receive(&mut &mut bytes[..])? {
///     Some(ProxyOutcome::Tunnel(_)) => { /* begin as if this were the server */ }
///     Some(ProxyOutcome::Refused(rejection)) => panic!("{}", rejection.response().status()),
///     None => { /* read more, and come back */ }
/// }
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct ProxyHandshake {
    outgoing: Bytes,
    response: ResponseReader<ProxyResponseError>,
    max_body_size: usize,
}

/// What a proxy answered.
#[derive(Debug)]
pub enum ProxyOutcome {
    /// The tunnel is open. This is the proxy's response, for its headers.
    Tunnel(Response<()>),
    /// There is no tunnel: the proxy wants to know who is asking (407), or can't or won't reach the
    /// server.
    Refused(Rejection),
}

impl ProxyHandshake {
    /// Asks this proxy for a tunnel to the request's host and port.
    ///
    /// The proxy sees nothing else of the request. Its answer is subject to the same limits as the
    /// server's.
    pub fn new(proxy: &Proxy, request: &ClientRequest) -> Self {
        // RFC 9110, §9.3.6: the target is the authority, and always has its port. RFC 9112, §3.2:
        // the same goes into the Host field.
        let authority = request.uri().authority();
        let authorization = proxy.authorization();
        let authorization = authorization.map(|value| ("Proxy-Authorization", value.as_bytes()));
        let fields = [("Host", authority.as_bytes())].into_iter().chain(authorization);
        Self {
            outgoing: encode::connect(authority, fields),
            response: ResponseReader::new(request.head_limits),
            max_body_size: request.max_body_size,
        }
    }

    /// Returns the bytes of the request that are still to be sent; advance it past those written.
    pub const fn outgoing(&mut self) -> &mut Bytes {
        &mut self.outgoing
    }

    /// Takes bytes that have arrived, and returns the outcome once the final response's head is complete.
    ///
    /// What follows that head stays in `input`: it comes from the server, through the tunnel, or begins
    /// the body of the rejection.
    ///
    /// # Errors
    ///
    /// [`ProxyResponseError`] if the response is malformed, exceeds the limits, or switches protocols.
    /// The error is final, and each further call returns it again: close the transport.
    pub fn receive(
        &mut self,
        input: &mut &mut [u8],
    ) -> Result<Option<ProxyOutcome>, ProxyResponseError> {
        let Self { response, max_body_size, .. } = self;
        response.read(input, |head| match head.status {
            // RFC 9110, §7.8: a switch nobody asked for. What follows it is in an unknown protocol.
            StatusCode::SWITCHING_PROTOCOLS => Err(ProxyResponseError::Switched),
            // RFC 9110, §9.3.6: the tunnel begins after the blank line, whatever Content-Length and
            // Transfer-Encoding say. Any HTTP/1.x will do: there is no other protocol to agree on.
            status if status.is_success() => Ok(ProxyOutcome::Tunnel(head.to_response()?)),
            _ => Ok(ProxyOutcome::Refused(Rejection::new(head.to_response()?, *max_body_size))),
        })
    }

    /// Returns the error for a proxy that ends the transport before the response is complete, or the one
    /// that there was.
    pub fn receive_eof(self) -> ProxyResponseError {
        self.response.into_error().unwrap_or(ProxyResponseError::Truncated)
    }
}

impl fmt::Debug for ProxyHandshake {
    /// Omits what is outgoing, as it contains the password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { outgoing: _, response, max_body_size } = self;
        formatter
            .debug_struct("ProxyHandshake")
            .field("response", response)
            .field("max_body_size", max_body_size)
            .finish_non_exhaustive()
    }
}
