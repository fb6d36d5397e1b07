//! Where an HTTP proxy is, and the credentials for it.

use core::{fmt, str::FromStr};

use crate::handshake::authority::{Authority, AuthorityError, without_brackets};
use crate::handshake::base64::encode;

/// An HTTP proxy that is asked to open a tunnel to the server (RFC 6455, section 4.1).
///
/// It is written `http://host:port`, with a user name and password before the host if the proxy asks
/// for them; characters that a URL doesn't allow there are percent-encoded. The port defaults to 80,
/// and `http://` may be omitted, as it is in many environments.
///
/// ```
/// use sansocket::handshake::Proxy;
///
/// let proxy: Proxy = "http://user:p%40ss@proxy.example.com:3128".parse()?;
/// assert_eq!(proxy.host(), "proxy.example.com");
/// assert_eq!(proxy.port(), 3128);
/// assert_eq!(proxy.to_string(), "http://proxy.example.com:3128"); // nothing shows the password
/// # Ok::<_, sansocket::handshake::ProxyError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    host: String,
    port: u16,
    credentials: Option<Credentials>,
}

/// The value of `Proxy-Authorization` (RFC 7617, section 2).
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Credentials(String);

impl Proxy {
    /// Returns the host to connect to: a name or an address, without the brackets of an IPv6 address.
    pub fn host(&self) -> &str {
        without_brackets(&self.host)
    }

    /// Returns the port to connect to, which is never 0.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Sends these credentials to the proxy instead of those in the URL.
    ///
    /// The scheme is Basic: anyone who can read the traffic to the proxy can read the password.
    ///
    /// # Errors
    ///
    /// [`ProxyError`] if either contains a control character, or the user name contains a colon.
    pub fn credentials(mut self, user: &str, password: &str) -> Result<Self, ProxyError> {
        self.credentials = Some(Credentials::basic(user.as_bytes(), password.as_bytes())?);
        Ok(self)
    }

    /// Returns the value of `Proxy-Authorization`, if that is to be sent.
    pub(super) fn authorization(&self) -> Option<&str> {
        self.credentials.as_ref().map(|credentials| credentials.0.as_str())
    }
}

impl FromStr for Proxy {
    type Err = ProxyError;

    /// Parses `http://host`, with a user name, a password and a port where needed.
    ///
    /// # Errors
    ///
    /// The [`ProxyError`] for the first rule that the text breaks.
    fn from_str(text: &str) -> Result<Self, ProxyError> {
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ProxyError::IllegalCharacter);
        }
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        check_scheme(scheme)?;
        let (authority, behind) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if !matches!(behind, "" | "/") {
            return Err(ProxyError::Path);
        }
        let (userinfo, authority) = match authority.split_once('@') {
            Some((userinfo, authority)) => (userinfo, authority),
            None => ("", authority),
        };
        let Authority { host, port } = Authority::parse(authority)?;
        let credentials = match userinfo {
            "" => None,
            userinfo => Some(Credentials::parse(userinfo)?),
        };
        Ok(Self { host: host.to_owned(), port: port.unwrap_or(80), credentials })
    }
}

impl fmt::Display for Proxy {
    /// Writes the URL without user name and password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "http://{}:{}", self.host, self.port)
    }
}

impl Credentials {
    /// Parses the credentials of a URL: percent-encoded, with a colon in between.
    fn parse(userinfo: &str) -> Result<Self, ProxyError> {
        let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
        Self::basic(&percent_decoded(user)?, &percent_decoded(password)?)
    }

    fn basic(user: &[u8], password: &[u8]) -> Result<Self, ProxyError> {
        if user.contains(&b':') {
            return Err(ProxyError::ColonInUser);
        }
        if user.iter().chain(password).any(u8::is_ascii_control) {
            return Err(ProxyError::ControlCharacter);
        }
        let text = encode([user, b":", password].concat());
        Ok(Self(format!("Basic {text}")))
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Credentials(..)")
    }
}

/// Why a text does not name a usable proxy.
///
/// No variant repeats any part of the text, which may contain a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// It contains white space, a control character or a character outside ASCII.
    #[error("the proxy's URL contains a character that is not visible ASCII")]
    IllegalCharacter,
    /// The connection to the proxy itself would use TLS.
    #[error("https proxies are not supported, only http proxies are")]
    HttpsUnsupported,
    /// The proxy speaks SOCKS.
    #[error("SOCKS proxies are not supported, only http proxies are")]
    SocksUnsupported,
    /// Its scheme is not that of any proxy.
    #[error("the scheme of the proxy's URL is not http")]
    Scheme,
    /// It has a path, a query or a fragment.
    #[error("the proxy's URL continues after the host (in a password, / is written %2F)")]
    Path,
    /// It contains more than one at sign.
    #[error("the proxy's URL has a second @ (in a password it is written %40)")]
    Userinfo,
    /// Its host is missing, or is neither a name nor an address.
    #[error("the host in the proxy's URL is not valid")]
    Host,
    /// Its port is not a number from 1 to 65535.
    #[error("the port in the proxy's URL is not valid")]
    Port,
    /// The user name or password contains a percent sign that two hexadecimal digits don't follow.
    #[error("the user name or password for the proxy is not percent-encoded")]
    PercentEncoding,
    /// The user name contains a colon, which would end it (RFC 7617, section 2).
    #[error("the user name for the proxy contains a colon")]
    ColonInUser,
    /// The user name or password contains a control character (RFC 7617, section 2).
    #[error("the user name or password for the proxy contains a control character")]
    ControlCharacter,
}

impl From<AuthorityError> for ProxyError {
    fn from(error: AuthorityError) -> Self {
        match error {
            AuthorityError::Userinfo => Self::Userinfo,
            AuthorityError::Host => Self::Host,
            AuthorityError::Port => Self::Port,
        }
    }
}

fn check_scheme(scheme: &str) -> Result<(), ProxyError> {
    match scheme.to_ascii_lowercase().as_str() {
        "http" => Ok(()),
        "https" => Err(ProxyError::HttpsUnsupported),
        "socks" | "socks4" | "socks4a" | "socks5" | "socks5h" => Err(ProxyError::SocksUnsupported),
        _ => Err(ProxyError::Scheme),
    }
}

/// Decodes percent-encoding (RFC 3986, section 2.1). The result is bytes in no particular encoding.
fn percent_decoded(text: &str) -> Result<Vec<u8>, ProxyError> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut decoded = Vec::with_capacity(text.len());
    let mut left = text.as_bytes();
    loop {
        left = match left {
            [] => return Ok(decoded),
            [b'%', high, low, rest @ ..] => {
                let (high, low) =
                    digit(*high).zip(digit(*low)).ok_or(ProxyError::PercentEncoding)?;
                decoded.push(high << 4 | low);
                rest
            }
            [b'%', ..] => return Err(ProxyError::PercentEncoding),
            [byte, rest @ ..] => {
                decoded.push(*byte);
                rest
            }
        };
    }
}
