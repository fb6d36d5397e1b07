//! Host and port, as written in `Host`, `Origin` and URIs (RFC 3986, section 3.2).

use core::{net::Ipv6Addr, str::FromStr};

/// A host and, if given, a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Authority<'a> {
    /// A name, an IPv4 address, or an IPv6 address in brackets; never empty.
    pub(super) host: &'a str,
    /// Never 0. A colon with nothing after it is not a port.
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
    /// Parses an authority, which has to be the whole text.
    pub(super) fn parse(text: &'a str) -> Result<Self, AuthorityError> {
        // Neither a host nor a port contains an @, so finding one only explains the failure.
        Self::without_userinfo(text)
            .map_err(|error| if text.contains('@') { AuthorityError::Userinfo } else { error })
    }

    fn without_userinfo(text: &'a str) -> Result<Self, AuthorityError> {
        let (host, port) = text.split_at_checked(host_len(text)?).ok_or(AuthorityError::Host)?;
        let port = match port.as_bytes() {
            [] => None,
            [b':', digits @ ..] => parse_port(digits)?,
            _ => return Err(AuthorityError::Host),
        };
        if host.is_empty() { Err(AuthorityError::Host) } else { Ok(Self { host, port }) }
    }
}

/// Returns the host as a name or an address, without the brackets of an IPv6 address.
pub(super) fn without_brackets(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

/// Returns the length of the host that the text begins with.
fn host_len(text: &str) -> Result<usize, AuthorityError> {
    match text.strip_prefix('[') {
        // The colons of an IPv6 address are inside its brackets.
        Some(rest) => {
            let (address, _) = rest.split_once(']').ok_or(AuthorityError::Host)?;
            Ipv6Addr::from_str(address).map_err(|_| AuthorityError::Host)?;
            Ok("[]".len() + address.len())
        }
        None => Ok(registered_name_len(text.as_bytes())),
    }
}

fn registered_name_len(text: &[u8]) -> usize {
    let mut rest = text;
    loop {
        let plain = rest.iter().position(|byte| !stands_for_itself(*byte)).unwrap_or(rest.len());
        rest = rest.get(plain..).unwrap_or_default();
        rest = match rest {
            [b'%', high, low, behind @ ..]
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                behind
            }
            _ => return text.len() - rest.len(),
        };
    }
}

/// RFC 3986, §2.2 and §2.3: unreserved characters, and delimiters within a component.
const fn stands_for_itself(byte: u8) -> bool {
    matches!(byte,
        b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b','
        | b';' | b'=' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z')
}

fn parse_port(digits: &[u8]) -> Result<Option<u16>, AuthorityError> {
    if digits.is_empty() {
        return Ok(None);
    }
    let port = digits.iter().try_fold(0_u16, |port, byte| match byte {
        b'0'..=b'9' => port.checked_mul(10)?.checked_add(u16::from(byte - b'0')),
        _ => None,
    });
    match port {
        None | Some(0) => Err(AuthorityError::Port),
        port => Ok(port),
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
            (":0", AuthorityError::Port),
            ("a b:0", AuthorityError::Host),
            ("[x]:0", AuthorityError::Host),
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
            ("user:80@a", AuthorityError::Userinfo),
            ("[::1]@a", AuthorityError::Userinfo),
            ("a b@c:0", AuthorityError::Userinfo),
        ] {
            assert_eq!(Authority::parse(text), Err(error), "{text}");
        }
    }
}
