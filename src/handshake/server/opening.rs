//! Reading the client's request.

use http::Request;

use crate::handshake::head::{HeadLimits, HeadReader};
use crate::handshake::parse;
use crate::handshake::server::error::RequestError;
use crate::handshake::server::request_head::RequestHead;
use crate::handshake::sticky::Sticky;

/// The server's handshake while the request is still on its way.
///
/// Give it the bytes that arrive until it returns the request, then [`negotiate`] the answer.
/// A server that gets its requests from another HTTP library begins with [`negotiate`].
///
/// ```
/// use sansocket::handshake::{HeadLimits, Refusal, ServerHandshake};
///
/// let mut handshake = ServerHandshake::new(HeadLimits::default());
/// let mut bytes = *b"GET /chat HTTP/1.1\r\nHost: a\r\n\r\nwhat follows";
/// let mut input = &mut bytes[..];
/// match handshake.receive(&mut input) {
///     Ok(Some(request)) => assert_eq!(request.uri().path(), "/chat"),
///     Ok(None) => { /* read more, and come back */ }
///     Err(error) => {
///         let mut refusal = Refusal::from(error);
///         /* write refusal.outgoing(), and close */
///     }
/// }
/// assert_eq!(input, b"what follows");
/// ```
///
/// [`negotiate`]: super::negotiate
#[derive(Debug)]
pub struct ServerHandshake {
    head: HeadReader,
    failure: Sticky<RequestError>,
}

impl Default for ServerHandshake {
    fn default() -> Self {
        Self::new(HeadLimits::default())
    }
}

impl ServerHandshake {
    /// Creates a handshake with these limits for the request's head.
    pub const fn new(limits: HeadLimits) -> Self {
        Self { head: HeadReader::new(limits), failure: Sticky::new() }
    }

    /// Takes bytes that have arrived, and returns the request once its head is complete.
    ///
    /// The request can be any HTTP/1.0 or HTTP/1.1 request, including a browser's plain `GET`. What
    /// follows its head stays in `input`: after a successful handshake it is the first input of the
    /// connection. There is one request per connection, so don't call this again afterwards.
    ///
    /// # Errors
    ///
    /// [`RequestError`] if what arrives is not such a head, or exceeds the limits. The error is final,
    /// and each further call returns it again: answer with a [`Refusal`](super::Refusal), and close.
    pub fn receive(&mut self, input: &mut &mut [u8]) -> Result<Option<Request<()>>, RequestError> {
        self.failure.check()?;
        match parse::request(&mut self.head, input, |head| head.to_request()) {
            Ok(None) => Ok(None),
            Ok(Some(Ok(request))) => Ok(Some(request)),
            Ok(Some(Err(error))) | Err(error) => Err(self.failure.keep(error)),
        }
    }

    /// Takes bytes that have arrived, and passes the request to `take` once its head is complete.
    ///
    /// It is [`receive`](Self::receive) for a server that answers at once: a request that is complete
    /// in the input is neither copied nor turned into a map of headers.
    ///
    /// ```
    /// use sansocket::handshake::{Answer, Decision, ServerHandshake};
    ///
    /// let mut handshake = ServerHandshake::default();
    /// let mut bytes = *b"GET /chat HTTP/1.1\r\nHost: a\r\n\r\n";
    /// let answer = handshake.receive_head(&mut &mut bytes[..], |request| {
    ///     request.negotiate(|_upgrade| Decision::accept()) // or by request.uri().path()
    /// })?;
    /// match answer.transpose()? {
    ///     Some(Answer::Accepted(mut accepted)) => { /* write accepted.outgoing() */ }
    ///     Some(Answer::Refused(refusal)) => assert_eq!(refusal.response().status(), 426),
    ///     None => { /* read more, and come back */ }
    /// }
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`receive`](Self::receive).
    pub fn receive_head<T>(
        &mut self,
        input: &mut &mut [u8],
        take: impl FnOnce(RequestHead<'_>) -> T,
    ) -> Result<Option<T>, RequestError> {
        self.failure.check()?;
        parse::request(&mut self.head, input, take).map_err(|error| self.failure.keep(error))
    }

    /// Returns the error for a client that ends the transport before the request is complete, or the one that there was.
    pub fn receive_eof(self) -> RequestError {
        self.failure.into_error().unwrap_or(RequestError::Truncated)
    }
}
