use bytes::Bytes;
use http::header::{
    ALLOW, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue,
    SEC_WEBSOCKET_VERSION, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, Response, StatusCode, Version};

use crate::handshake::encode;
use crate::handshake::server::decision::{DecisionError, all_ascii};
use crate::handshake::server::error::RequestError;

/// An HTTP response that ends the handshake without a WebSocket.
///
/// It always says `Connection: close` and, if its status allows a body, how long the body is. Once
/// it is sent, close the transport as RFC 9112, section 9.6, describes: the writing side first, so
/// that the client gets to read the response.
///
/// ```
/// use sansocket::handshake::{Refusal, RequestError};
///
/// let mut refusal = Refusal::from(RequestError::WebSocketVersion);
/// assert_eq!(refusal.response().status(), 426);
/// assert_eq!(refusal.response().headers()["sec-websocket-version"], "13");
/// assert!(refusal.outgoing().starts_with(b"HTTP/1.1 426 Upgrade Required\r\n"));
/// ```
#[derive(Debug)]
pub struct Refusal {
    response: Response<Bytes>,
    outgoing: Bytes,
    /// What was wrong with the request, if that is why.
    error: Option<RequestError>,
}

impl Refusal {
    /// Refuses with the application's own response.
    ///
    /// `Connection`, `Content-Length`, `Keep-Alive`, `Trailer` and `Transfer-Encoding` are replaced
    /// as appropriate, and the version is HTTP/1.1.
    ///
    /// # Errors
    ///
    /// [`DecisionError`] if the status is informational, if it allows no body and the response has
    /// one, or if the value of a header isn't ASCII.
    pub fn new(mut response: Response<Bytes>) -> Result<Self, DecisionError> {
        let status = response.status();
        // A 101 would open a WebSocket, and no other 1xx ends anything.
        if status.is_informational() {
            return Err(DecisionError::InformationalStatus(status));
        }
        if !response.body().is_empty() && has_no_body(status) {
            return Err(DecisionError::BodyForbidden(status));
        }
        all_ascii(response.headers().iter())?;
        frame(&mut response);
        Ok(Self::encode(response))
    }

    /// Returns the response as a value, for a server that sends it with an HTTP library.
    pub const fn response(&self) -> &Response<Bytes> {
        &self.response
    }

    /// Converts this into the response as a value.
    pub fn into_response(self) -> Response<Bytes> {
        self.response
    }

    /// Returns the bytes of the response that are still to be sent; advance it past those written.
    pub const fn outgoing(&mut self) -> &mut Bytes {
        &mut self.outgoing
    }

    /// Returns what was wrong with the request, if that is why it is refused.
    #[cfg_attr(not(feature = "blocking"), expect(dead_code, reason = "only the servers tell it"))]
    pub(crate) const fn error(&self) -> Option<RequestError> {
        self.error
    }

    /// Turns this into the answer to a HEAD request: the headers that describe the body, but no body.
    pub(super) fn without_content(mut self) -> Self {
        let body = self.response.body_mut();
        self.outgoing.truncate(self.outgoing.len().saturating_sub(body.len()));
        body.clear();
        self
    }

    /// Creates one of the library's own responses: a line of text, and the headers that the status
    /// calls for.
    fn plain_text(status: StatusCode, reason: &str, headers: HeaderMap) -> Self {
        let mut response = Response::new(Bytes::from(format!("{reason}\n")));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        frame(&mut response);
        Self::encode(response)
    }

    fn encode(response: Response<Bytes>) -> Self {
        let headers = response.headers().iter();
        let fields: Vec<_> =
            headers.map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let outgoing = encode::response(response.status(), fields.into_iter(), response.body());
        Self { response, outgoing, error: None }
    }
}

impl From<RequestError> for Refusal {
    /// Answers a request that is not a valid opening handshake.
    fn from(error: RequestError) -> Self {
        let mut headers = HeaderMap::new();
        match error.status() {
            // RFC 9110, §15.5.6: which methods there are.
            StatusCode::METHOD_NOT_ALLOWED => {
                headers.insert(ALLOW, HeaderValue::from_static("GET"));
            }
            // §4.2.2 and §4.4: which version would be accepted. RFC 9110, §15.5.22: which protocol.
            StatusCode::UPGRADE_REQUIRED => {
                headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
                headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
            }
            _ => {}
        }
        let refusal = Self::plain_text(error.status(), &error.to_string(), headers);
        Self { error: Some(error), ..refusal }
    }
}

impl From<DecisionError> for Refusal {
    /// Answers with a 500, which doesn't tell the client what went wrong inside.
    fn from(_: DecisionError) -> Self {
        let reason = "the server failed to answer the request";
        Self::plain_text(StatusCode::INTERNAL_SERVER_ERROR, reason, HeaderMap::new())
    }
}

/// Sets the headers that say where the response ends and that the connection ends with it.
fn frame(response: &mut Response<Bytes>) {
    *response.version_mut() = Version::HTTP_11;
    let length = response.body().len();
    let status = response.status();
    let headers = response.headers_mut();
    for name in [CONTENT_LENGTH, TRAILER, TRANSFER_ENCODING, HeaderName::from_static("keep-alive")]
    {
        headers.remove(name);
    }
    // RFC 9110, §7.8: a sender of `Upgrade` names it in `Connection`.
    let connection = if headers.contains_key(UPGRADE) { "Upgrade, close" } else { "close" };
    headers.insert(CONNECTION, HeaderValue::from_static(connection));
    // RFC 9110, §8.6: a 204 must not have it, and in a 304 it would describe another response.
    if !matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
}

/// Returns whether this status forbids a body (RFC 9110, §6.4.1, and §15.3.6 for the 205).
const fn has_no_body(status: StatusCode) -> bool {
    matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED)
}
