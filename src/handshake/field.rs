//! The fields of a head, whichever library parsed it: their lines, how often they appear, and who may
//! set them.

use core::{
    slice,
    str::{self, FromStr},
};

use http::header::{
    CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION,
    TRANSFER_ENCODING, UPGRADE,
};

/// The fields that the application may not set: those that make up the handshake (§4.1 and §4.2.2), and
/// those that would announce a body, which neither its request nor a 101 may have (RFC 9110, §6.4.1 and
/// §8.6).
pub(super) const OWNED: [HeaderName; 9] = [
    CONNECTION,
    UPGRADE,
    SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_EXTENSIONS,
    SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION,
    CONTENT_LENGTH,
    TRANSFER_ENCODING,
];

/// The values of the lines of one field, in order.
#[derive(Debug, Clone, Default)]
pub(super) enum Field<'a> {
    #[default]
    Absent,
    Once(&'a [u8]),
    Repeated(Vec<&'a [u8]>),
}

impl<'a> Field<'a> {
    pub(super) fn of(headers: &'a HeaderMap, name: &HeaderName) -> Self {
        headers.get_all(name).iter().map(HeaderValue::as_bytes).collect()
    }

    fn add(&mut self, value: &'a [u8]) {
        match self {
            Self::Absent => *self = Self::Once(value),
            Self::Once(first) => *self = Self::Repeated(vec![first, value]),
            Self::Repeated(values) => values.push(value),
        }
    }

    /// Returns the lines, for a field whose list may span several of them (RFC 9110, §5.3).
    pub(super) fn lines(&self) -> impl Iterator<Item = &'a [u8]> {
        let lines: &[_] = match self {
            Self::Absent => &[],
            Self::Once(value) => slice::from_ref(value),
            Self::Repeated(values) => values,
        };
        lines.iter().copied()
    }

    /// Returns the elements of a list, from all its lines. Empty ones don't count (RFC 9110, §5.6.1).
    pub(super) fn elements(&self) -> impl Iterator<Item = &'a [u8]> {
        let elements = self.lines().flat_map(|line| line.split(|byte| *byte == b','));
        elements.map(<[u8]>::trim_ascii).filter(|element| !element.is_empty())
    }
}

impl<'a> FromIterator<&'a [u8]> for Field<'a> {
    fn from_iter<T: IntoIterator<Item = &'a [u8]>>(values: T) -> Self {
        let mut field = Self::Absent;
        values.into_iter().for_each(|value| field.add(value));
        field
    }
}

/// The fields that the rules of the handshake are about, for either side.
#[derive(Debug, Default)]
pub(super) struct HandshakeFields<'a> {
    pub(super) host: Field<'a>,
    pub(super) origin: Field<'a>,
    pub(super) upgrade: Field<'a>,
    pub(super) connection: Field<'a>,
    pub(super) content_length: Field<'a>,
    pub(super) transfer_encoding: Field<'a>,
    pub(super) sec_websocket_accept: Field<'a>,
    pub(super) sec_websocket_extensions: Field<'a>,
    pub(super) sec_websocket_key: Field<'a>,
    pub(super) sec_websocket_protocol: Field<'a>,
    pub(super) sec_websocket_version: Field<'a>,
}

impl<'a> HandshakeFields<'a> {
    /// Finds all of them in one pass over these lines, each a name and a value.
    pub(super) fn among(lines: impl Iterator<Item = (&'a str, &'a [u8])>) -> Self {
        let mut fields = Self::default();
        for (name, value) in lines {
            if let Some(field) = fields.named(name.as_bytes()) {
                field.add(value);
            }
        }
        fields
    }

    fn named(&mut self, name: &[u8]) -> Option<&mut Field<'a>> {
        Some(match name {
            _ if eq_without_case(name, b"host") => &mut self.host,
            _ if eq_without_case(name, b"origin") => &mut self.origin,
            _ if eq_without_case(name, b"upgrade") => &mut self.upgrade,
            _ if eq_without_case(name, b"connection") => &mut self.connection,
            _ if eq_without_case(name, b"content-length") => &mut self.content_length,
            _ if eq_without_case(name, b"transfer-encoding") => &mut self.transfer_encoding,
            _ if eq_without_case(name, b"sec-websocket-accept") => &mut self.sec_websocket_accept,
            _ if eq_without_case(name, b"sec-websocket-extensions") => {
                &mut self.sec_websocket_extensions
            }
            _ if eq_without_case(name, b"sec-websocket-key") => &mut self.sec_websocket_key,
            _ if eq_without_case(name, b"sec-websocket-protocol") => {
                &mut self.sec_websocket_protocol
            }
            _ if eq_without_case(name, b"sec-websocket-version") => &mut self.sec_websocket_version,
            _ => return None,
        })
    }
}

impl<'a> From<&'a HeaderMap> for HandshakeFields<'a> {
    fn from(headers: &'a HeaderMap) -> Self {
        Self::among(headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())))
    }
}

/// Returns whether the two are equal apart from the case of letters.
///
/// The compiler knows the length of `wanted`, so all bytes are compared at once.
#[inline]
pub(super) fn eq_without_case<const N: usize>(text: &[u8], wanted: &[u8; N]) -> bool {
    let Ok(text) = <&[u8; N]>::try_from(text) else { return false };
    let differing = text.iter().zip(wanted).fold(0, |differing, (byte, wanted)| {
        let case = if wanted.is_ascii_alphabetic() { 0x20 } else { 0 };
        differing | ((byte ^ wanted) & !case)
    });
    differing == 0
}

/// Returns a value as text, if it is ASCII; anything else has no meaning in the fields read here.
pub(super) fn text(value: &[u8]) -> Option<&str> {
    str::from_utf8(value).ok().filter(|text| text.is_ascii())
}

/// Parses a number that consists only of digits; the number types alone would also accept a sign.
pub(super) fn number<N: FromStr>(digits: &[u8]) -> Option<N> {
    text(digits).filter(|_| digits.iter().all(u8::is_ascii_digit))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use http::header::{HOST, ORIGIN};

    use super::*;

    #[test]
    fn nothing_but_the_case_of_letters_may_differ() {
        let name = b"Key-13";
        for place in 0..name.len() {
            for byte in 0..=u8::MAX {
                let mut other = *name;
                other[place] = byte;
                let equal = other.eq_ignore_ascii_case(name);
                assert_eq!(eq_without_case(&other, name), equal, "{other:?}");
            }
        }
        // What differs in two places doesn't cancel out.
        assert!(!eq_without_case(b"Jdy-13", name));
        assert!(!eq_without_case(b"Key-1", name));
        assert!(!eq_without_case(b"Key-130", name));
    }

    #[test]
    fn each_field_is_found_by_its_name_with_all_its_lines() {
        for name in [HOST, ORIGIN].iter().chain(&OWNED) {
            let title = name.as_str().to_ascii_uppercase();
            let name = name.as_str();
            let lines = [(name, &b"1"[..]), ("x-other", b"2"), (&title, b"3"), (name, b"4")];
            let fields = HandshakeFields::among(lines.into_iter());
            let field = match name {
                "host" => fields.host,
                "origin" => fields.origin,
                "upgrade" => fields.upgrade,
                "connection" => fields.connection,
                "content-length" => fields.content_length,
                "transfer-encoding" => fields.transfer_encoding,
                "sec-websocket-accept" => fields.sec_websocket_accept,
                "sec-websocket-extensions" => fields.sec_websocket_extensions,
                "sec-websocket-key" => fields.sec_websocket_key,
                "sec-websocket-protocol" => fields.sec_websocket_protocol,
                "sec-websocket-version" => fields.sec_websocket_version,
                other => panic!("{other} is no field of the handshake"),
            };
            assert!(field.lines().eq([b"1", b"3", b"4"]), "{name}: {field:?}");
        }
    }
}
