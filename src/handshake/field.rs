//! The fields of a head, whoever parsed it: which lines they have, how often they stand there, and
//! whose they are.

use core::str;

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

/// Where the rules of the handshake look fields up: in the lines of a head that arrived, or in what
/// another HTTP library made of them.
pub(super) trait Fields {
    /// The values of the lines that have this name, in order.
    fn lines<'fields>(&'fields self, name: &HeaderName) -> impl Iterator<Item = &'fields [u8]>;
}

impl Fields for HeaderMap {
    fn lines<'fields>(&'fields self, name: &HeaderName) -> impl Iterator<Item = &'fields [u8]> {
        self.get_all(name).iter().map(HeaderValue::as_bytes)
    }
}

/// The lines of a field that is no list.
#[derive(Debug, Clone, Copy)]
pub(super) enum Field<'a> {
    Absent,
    Once(&'a [u8]),
    Repeated,
}

impl<'a> Field<'a> {
    pub(super) fn of(fields: &'a impl Fields, name: &HeaderName) -> Self {
        fields.lines(name).fold(Self::Absent, |field, value| match field {
            Self::Absent => Self::Once(value),
            Self::Once(_) | Self::Repeated => Self::Repeated,
        })
    }
}

/// A value as text. What isn't ASCII has no meaning in any field that is read here.
pub(super) fn text(value: &[u8]) -> Option<&str> {
    str::from_utf8(value).ok().filter(|text| text.is_ascii())
}
