//! WebSocket URIs (RFC 6455, section 3).

use core::fmt;
use core::str::FromStr;

use http::Uri;

use crate::handshake::authority::{Authority, AuthorityError, without_brackets};

/// The scheme of a WebSocket URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `ws`: over plain TCP.
    Ws,
    /// `wss`: over TLS. The handshake is the same; the connection below it isn't.
    Wss,
}

impl Scheme {
    /// Returns the port that is meant if a URI names none: 80 or 443.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Ws => 80,
            Self::Wss => 443,
        }
    }

    /// Returns the scheme as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ws => "ws",
            Self::Wss => "wss",
        }
    }
}

/// A `ws:` or `wss:` URI: where to connect to, and what to ask for there.
///
/// ```
/// use sansocket::handshake::{Scheme, WebSocketUri};
///
/// let uri: WebSocketUri = "ws://[::1]:9001?room=1".parse()?;
/// assert_eq!(uri.scheme(), Scheme::Ws);
/// assert_eq!(uri.host(), "::1");
/// assert_eq!(uri.port(), 9001);
/// assert_eq!(uri.host_field(), "[::1]:9001");
/// assert_eq!(uri.resource_name(), "/?room=1");
/// # Ok::<_, sansocket::handshake::UriError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WebSocketUri {
    scheme: Scheme,
    /// Host and port, even if that is the scheme's default.
    authority: String,
    port: u16,
    resource_name: String,
}

impl WebSocketUri {
    /// Returns the scheme, which says whether to connect over TLS.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Returns the host to connect to: a name or an address, without the brackets of an IPv6 address.
    pub fn host(&self) -> &str {
        without_brackets(self.bracketed_host())
    }

    /// Returns the port to connect to: never 0, and the scheme's default if the URI names none.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Returns the value of the `Host` field (section 4.1).
    ///
    /// It has the port only if that isn't the scheme's default, and an IPv6 address in its brackets.
    pub fn host_field(&self) -> &str {
        if self.port == self.scheme.default_port() {
            self.bracketed_host()
        } else {
            &self.authority
        }
    }

    /// Returns host and port, even if that is the scheme's default.
    pub(super) fn authority(&self) -> &str {
        &self.authority
    }

    /// Returns whether scheme, host and port are the same (RFC 6454, section 5).
    pub(super) fn has_same_origin(&self, other: &Self) -> bool {
        self.scheme == other.scheme && self.authority.eq_ignore_ascii_case(&other.authority)
    }

    /// Returns path and query, beginning with `/`: the target of the request (section 3).
    pub fn resource_name(&self) -> &str {
        &self.resource_name
    }

    /// Returns the host as written in a URI, with an IPv6 address in its brackets.
    fn bracketed_host(&self) -> &str {
        self.authority.rsplit_once(':').map_or(&self.authority, |(host, _)| host)
    }
}

impl FromStr for WebSocketUri {
    type Err = UriError;

    /// Parses an absolute `ws:` or `wss:` URI.
    ///
    /// # Errors
    ///
    /// The [`UriError`] for the first rule that the text breaks.
    fn from_str(text: &str) -> Result<Self, UriError> {
        // Anything but visible ASCII characters would end up in the request line.
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(UriError::IllegalCharacter);
        }
        // §3: a number sign that doesn't begin a fragment has to be escaped, and a fragment means
        // nothing here. The parser below would drop it silently.
        if text.contains('#') {
            return Err(UriError::Fragment);
        }
        // Deviation: RFC 3986 wants characters such as `[` and `|` escaped in a path or query. URLs with them are
        // common, and the parser takes them.
        let uri = Uri::from_str(text).map_err(|_| UriError::Malformed)?;
        // RFC 3986, §3.1: schemes are case-insensitive.
        let scheme = match uri.scheme_str() {
            Some(scheme) if scheme.eq_ignore_ascii_case("ws") => Scheme::Ws,
            Some(scheme) if scheme.eq_ignore_ascii_case("wss") => Scheme::Wss,
            _ => return Err(UriError::Scheme),
        };
        let authority = uri.authority().ok_or(UriError::Host)?;
        let Authority { host, port } = Authority::parse(authority.as_str())?;
        // §3: an empty path is `/`, even if a query follows it.
        let path = match uri.path() {
            "" => "/",
            path => path,
        };
        // §3: a question mark that nothing follows is left out.
        let resource_name = match uri.query() {
            None | Some("") => path.to_owned(),
            Some(query) => format!("{path}?{query}"),
        };
        let port = port.unwrap_or(scheme.default_port());
        Ok(Self { scheme, authority: format!("{host}:{port}"), port, resource_name })
    }
}

impl fmt::Display for WebSocketUri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.scheme.as_str();
        write!(formatter, "{scheme}://{}{}", self.host_field(), self.resource_name)
    }
}

/// Why a text is not a WebSocket URI that can be connected to (RFC 6455, section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UriError {
    /// It contains white space, a control character or a character outside ASCII.
    #[error("the URI contains a character that is not visible ASCII")]
    IllegalCharacter,
    /// It has a fragment.
    #[error("the URI has a fragment")]
    Fragment,
    /// It is not a URI at all.
    #[error("the URI is malformed")]
    Malformed,
    /// Its scheme is neither `ws` nor `wss`, or it has none.
    #[error("the scheme of the URI is neither ws nor wss")]
    Scheme,
    /// It has a user name or password, which would have nowhere to go.
    #[error("the URI has a user name or password: send them in an Authorization header")]
    Userinfo,
    /// Its host is missing, or is neither a name nor an address.
    #[error("the host in the URI is not valid")]
    Host,
    /// Its port is not a number from 1 to 65535.
    #[error("the port in the URI is not valid")]
    Port,
}

impl From<AuthorityError> for UriError {
    fn from(error: AuthorityError) -> Self {
        match error {
            AuthorityError::Userinfo => Self::Userinfo,
            AuthorityError::Host => Self::Host,
            AuthorityError::Port => Self::Port,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_out_parses_to_the_same_uri() {
        for text in ["ws://a/", "wss://a:80/b?c=d", "ws://[::1]:9001/?x", "ws://a/%20?x"] {
            let uri: WebSocketUri = text.parse().unwrap();
            assert_eq!(uri.to_string(), text);
            assert_eq!(uri.to_string().parse(), Ok(uri));
        }
    }
}
