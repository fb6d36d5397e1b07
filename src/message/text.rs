use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;
use core::str;

use bytes::Bytes;
use bytestring::ByteString;

use crate::copying;
use crate::message::payload::{Payload, SHORT};

/// UTF-8 text that is borrowed or owned.
///
/// It dereferences to `str`, so it is always valid. Cloning an owned text shares its bytes; only a short
/// one, of at most 1 KiB, may be copied, which takes hardly longer.
///
/// ```
/// use sansocket::Text;
///
/// let text = Text::from("κόσμε");
/// assert_eq!(text.chars().count(), 5);
/// assert_eq!(Text::try_from(text.into_bytes())?, "κόσμε");
/// # Ok::<(), std::str::Utf8Error>(())
/// ```
#[derive(Clone)]
pub struct Text<'a>(Held<'a>);

#[derive(Clone)]
enum Held<'a> {
    Borrowed(&'a str),
    /// A short copy, whose storage another can use when this is no longer needed.
    Copied(String),
    Shared(ByteString),
}

impl Text<'_> {
    /// Converts the text into one that owns its bytes, copying them if they are borrowed.
    pub fn into_owned(self) -> Text<'static> {
        self.into_owned_in(&mut Vec::new())
    }

    /// Does the same; a short copy goes to the spare storage if it fits.
    #[inline(always)]
    pub(crate) fn into_owned_in(self, spare: &mut Vec<u8>) -> Text<'static> {
        Text(match self.0 {
            Held::Borrowed(text) if text.len() <= SHORT => {
                Held::Copied(copying::to_string_in(text, spare))
            }
            Held::Borrowed(text) => Held::Shared(copying::to_string(text).into()),
            Held::Copied(text) => Held::Copied(text),
            Held::Shared(text) => Held::Shared(text),
        })
    }

    /// Converts the text into one whose clones share its bytes.
    pub(crate) fn into_shared(self) -> Text<'static> {
        Text(Held::Shared(match self.0 {
            Held::Borrowed(text) => copying::to_string(text).into(),
            Held::Copied(text) => text.into(),
            Held::Shared(text) => text,
        }))
    }

    /// Converts the text into `Bytes`, copying it only if it is borrowed.
    pub fn into_bytes(self) -> Bytes {
        match self.0 {
            Held::Borrowed(text) => copying::to_vec(text.as_bytes()).into(),
            Held::Copied(text) => text.into_bytes().into(),
            Held::Shared(text) => text.into_bytes(),
        }
    }

    /// Returns the storage, if it can be used again.
    #[cfg(feature = "blocking")]
    #[inline]
    pub(crate) fn into_storage(self) -> Option<Vec<u8>> {
        match self.0 {
            Held::Copied(text) => Some(text.into_bytes()),
            Held::Borrowed(_) | Held::Shared(_) => None,
        }
    }
}

impl<'a> Text<'a> {
    /// Converts the payload into text, if it is UTF-8.
    pub(crate) fn from_utf8(payload: Payload<'a>) -> Option<Self> {
        Some(Self(match payload.try_into_borrowed() {
            Ok(bytes) => Held::Borrowed(str::from_utf8(bytes).ok()?),
            Err(bytes) => Held::Shared(ByteString::try_from(bytes).ok()?),
        }))
    }

    #[inline]
    pub(crate) fn into_payload(self) -> Payload<'a> {
        match self.0 {
            Held::Borrowed(text) => text.as_bytes().into(),
            Held::Copied(text) => text.into_bytes().into(),
            Held::Shared(text) => text.into_bytes().into(),
        }
    }
}

impl Default for Text<'_> {
    fn default() -> Self {
        Self(Held::Borrowed(""))
    }
}

impl Deref for Text<'_> {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        match &self.0 {
            Held::Borrowed(text) => text,
            Held::Copied(text) => text,
            Held::Shared(text) => text,
        }
    }
}

impl AsRef<str> for Text<'_> {
    fn as_ref(&self) -> &str {
        self
    }
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Text<'_> {}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        **self == *other
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        **self == **other
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, formatter)
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, formatter)
    }
}

impl<'a> From<&'a str> for Text<'a> {
    #[inline]
    fn from(text: &'a str) -> Self {
        Self(Held::Borrowed(text))
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self(Held::Shared(text.into()))
    }
}

impl TryFrom<Bytes> for Text<'_> {
    type Error = str::Utf8Error;

    /// Makes a text of these bytes, which are shared, not copied.
    fn try_from(bytes: Bytes) -> Result<Self, Self::Error> {
        Ok(Self(Held::Shared(bytes.try_into()?)))
    }
}

impl From<Text<'_>> for String {
    fn from(text: Text<'_>) -> Self {
        match text.0 {
            Held::Copied(text) => text,
            Held::Borrowed(_) | Held::Shared(_) => text.as_ref().into(),
        }
    }
}
