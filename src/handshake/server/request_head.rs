use core::fmt;

use http::header::HeaderName;
use http::{Method, Request, Uri, Version};

use crate::handshake::parse::HeaderLines;
use crate::handshake::server::decision::{self, Answer, Decision, DecisionError};
use crate::handshake::server::error::RequestError;
use crate::handshake::server::upgrade_request::UpgradeRequest;

/// A request whose header lines are still where they arrived.
///
/// [`ServerHandshake::receive_head`](super::ServerHandshake::receive_head) lends it for as long as
/// answering it takes. Only the target was copied, unless the head arrived in pieces.
///
/// ```
/// use sansocket::http::{StatusCode, header::{COOKIE, HeaderValue}};
/// use sansocket::handshake::{Acceptance, Answer, Decision, ServerHandshake};
///
/// let mut bytes = *b"GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\
///     Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nCookie: id=7\r\n\
///     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
/// let answer = ServerHandshake::default().receive_head(&mut &mut bytes[..], |request| {
///     request.negotiate(|_upgrade| match request.header_values(&COOKIE).next() {
///         Some(b"id=7") => Acceptance::new().into(),
///         _ => {
///             let text = HeaderValue::from_static("text/plain");
///             Decision::reply(StatusCode::FORBIDDEN, text, "log in first")
///         }
///     })
/// });
/// assert!(matches!(answer, Ok(Some(Ok(Answer::Accepted(_))))));
/// ```
pub struct RequestHead<'head> {
    method: Method,
    uri: Uri,
    version: Version,
    fields: HeaderLines<'head>,
}

impl<'head> RequestHead<'head> {
    pub(in crate::handshake) const fn new(
        method: Method,
        uri: Uri,
        version: Version,
        fields: HeaderLines<'head>,
    ) -> Self {
        Self { method, uri, version, fields }
    }

    /// Returns the method.
    pub const fn method(&self) -> &Method {
        &self.method
    }

    /// Returns the target.
    pub const fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Returns the version: HTTP/1.0 or HTTP/1.1.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Returns the values of the header lines with this name, in order.
    pub fn header_values(&self, name: &HeaderName) -> impl Iterator<Item = &[u8]> {
        self.fields.named(name)
    }

    /// Checks that this is an opening handshake, as [`UpgradeRequest::parse`] does.
    ///
    /// # Errors
    ///
    /// The [`RequestError`] for the first rule that is found broken.
    pub fn upgrade(&self) -> Result<UpgradeRequest<'_>, RequestError> {
        UpgradeRequest::of(&self.method, &self.uri, self.version, self.fields.of_the_handshake())
    }

    /// Answers the request, as [`negotiate`](super::negotiate) does.
    ///
    /// # Errors
    ///
    /// [`DecisionError`] if the decision can't be carried out. `Refusal::from` turns it into a 500.
    pub fn negotiate(
        &self,
        decide: impl FnOnce(Result<&UpgradeRequest<'_>, &RequestError>) -> Decision,
    ) -> Result<Answer, DecisionError> {
        decision::answer(&self.method, self.upgrade(), |upgrade| Ok(decide(upgrade)))
    }

    /// Does the same for a server that may itself find something wrong with the request.
    #[cfg(feature = "blocking")]
    pub(crate) fn judge(
        &self,
        decide: impl FnOnce(
            Result<&UpgradeRequest<'_>, &RequestError>,
        ) -> Result<Decision, RequestError>,
    ) -> Result<Answer, DecisionError> {
        decision::answer(&self.method, self.upgrade(), decide)
    }

    /// Returns the request as a value, with all of its headers.
    ///
    /// # Errors
    ///
    /// [`RequestError::Head`] if it has a header that a `HeaderMap` can't hold, because its name is
    /// longer than 65,535 bytes.
    pub fn to_request(&self) -> Result<Request<()>, RequestError> {
        let mut request = Request::new(());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.version_mut() = self.version;
        *request.headers_mut() = self.fields.to_map()?;
        Ok(request)
    }
}

impl fmt::Debug for RequestHead<'_> {
    /// Omits the headers, which may contain secrets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RequestHead")
            .field("method", &self.method)
            .field("uri", &self.uri)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}
