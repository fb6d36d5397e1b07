//! The fields of a head, whoever parsed it: which lines they have, how often they stand there, and
//! whose they are.

use core::{slice, str};

use http::header::{
    CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION,
    TRANSFER_ENCODING, UPGRADE,
};

/// What the handshake is made of (§4.1 and §4.2.2), and what would announce a body, which neither its
/// request nor a 101 may have (RFC 9110, §6.4.1 and §8.6): not the application's to set.
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

    /// For a field that is a list: its elements may be on several lines (RFC 9110, §5.3).
    pub(super) fn lines(&self) -> &[&'a [u8]] {
        match self {
            Self::Absent => &[],
            Self::Once(value) => slice::from_ref(value),
            Self::Repeated(values) => values,
        }
    }
}

impl<'a> FromIterator<&'a [u8]> for Field<'a> {
    fn from_iter<T: IntoIterator<Item = &'a [u8]>>(values: T) -> Self {
        let mut field = Self::Absent;
        values.into_iter().for_each(|value| field.add(value));
        field
    }
}

/// The fields that the rules of the handshake are about, of either side.
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
    /// Those among these lines, each a name and a value. They are all found in one pass.
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
        // Most names are told apart by their length.
        Some(match name.len() {
            4 if is(name, b"host") => &mut self.host,
            6 if is(name, b"origin") => &mut self.origin,
            7 if is(name, b"upgrade") => &mut self.upgrade,
            10 if is(name, b"connection") => &mut self.connection,
            14 if is(name, b"content-length") => &mut self.content_length,
            17 if is(name, b"transfer-encoding") => &mut self.transfer_encoding,
            20 if is(name, b"sec-websocket-accept") => &mut self.sec_websocket_accept,
            24 if is(name, b"sec-websocket-extensions") => &mut self.sec_websocket_extensions,
            17 if is(name, b"sec-websocket-key") => &mut self.sec_websocket_key,
            22 if is(name, b"sec-websocket-protocol") => &mut self.sec_websocket_protocol,
            21 if is(name, b"sec-websocket-version") => &mut self.sec_websocket_version,
            _ => return None,
        })
    }
}

impl<'a> From<&'a HeaderMap> for HandshakeFields<'a> {
    fn from(headers: &'a HeaderMap) -> Self {
        Self::among(headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())))
    }
}

/// Whether a text is this one but for case, which is in lower case.
///
/// Of a length that the compiler knows, all bytes are compared at once.
#[inline]
pub(super) fn is<const N: usize>(text: &[u8], lower: &[u8; N]) -> bool {
    let Ok(text) = <&[u8; N]>::try_from(text) else { return false };
    let differing = text.iter().zip(lower).fold(0, |differing, (byte, lower)| {
        let capital = if lower.is_ascii_lowercase() { 0x20 } else { 0 };
        differing | ((byte | capital) ^ lower)
    });
    differing == 0
}

/// A value as text. What isn't ASCII has no meaning in any field that is read here.
pub(super) fn text(value: &[u8]) -> Option<&str> {
    str::from_utf8(value).ok().filter(|text| text.is_ascii())
}

#[cfg(test)]
mod tests {
    use http::header::{HOST, ORIGIN};

    use super::*;

    #[test]
    fn a_name_is_the_same_only_but_for_case() {
        let name = b"sec-websocket-key";
        for place in 0..name.len() {
            for byte in 0..=u8::MAX {
                let mut other = *name;
                other[place] = byte;
                assert_eq!(is(&other, name), other.eq_ignore_ascii_case(name), "{other:?}");
            }
        }
        assert!(!is(&name[1..], name));
    }

    #[test]
    fn each_field_is_found_by_its_name_with_all_its_lines() {
        for name in [HOST, ORIGIN].iter().chain(&OWNED) {
            let title = name.as_str().to_ascii_uppercase();
            let lines = [(name.as_str(), &b"1"[..]), ("x-other", b"2"), (&title, b"3")];
            let fields = HandshakeFields::among(lines.into_iter());
            let field = match name.as_str() {
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
            assert_eq!(field.lines(), [b"1", b"3"], "{name}");
        }
    }
}
