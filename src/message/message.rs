use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::message::payload::Payload;
#[cfg(feature = "blocking")]
use crate::message::payload::SHORT;
use crate::message::text::Text;

/// A data message (RFC 6455, section 5.6): text or binary, and nothing else.
///
/// A received message borrows from the caller's read buffer if it lies whole in it, and owns its bytes
/// if it was assembled from pieces.
///
/// ```
/// use sansocket::Message;
///
/// let message = Message::from("Hello");
/// assert!(matches!(&message, Message::Text(text) if text == "Hello"));
/// let kept: Message<'static> = message.into_owned();
/// assert_eq!(kept.as_bytes(), b"Hello");
/// ```
///
/// The type decides what is text and what is binary: `&str`, `String` and [`Text`] are text; slices,
/// `Vec<u8>`, [`Bytes`] and [`Payload`] are binary. To send `Bytes` as text without a copy, make a
/// [`Text`] of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message<'a> {
    /// UTF-8 text.
    Text(Text<'a>),
    /// Arbitrary bytes.
    Binary(Payload<'a>),
}

/// Whether a message is text or binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// UTF-8 text.
    Text,
    /// Arbitrary bytes.
    Binary,
}

impl Message<'_> {
    /// Returns whether the message is text or binary.
    pub const fn kind(&self) -> MessageKind {
        match self {
            Self::Text(_) => MessageKind::Text,
            Self::Binary(_) => MessageKind::Binary,
        }
    }

    /// Returns the payload, whichever kind it is.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(payload) => payload,
        }
    }

    /// Returns the text, if this is a text message.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Binary(_) => None,
        }
    }

    /// Returns the length in bytes.
    #[inline]
    pub fn len(&self) -> usize {
        self.as_bytes().len()
    }

    /// Returns whether the message has no bytes.
    pub fn is_empty(&self) -> bool {
        self.as_bytes().is_empty()
    }

    /// Converts the message into one that owns its bytes, copying them if they are borrowed.
    #[inline]
    pub fn into_owned(self) -> Message<'static> {
        self.into_owned_in(&mut Vec::new())
    }

    /// Does the same; a short copy goes to the spare storage if it fits.
    #[inline(always)]
    pub(crate) fn into_owned_in(self, spare: &mut Vec<u8>) -> Message<'static> {
        match self {
            Self::Text(text) => Message::Text(text.into_owned_in(spare)),
            Self::Binary(payload) => Message::Binary(payload.into_owned_in(spare)),
        }
    }

    /// Converts the message into one whose clones share its bytes.
    pub(crate) fn into_shared(self) -> Message<'static> {
        match self {
            Self::Text(text) => Message::Text(text.into_shared()),
            Self::Binary(payload) => Message::Binary(payload.into_shared()),
        }
    }

    /// Whether the message is too short to be worth sharing.
    #[cfg(feature = "blocking")]
    #[inline]
    pub(crate) fn is_short(&self) -> bool {
        self.len() <= SHORT
    }

    /// Returns the same message, borrowed from this one.
    #[cfg(feature = "blocking")]
    #[inline]
    pub(crate) fn as_borrowed(&self) -> Message<'_> {
        match self {
            Self::Text(text) => Message::Text((**text).into()),
            Self::Binary(payload) => Message::Binary((**payload).into()),
        }
    }

    /// Returns the storage, if it can be used again.
    #[cfg(feature = "blocking")]
    #[inline]
    pub(crate) fn into_storage(self) -> Option<Vec<u8>> {
        match self {
            Self::Text(text) => text.into_storage(),
            Self::Binary(payload) => payload.into_storage(),
        }
    }

    /// Converts the payload into `Bytes`, copying it only if it is borrowed.
    pub fn into_bytes(self) -> Bytes {
        match self {
            Self::Text(text) => text.into_bytes(),
            Self::Binary(payload) => payload.into_bytes(),
        }
    }
}

impl<'a> Message<'a> {
    /// Returns the payload, however it is held.
    #[inline]
    pub(crate) fn into_payload(self) -> Payload<'a> {
        match self {
            Self::Text(text) => text.into_payload(),
            Self::Binary(payload) => payload,
        }
    }
}

impl<'a> From<&'a str> for Message<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text.into())
    }
}

impl<'a> From<&'a String> for Message<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text.as_str().into())
    }
}

impl From<String> for Message<'_> {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl<'a> From<Text<'a>> for Message<'a> {
    fn from(text: Text<'a>) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a [u8]> for Message<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Binary(bytes.into())
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Message<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self::Binary(bytes.into())
    }
}

impl<'a> From<&'a Vec<u8>> for Message<'a> {
    fn from(bytes: &'a Vec<u8>) -> Self {
        Self::Binary(bytes.as_slice().into())
    }
}

impl From<Vec<u8>> for Message<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Binary(bytes.into())
    }
}

impl From<Bytes> for Message<'_> {
    fn from(bytes: Bytes) -> Self {
        Self::Binary(bytes.into())
    }
}

impl<'a> From<Payload<'a>> for Message<'a> {
    fn from(payload: Payload<'a>) -> Self {
        Self::Binary(payload)
    }
}
