//! Where the page that opens a connection came from (RFC 6454; RFC 6455, section 10.2).

use core::fmt;
use core::str::FromStr;

use crate::handshake::authority::Authority;

/// The origin of a web page: scheme, host and port, or `null` if the browser doesn't disclose it.
///
/// It is compared as section 4 of RFC 6454 requires: scheme and host ignoring case, and a scheme's
/// default port is the same as none.
///
/// ```
/// use sansocket::handshake::Origin;
///
/// let origin: Origin = "HTTPS://Example.com:443".parse()?;
/// assert_eq!(origin.to_string(), "https://example.com");
/// assert_eq!("https://example.com".parse(), Ok(origin));
/// # Ok::<_, sansocket::handshake::OriginError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin(Serialized);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Serialized {
    Null,
    /// All in lower case; the port is never the default one of the scheme.
    Tuple {
        scheme: String,
        host: String,
        port: Option<u16>,
    },
}

impl Origin {
    /// The origin `null`, which stands for any origin that a browser doesn't disclose.
    pub const NULL: Self = Self(Serialized::Null);

    /// Returns whether a page of this origin was served by this authority, whatever the scheme.
    pub(super) fn is_served_by(&self, authority: &Authority<'_>) -> bool {
        match &self.0 {
            Serialized::Null => false,
            Serialized::Tuple { scheme, host, port } => {
                host.eq_ignore_ascii_case(authority.host)
                    && *port == without_default(scheme, authority.port)
            }
        }
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    /// Parses the serialisation of one origin, as in the `Origin` field.
    ///
    /// # Errors
    ///
    /// [`OriginError`] if the text is neither `null` nor `scheme://host` or `scheme://host:port`:
    /// there is no path, not even `/`.
    fn from_str(text: &str) -> Result<Self, OriginError> {
        if text == "null" {
            return Ok(Self::NULL);
        }
        let (scheme, authority) = text.split_once("://").ok_or(OriginError)?;
        let scheme = scheme.to_ascii_lowercase();
        let Authority { host, port } = Authority::parse(authority).map_err(|_| OriginError)?;
        if !is_scheme(&scheme) {
            return Err(OriginError);
        }
        let (host, port) = (host.to_ascii_lowercase(), without_default(&scheme, port));
        Ok(Self(Serialized::Tuple { scheme, host, port }))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Serialized::Null => formatter.write_str("null"),
            Serialized::Tuple { scheme, host, port: None } => {
                write!(formatter, "{scheme}://{host}")
            }
            Serialized::Tuple { scheme, host, port: Some(port) } => {
                write!(formatter, "{scheme}://{host}:{port}")
            }
        }
    }
}

/// A text is not the serialisation of an origin (RFC 6454, section 6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an origin is written scheme://host, scheme://host:port or null")]
#[non_exhaustive]
pub struct OriginError;

fn without_default(scheme: &str, port: Option<u16>) -> Option<u16> {
    match (scheme, port) {
        ("http" | "ws", Some(80)) | ("https" | "wss", Some(443)) => None,
        (_, port) => port,
    }
}

/// RFC 3986, §3.1.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| matches!(byte, b'+' | b'-' | b'.') || byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_compared_without_case_and_default_ports() {
        for (one, other) in [
            ("http://a", "HTTP://A:80"),
            ("https://a", "https://a:443"),
            ("https://[::1]:8443", "https://[::1]:8443"),
            ("null", "null"),
        ] {
            assert_eq!(one.parse::<Origin>(), other.parse(), "{one} {other}");
        }
        for (one, other) in
            [("http://a", "https://a"), ("http://a", "http://a:443"), ("null", "a://null")]
        {
            assert_ne!(one.parse::<Origin>(), other.parse(), "{one} {other}");
        }
    }

    #[test]
    fn what_is_no_serialisation_is_refused() {
        for text in [
            "",
            "a",
            "NULL",
            "://a",
            "1://a",
            "http:/a",
            "http://",
            "http://a/",
            "http://a b",
            "http://a http://b",
            "http://u@a",
            "http://a:0",
            "http://a\r\nb",
        ] {
            assert_eq!(text.parse::<Origin>(), Err(OriginError), "{text}");
        }
    }
}
