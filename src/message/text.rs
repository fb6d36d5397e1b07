use alloc::string::String;
use core::fmt;
use core::ops::Deref;
use core::str;

use bytes::Bytes;
use bytestring::ByteString;

use crate::copying;
use crate::message::payload::Payload;

/// UTF-8 text that is borrowed or shared.
///
/// Dereferences to `str`: it can't be anything but valid. Cloning an owned text shares its bytes.
///
/// ```
/// use sansocket::Text;
///
/// let text = Text::from("κόσμε");
/// assert_eq!(text.chars().count(), 5);
/// ```
#[derive(Clone)]
pub struct Text<'a>(Held<'a>);

#[derive(Clone)]
enum Held<'a> {
    Borrowed(&'a str),
    Owned(ByteString),
}

impl Text<'_> {
    /// The text with bytes of its own: copied if it borrows them, else as it is.
    pub fn into_owned(self) -> Text<'static> {
        Text(Held::Owned(match self.0 {
            Held::Borrowed(text) => copying::to_string(text).into(),
            Held::Owned(text) => text,
        }))
    }

    /// The text as `Bytes`: copied if it is borrowed, else without a copy.
    pub fn into_bytes(self) -> Bytes {
        match self.0 {
            Held::Borrowed(text) => copying::to_vec(text.as_bytes()).into(),
            Held::Owned(text) => text.into_bytes(),
        }
    }
}

impl<'a> Text<'a> {
    /// The text of these bytes, if they are UTF-8.
    pub(crate) fn from_utf8(payload: Payload<'a>) -> Option<Self> {
        Some(Self(match payload.try_into_borrowed() {
            Ok(bytes) => Held::Borrowed(str::from_utf8(bytes).ok()?),
            Err(bytes) => Held::Owned(ByteString::try_from(bytes).ok()?),
        }))
    }

    #[inline]
    pub(crate) fn into_payload(self) -> Payload<'a> {
        match self.0 {
            Held::Borrowed(text) => text.as_bytes().into(),
            Held::Owned(text) => text.into_bytes().into(),
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
            Held::Owned(text) => text,
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
        Self(Held::Owned(text.into()))
    }
}

impl From<Text<'_>> for String {
    fn from(text: Text<'_>) -> Self {
        text.as_ref().into()
    }
}
