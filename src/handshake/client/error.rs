use http::header::HeaderName;

#[cfg(feature = "deflate")]
use crate::extension::DeflateResponseError;
use crate::extension::UnusableResponse;
use crate::handshake::head::HeadError;

/// How a server's response falls short of an opening handshake (RFC 6455, section 4.1).
///
/// There is one variant per rule. Whichever it is, the connection fails, and nothing may be sent on
/// it. A correct response that refuses is not an error: see [`Rejection`](super::Rejection).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResponseError {
    /// What arrived is not the head of an HTTP/1.1 response, or exceeds a limit.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// The transport ended before the response was complete.
    #[error("the connection ended before the response was complete")]
    Truncated,
    /// The response that switches protocols is HTTP/1.0, which has no upgrade.
    #[error("the server answers with HTTP/1.0, which has no upgrade")]
    Version,
    /// `Upgrade` isn't a single `websocket`.
    #[error("the Upgrade field of the response is not websocket")]
    Upgrade,
    /// `Connection` doesn't name `Upgrade`.
    #[error("the Connection field of the response does not name Upgrade")]
    Connection,
    /// `Sec-WebSocket-Accept` is missing.
    #[error("the Sec-WebSocket-Accept field is missing")]
    MissingAccept,
    /// `Sec-WebSocket-Accept` appears more than once.
    #[error("the Sec-WebSocket-Accept field is repeated")]
    RepeatedAccept,
    /// `Sec-WebSocket-Accept` doesn't answer the key that was sent.
    #[error("the Sec-WebSocket-Accept field does not answer the key that was sent")]
    WrongAccept,
    /// `Sec-WebSocket-Protocol` appears more than once.
    #[error("the Sec-WebSocket-Protocol field is repeated")]
    RepeatedSubprotocol,
    /// `Sec-WebSocket-Protocol` isn't one token.
    #[error("the Sec-WebSocket-Protocol field is not one token")]
    InvalidSubprotocol,
    /// The subprotocol is none of those that were offered.
    #[error("the server chose the subprotocol {0:?}, which was not offered")]
    UnrequestedSubprotocol(String),
    /// `Sec-WebSocket-Extensions` breaks the grammar of section 9.1, or appears more than once (section 11.3.2).
    #[error("the Sec-WebSocket-Extensions field is malformed or repeated")]
    Extensions,
    /// The extension is none of those that were offered, or appears twice.
    #[error("the server uses the extension {0:?}, which was not offered")]
    UnrequestedExtension(String),
    /// The parameters of permessage-deflate don't correspond to those that were offered.
    #[cfg(feature = "deflate")]
    #[error(transparent)]
    Deflate(#[from] DeflateResponseError),
}

impl From<UnusableResponse> for ResponseError {
    fn from(unusable: UnusableResponse) -> Self {
        match unusable {
            UnusableResponse::Unrequested(name) => Self::UnrequestedExtension(name),
            #[cfg(feature = "deflate")]
            UnusableResponse::Deflate(error) => Self::Deflate(error),
        }
    }
}

impl ResponseError {
    /// Returns the section that states the rule, such as `RFC 6455, section 4.1`.
    pub const fn section(&self) -> &'static str {
        match self {
            Self::Head(_) => "RFC 9112, section 2.1",
            Self::Version => "RFC 9110, section 7.8",
            Self::Extensions => "RFC 6455, section 9.1",
            #[cfg(feature = "deflate")]
            Self::Deflate(_) => "RFC 7692, section 7.1",
            _ => "RFC 6455, section 4.1",
        }
    }
}

/// How a proxy's response falls short of an answer to CONNECT (RFC 9110, section 9.3.6).
///
/// A correct response that refuses is not an error: see [`ProxyOutcome`](super::ProxyOutcome).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyResponseError {
    /// What arrived is not the head of an HTTP/1.1 response, or exceeds a limit.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// The transport ended before the response was complete.
    #[error("the connection ended before the proxy's response was complete")]
    Truncated,
    /// The proxy switches to another protocol, which nobody asked for.
    #[error("the proxy switches to another protocol")]
    Switched,
}

/// An option that can't be part of a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionError {
    /// The header is part of the handshake, so the caller may not set it: what may be chosen has an option of its
    /// own, as [`origin`](super::ClientRequest::origin) and [`subprotocol`](super::ClientRequest::subprotocol).
    #[error("the header {0} is part of the handshake, and set by its own option if at all")]
    OwnedHeader(HeaderName),
    /// The name of the header is not a token (RFC 9110, section 5.1).
    #[error("{0:?} is not the name of a header")]
    InvalidHeaderName(String),
    /// The value of the header contains a control character, such as a line break.
    #[error("the value of the header {0} contains a control character")]
    InvalidHeaderValue(HeaderName),
    /// The value of the header contains characters outside ASCII.
    #[error("the value of the header {0} is not ASCII")]
    NonAsciiHeader(HeaderName),
    /// The subprotocol is not a token: it is empty, or has spaces or separators (section 4.1).
    #[error("the subprotocol {0:?} is not a token")]
    InvalidSubprotocol(String),
    /// The subprotocol is offered more than once (section 4.1).
    #[error("the subprotocol {0:?} is offered twice")]
    RepeatedSubprotocol(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(not(feature = "deflate"))]
    const LAST: Option<ResponseError> = None;
    #[cfg(feature = "deflate")]
    const LAST: Option<ResponseError> =
        Some(ResponseError::Deflate(DeflateResponseError::OtherExtension));

    /// The section of an error, and the error whose turn is next. Without a wildcard, so that a further variant
    /// needs a row.
    fn row(error: &ResponseError) -> (&'static str, Option<ResponseError>) {
        use ResponseError::*;
        match error {
            Head(_) => ("RFC 9112, section 2.1", Some(Truncated)),
            Truncated => ("RFC 6455, section 4.1", Some(Version)),
            Version => ("RFC 9110, section 7.8", Some(Upgrade)),
            Upgrade => ("RFC 6455, section 4.1", Some(Connection)),
            Connection => ("RFC 6455, section 4.1", Some(MissingAccept)),
            MissingAccept => ("RFC 6455, section 4.1", Some(RepeatedAccept)),
            RepeatedAccept => ("RFC 6455, section 4.1", Some(WrongAccept)),
            WrongAccept => ("RFC 6455, section 4.1", Some(RepeatedSubprotocol)),
            RepeatedSubprotocol => ("RFC 6455, section 4.1", Some(InvalidSubprotocol)),
            InvalidSubprotocol => {
                ("RFC 6455, section 4.1", Some(UnrequestedSubprotocol(String::new())))
            }
            UnrequestedSubprotocol(_) => {
                ("RFC 6455, section 4.1", Some(UnrequestedExtension(String::new())))
            }
            UnrequestedExtension(_) => ("RFC 6455, section 4.1", Some(Extensions)),
            Extensions => ("RFC 6455, section 9.1", LAST),
            #[cfg(feature = "deflate")]
            Deflate(_) => ("RFC 7692, section 7.1", None),
        }
    }

    #[test]
    fn each_error_has_its_section() {
        let mut next = Some(ResponseError::Head(HeadError::StartLine));
        while let Some(error) = next {
            let (section, following) = row(&error);
            assert_eq!(error.section(), section, "{error}");
            next = following;
        }
    }
}
