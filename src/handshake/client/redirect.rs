use http::header::LOCATION;
use http::{Response, StatusCode};

use crate::handshake::client::location;
use crate::handshake::client::request::ClientRequest;
use crate::handshake::field::{Field, text};
use crate::handshake::uri::{Scheme, WebSocketUri};

/// How many redirections a client will still follow, and where they lead (RFC 6455, section 4.1).
///
/// The default is to follow none: a redirection is then a rejection like any other.
///
/// ```
/// use sansocket::handshake::{ClientHandshake, ClientRequest, Outcome, Redirects};
///
/// let mut redirects = Redirects::up_to(3);
/// let request = ClientRequest::new("ws://example.com/chat?room=1".parse()?);
/// let mut handshake = ClientHandshake::new(&request);
///
/// let mut bytes = *b"HTTP/1.1 307 Moved\r\nLocation: https://chat.example.com/v2/\r\n\r\n";
/// let Some(Outcome::Rejected(rejection)) = handshake.receive(&mut &mut bytes[..])? else { panic!() };
/// if let Some(request) = redirects.follow(&request, rejection.response())? {
///     assert_eq!(request.uri().to_string(), "wss://chat.example.com/v2/");
///     // close the transport, connect to where this request goes, and begin a new handshake
/// }
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Redirects {
    limit: u32,
    followed: u32,
}

impl Redirects {
    /// Follows up to this many redirections, one after the other; the default is 0.
    pub const fn up_to(limit: u32) -> Self {
        Self { limit, followed: 0 }
    }

    /// Returns the next request to make after this one got this response.
    ///
    /// Returns `None`, which makes the response final, if it is not a redirection (301, 302, 303, 307 or
    /// 308), if it doesn't say where to in one valid `Location`, or if no redirections are followed.
    ///
    /// `Location` may be a `ws`, `wss`, `http` or `https` URI (the latter two stand for the former two),
    /// or relative to where the request went. If it leads to another host, port or scheme, the headers
    /// that prove the client's identity are omitted from then on: `Authorization`, `Cookie`,
    /// `Proxy-Authorization`, and those whose value was [marked as
    /// sensitive](http::HeaderValue::set_sensitive). Everything else is kept, including the limits, and
    /// the `Origin`: it is still the same page that asks.
    ///
    /// # Errors
    ///
    /// [`RedirectError`] if the response is a redirection that may not be followed.
    pub fn follow<B>(
        &mut self,
        request: &ClientRequest,
        response: &Response<B>,
    ) -> Result<Option<ClientRequest>, RedirectError> {
        let Some(uri) = target(request.uri(), response).filter(|_| self.limit > 0) else {
            return Ok(None);
        };
        if self.followed == self.limit {
            return Err(RedirectError::TooMany { limit: self.limit });
        }
        if (request.uri().scheme(), uri.scheme()) == (Scheme::Wss, Scheme::Ws) {
            return Err(RedirectError::Downgrade);
        }
        self.followed += 1;
        Ok(Some(request.redirected_to(uri)))
    }
}

/// Why a redirection may not be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RedirectError {
    /// As many as are allowed have already been followed.
    #[error("the server redirects more than {limit} times")]
    TooMany {
        /// How many may be followed.
        limit: u32,
    },
    /// It leads from `wss` to `ws`: what was meant to be secret would be readable.
    #[error("the server redirects from wss to ws")]
    Downgrade,
}

/// Returns where the response says the resource is.
fn target<B>(base: &WebSocketUri, response: &Response<B>) -> Option<WebSocketUri> {
    let (StatusCode::MOVED_PERMANENTLY
    | StatusCode::FOUND
    | StatusCode::SEE_OTHER
    | StatusCode::TEMPORARY_REDIRECT
    | StatusCode::PERMANENT_REDIRECT) = response.status()
    else {
        return None;
    };
    match Field::of(response.headers(), &LOCATION) {
        Field::Once(location) => location::resolve(base, text(location)?).ok(),
        Field::Absent | Field::Repeated(_) => None,
    }
}
