use http::StatusCode;

use crate::handshake::head::HeadError;

/// How a client's request falls short of an opening handshake (RFC 6455, section 4.2.1).
///
/// There is one variant per rule. The error determines the answer: `Refusal::from(error)`.
///
/// ```
/// use sansocket::http::StatusCode;
/// use sansocket::handshake::{Refusal, RequestError};
///
/// assert_eq!(RequestError::Method.status(), StatusCode::METHOD_NOT_ALLOWED);
/// assert_eq!(Refusal::from(RequestError::Method).response().headers()["allow"], "GET");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// What arrived is not the head of an HTTP/1.1 request, or exceeds a limit.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// The transport ended before the request was complete.
    #[error("the connection ended before the request was complete")]
    Truncated,
    /// The method isn't GET.
    #[error("the method of an opening handshake is GET")]
    Method,
    /// The version is not HTTP/1.1: older ones have no upgrade, and HTTP/2 and HTTP/3 open a
    /// WebSocket in another way (RFC 8441, RFC 9220).
    #[error("an opening handshake needs HTTP/1.1")]
    Version,
    /// The target is neither a path nor an absolute `http` or `https` URI.
    #[error("the request target is neither a path nor an absolute http URI")]
    Target,
    /// The target is longer than a whole head may be, or than 65,534 bytes.
    #[error("the request target is too long")]
    TargetTooLong,
    /// `Host` is missing.
    #[error("the Host field is missing")]
    MissingHost,
    /// `Host` appears more than once.
    #[error("the Host field is repeated")]
    RepeatedHost,
    /// `Host` is not a host with an optional port.
    #[error("the Host field is not valid")]
    InvalidHost,
    /// `Transfer-Encoding` announces a body.
    #[error("an opening handshake has no body, and so no Transfer-Encoding")]
    TransferEncoding,
    /// `Content-Length` is not a single zero.
    #[error("an opening handshake has no body, and so no Content-Length above 0")]
    ContentLength,
    /// `Upgrade` doesn't ask for `websocket`: the request is for something other than a WebSocket.
    #[error("this resource is a WebSocket: the Upgrade field has to name websocket")]
    Upgrade,
    /// `Connection` doesn't name `Upgrade`.
    #[error("the Connection field has to name Upgrade")]
    Connection,
    /// `Sec-WebSocket-Version` isn't a single `13`.
    #[error("the version of the WebSocket protocol has to be 13")]
    WebSocketVersion,
    /// `Sec-WebSocket-Key` is missing.
    #[error("the Sec-WebSocket-Key field is missing")]
    MissingKey,
    /// `Sec-WebSocket-Key` appears more than once.
    #[error("the Sec-WebSocket-Key field is repeated")]
    RepeatedKey,
    /// `Sec-WebSocket-Key` isn't the base64 of 16 bytes.
    #[error("the Sec-WebSocket-Key field is not the base64 of 16 bytes")]
    InvalidKey,
    /// `Sec-WebSocket-Protocol` isn't a list of at least one token.
    #[error("the Sec-WebSocket-Protocol field is not a list of tokens")]
    Subprotocols,
    /// `Sec-WebSocket-Extensions` breaks the grammar of section 9.1.
    #[error("the Sec-WebSocket-Extensions field is malformed")]
    Extensions,
    /// The page that opens the connection has an origin that is not allowed to (section 10.2).
    #[error("connections from this origin are not allowed")]
    Origin,
}

impl RequestError {
    /// Returns the status code of the answer to such a request.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Head(HeadError::TooLarge { .. } | HeadError::TooManyHeaders { .. }) => {
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
            }
            Self::Head(HeadError::Version) | Self::Version => {
                StatusCode::HTTP_VERSION_NOT_SUPPORTED
            }
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::TargetTooLong => StatusCode::URI_TOO_LONG,
            // RFC 9110, §15.5.22, for a request that would be fine with another protocol, and
            // RFC 6455, §4.2.2, for one that would be fine with another version of it.
            Self::Upgrade | Self::WebSocketVersion => StatusCode::UPGRADE_REQUIRED,
            Self::Origin => StatusCode::FORBIDDEN,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// Returns the section that states the rule, such as `RFC 6455, section 4.2.1`.
    pub const fn section(&self) -> &'static str {
        match self {
            Self::Head(_) => "RFC 9112, section 2.1",
            Self::TargetTooLong => "RFC 9112, section 3",
            Self::TransferEncoding | Self::ContentLength => "RFC 9112, section 6.3",
            Self::Extensions => "RFC 6455, section 9.1",
            Self::Origin => "RFC 6455, section 10.2",
            _ => "RFC 6455, section 4.2.1",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The status and the section of an error, and the error whose turn is next. Without a wildcard, so that a
    /// further variant needs a row.
    fn row(error: RequestError) -> (u16, &'static str, Option<RequestError>) {
        use RequestError::*;
        match error {
            Head(HeadError::TooLarge { .. }) => {
                (431, "RFC 9112, section 2.1", Some(Head(HeadError::TooManyHeaders { limit: 1 })))
            }
            Head(HeadError::TooManyHeaders { .. }) => {
                (431, "RFC 9112, section 2.1", Some(Head(HeadError::BareLineFeed)))
            }
            Head(HeadError::BareLineFeed) => {
                (400, "RFC 9112, section 2.1", Some(Head(HeadError::BareCarriageReturn)))
            }
            Head(HeadError::BareCarriageReturn) => {
                (400, "RFC 9112, section 2.1", Some(Head(HeadError::Tls)))
            }
            Head(HeadError::Tls) => {
                (400, "RFC 9112, section 2.1", Some(Head(HeadError::ControlCharacter)))
            }
            Head(HeadError::ControlCharacter) => {
                (400, "RFC 9112, section 2.1", Some(Head(HeadError::FoldedHeader)))
            }
            Head(HeadError::FoldedHeader) => {
                (400, "RFC 9112, section 2.1", Some(Head(HeadError::StartLine)))
            }
            Head(HeadError::StartLine) => {
                (400, "RFC 9112, section 2.1", Some(Head(HeadError::Version)))
            }
            Head(HeadError::Version) => {
                (505, "RFC 9112, section 2.1", Some(Head(HeadError::HeaderName)))
            }
            Head(HeadError::HeaderName) => {
                (400, "RFC 9112, section 2.1", Some(Head(HeadError::HeaderValue)))
            }
            Head(HeadError::HeaderValue) => (400, "RFC 9112, section 2.1", Some(Truncated)),
            Truncated => (400, "RFC 6455, section 4.2.1", Some(Method)),
            Method => (405, "RFC 6455, section 4.2.1", Some(Version)),
            Version => (505, "RFC 6455, section 4.2.1", Some(Target)),
            Target => (400, "RFC 6455, section 4.2.1", Some(TargetTooLong)),
            TargetTooLong => (414, "RFC 9112, section 3", Some(MissingHost)),
            MissingHost => (400, "RFC 6455, section 4.2.1", Some(RepeatedHost)),
            RepeatedHost => (400, "RFC 6455, section 4.2.1", Some(InvalidHost)),
            InvalidHost => (400, "RFC 6455, section 4.2.1", Some(TransferEncoding)),
            TransferEncoding => (400, "RFC 9112, section 6.3", Some(ContentLength)),
            ContentLength => (400, "RFC 9112, section 6.3", Some(Upgrade)),
            Upgrade => (426, "RFC 6455, section 4.2.1", Some(Connection)),
            Connection => (400, "RFC 6455, section 4.2.1", Some(WebSocketVersion)),
            WebSocketVersion => (426, "RFC 6455, section 4.2.1", Some(MissingKey)),
            MissingKey => (400, "RFC 6455, section 4.2.1", Some(RepeatedKey)),
            RepeatedKey => (400, "RFC 6455, section 4.2.1", Some(InvalidKey)),
            InvalidKey => (400, "RFC 6455, section 4.2.1", Some(Subprotocols)),
            Subprotocols => (400, "RFC 6455, section 4.2.1", Some(Extensions)),
            Extensions => (400, "RFC 6455, section 9.1", Some(Origin)),
            Origin => (403, "RFC 6455, section 10.2", None),
        }
    }

    #[test]
    fn each_error_has_its_status_and_its_section() {
        let mut next = Some(RequestError::Head(HeadError::TooLarge { limit: 1 }));
        while let Some(error) = next {
            let (status, section, following) = row(error);
            assert_eq!((error.status().as_u16(), error.section()), (status, section), "{error}");
            next = following;
        }
    }
}
