use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::message::payload::Payload;
#[cfg(feature = "blocking")]
use crate::message::payload::SHORT;
use crate::message::text::Text;

/// A data message (RFC 6455, section 5.6): text or binary, and nothing else.
///
/// It borrows from the caller's read buffer when it lies whole in it, and owns its bytes when it was
/// assembled from pieces or made by the application.
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
/// What is text and what is binary is decided by the type: `&str`, `String` and [`Text`] are text; slices, `Vec<u8>`,
/// [`Bytes`] and [`Payload`] are binary. To send `Bytes` as text, without a copy, make a [`Text`] of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message<'a> {
    /// UTF-8 text.
    Text(Text<'a>),
    /// Arbitrary bytes.
    Binary(Payload<'a>),
}

/// Which of the two a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// UTF-8 text.
    Text,
    /// Arbitrary bytes.
    Binary,
}

impl Message<'_> {
    /// Which of the two it is.
    pub const fn kind(&self) -> MessageKind {
        match self {
            Self::Text(_) => MessageKind::Text,
            Self::Binary(_) => MessageKind::Binary,
        }
    }

    /// The payload, whichever kind it is.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(payload) => payload,
        }
    }

    /// The text, if it is a text message.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Binary(_) => None,
        }
    }

    /// The length in bytes.
    #[inline]
    pub fn len(&self) -> usize {
        self.as_bytes().len()
    }

    /// Whether the message has no bytes.
    pub fn is_empty(&self) -> bool {
        self.as_bytes().is_empty()
    }

    /// The message with bytes of its own: copied if it borrows them, else as it is.
    #[inline]
    pub fn into_owned(self) -> Message<'static> {
        self.into_owned_in(&mut Vec::new())
    }

    /// The same, in the spare storage if it is copied, short and fits.
    #[inline(always)]
    pub(crate) fn into_owned_in(self, spare: &mut Vec<u8>) -> Message<'static> {
        match self {
            Self::Text(text) => Message::Text(text.into_owned_in(spare)),
            Self::Binary(payload) => Message::Binary(payload.into_owned_in(spare)),
        }
    }

    /// The message with bytes that its clones share.
    pub(crate) fn into_shared(self) -> Message<'static> {
        match self {
            Self::Text(text) => Message::Text(text.into_shared()),
            Self::Binary(payload) => Message::Binary(payload.into_shared()),
        }
    }

    /// Whether it isn't worth being shared.
    #[cfg(feature = "blocking")]
    #[inline]
    pub(crate) fn is_short(&self) -> bool {
        self.len() <= SHORT
    }

    /// The same message, borrowed from this one.
    #[cfg(feature = "blocking")]
    #[inline]
    pub(crate) fn as_borrowed(&self) -> Message<'_> {
        match self {
            Self::Text(text) => Message::Text((**text).into()),
            Self::Binary(payload) => Message::Binary((**payload).into()),
        }
    }

    /// The storage, if it is one to be used again.
    #[cfg(feature = "blocking")]
    #[inline]
    pub(crate) fn into_storage(self) -> Option<Vec<u8>> {
        match self {
            Self::Text(text) => text.into_storage(),
            Self::Binary(payload) => payload.into_storage(),
        }
    }

    /// The payload as `Bytes`: copied if the message borrows it, else without a copy.
    pub fn into_bytes(self) -> Bytes {
        match self {
            Self::Text(text) => text.into_bytes(),
            Self::Binary(payload) => payload.into_bytes(),
        }
    }
}

impl<'a> Message<'a> {
    /// The payload, however it is held.
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
