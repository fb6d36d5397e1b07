//! Host and port, as `Host`, `Origin` and URIs write them (RFC 3986, section 3.2).

use core::{net::Ipv6Addr, str::FromStr};

/// A host and, where it is given, a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Authority<'a> {
    /// A name, an IPv4 address, or an IPv6 address in brackets; never empty.
    pub(super) host: &'a str,
    /// Never 0. A colon with nothing behind it is no port.
    pub(super) port: Option<u16>,
}

/// What is wrong with an authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AuthorityError {
    Userinfo,
    Host,
    Port,
}

impl<'a> Authority<'a> {
    /// The authority that this text is, whole.
    pub(super) fn parse(text: &'a str) -> Result<Self, AuthorityError> {
        if text.contains('@') {
            return Err(AuthorityError::Userinfo);
        }
        let (host, port) = match split_port(text) {
            Some((host, digits)) => (host, parse_port(digits)?),
            None => (text, None),
        };
        if is_host(host) { Ok(Self { host, port }) } else { Err(AuthorityError::Host) }
    }
}

/// What stands before and behind the colon that begins the port.
fn split_port(text: &str) -> Option<(&str, &str)> {
    if text.starts_with('[') {
        // The colons of an IPv6 address are inside its brackets.
        let (address, rest) = text.split_once(']')?;
        let digits = rest.strip_prefix(':')?;
        Some((text.get(..=address.len())?, digits))
    } else {
        text.split_once(':')
    }
}

fn parse_port(digits: &str) -> Result<Option<u16>, AuthorityError> {
    if digits.is_empty() {
        return Ok(None);
    }
    // `u16::from_str` would take a sign as well.
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(AuthorityError::Port);
    }
    match digits.parse() {
        Ok(0) | Err(_) => Err(AuthorityError::Port),
        Ok(port) => Ok(Some(port)),
    }
}

fn is_host(host: &str) -> bool {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => Ipv6Addr::from_str(address).is_ok(),
        None => !host.is_empty() && is_registered_name(host.as_bytes()),
    }
}

fn is_registered_name(mut name: &[u8]) -> bool {
    loop {
        name = match name {
            [] => return true,
            [b'%', high, low, rest @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                rest
            }
            [first, rest @ ..] if first.is_ascii_alphanumeric() => rest,
            [first, rest @ ..] if b"-._~!$&'()*+,;=".contains(first) => rest,
            _ => return false,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports_are_told_apart() {
        for (text, host, port) in [
            ("example.com", "example.com", None),
            ("example.com:", "example.com", None),
            ("example.com:80", "example.com", Some(80)),
            ("a_b-c.%41:65535", "a_b-c.%41", Some(65_535)),
            ("127.0.0.1:9001", "127.0.0.1", Some(9001)),
            ("[::1]", "[::1]", None),
            ("[2001:db8::1]:00443", "[2001:db8::1]", Some(443)),
        ] {
            assert_eq!(Authority::parse(text), Ok(Authority { host, port }), "{text}");
        }
    }

    #[test]
    fn what_is_no_authority_is_refused() {
        for (text, error) in [
            ("", AuthorityError::Host),
            (":80", AuthorityError::Host),
            ("a b", AuthorityError::Host),
            ("a/b", AuthorityError::Host),
            ("a%4", AuthorityError::Host),
            ("a%zz", AuthorityError::Host),
            ("a%4z", AuthorityError::Host),
            ("b\u{fc}cher", AuthorityError::Host),
            ("::1", AuthorityError::Port),
            ("[::1", AuthorityError::Host),
            ("[::1]x", AuthorityError::Host),
            ("[::1%25eth0]", AuthorityError::Host),
            ("[v1.a]", AuthorityError::Host),
            ("[]", AuthorityError::Host),
            ("a:0", AuthorityError::Port),
            ("a:65536", AuthorityError::Port),
            ("a:+80", AuthorityError::Port),
            ("a:80:80", AuthorityError::Port),
            ("user@a", AuthorityError::Userinfo),
        ] {
            assert_eq!(Authority::parse(text), Err(error), "{text}");
        }
    }
}
