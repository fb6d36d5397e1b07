use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;

use bytes::{Buf, Bytes};

use crate::copying;

/// Bytes that are borrowed or owned.
///
/// It dereferences to `[u8]`. Cloning an owned payload shares its bytes; only a short one, of at most
/// 1 KiB, may be copied, which takes hardly longer.
///
/// ```
/// use sansocket::Payload;
///
/// let payload = Payload::from(b"data");
/// assert_eq!(payload.len(), 4);
/// let kept: Payload<'static> = payload.into_owned();
/// assert_eq!(&kept[..], b"data");
/// ```
#[derive(Clone)]
pub struct Payload<'a>(Held<'a>);

#[derive(Clone)]
enum Held<'a> {
    Borrowed(&'a [u8]),
    /// A short copy, whose storage another can use when this is no longer needed.
    Copied(Vec<u8>),
    Shared(Bytes),
}

/// The longest payload that isn't made to be shared.
pub(super) const SHORT: usize = 1024;

impl Payload<'_> {
    /// Converts the payload into one that owns its bytes, copying them if they are borrowed.
    #[inline]
    pub fn into_owned(self) -> Payload<'static> {
        self.into_owned_in(&mut Vec::new())
    }

    /// Does the same; a short copy goes to the spare storage if it fits.
    #[inline(always)]
    pub(crate) fn into_owned_in(self, spare: &mut Vec<u8>) -> Payload<'static> {
        Payload(match self.0 {
            Held::Borrowed(bytes) if bytes.len() <= SHORT => {
                Held::Copied(copying::to_vec_in(bytes, spare))
            }
            Held::Borrowed(bytes) => Held::Shared(copying::to_vec(bytes).into()),
            Held::Copied(bytes) => Held::Copied(bytes),
            Held::Shared(bytes) => Held::Shared(bytes),
        })
    }

    /// Converts the payload into one whose clones share its bytes.
    pub(crate) fn into_shared(self) -> Payload<'static> {
        self.into_bytes().into()
    }

    /// Converts the payload into `Bytes`, copying it only if it is borrowed.
    #[inline]
    pub fn into_bytes(self) -> Bytes {
        match self.0 {
            Held::Borrowed(bytes) => copying::to_vec(bytes).into(),
            Held::Copied(bytes) => bytes.into(),
            Held::Shared(bytes) => bytes,
        }
    }

    /// Returns the storage, if it can be used again.
    #[cfg(feature = "blocking")]
    #[inline]
    pub(crate) fn into_storage(self) -> Option<Vec<u8>> {
        match self.0 {
            Held::Copied(bytes) => Some(bytes),
            Held::Borrowed(_) | Held::Shared(_) => None,
        }
    }
}

impl<'a> Payload<'a> {
    /// Whether the bytes are borrowed.
    pub(crate) const fn is_borrowed(&self) -> bool {
        matches!(self.0, Held::Borrowed(_))
    }

    /// Returns the bytes as they are held: borrowed, or else shared.
    #[inline]
    pub(crate) fn try_into_borrowed(self) -> Result<&'a [u8], Bytes> {
        match self.0 {
            Held::Borrowed(bytes) => Ok(bytes),
            Held::Copied(bytes) => Err(bytes.into()),
            Held::Shared(bytes) => Err(bytes),
        }
    }

    /// Takes `count` bytes off the front, or all if there are fewer.
    #[inline]
    pub(crate) fn remove(&mut self, count: usize) {
        let count = count.min(self.len());
        match &mut self.0 {
            Held::Borrowed(bytes) => *bytes = bytes.get(count..).unwrap_or_default(),
            Held::Copied(bytes) => drop(bytes.drain(..count)),
            Held::Shared(bytes) => bytes.advance(count),
        }
    }
}

impl Default for Payload<'_> {
    fn default() -> Self {
        Self(Held::Borrowed(&[]))
    }
}

impl Deref for Payload<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Held::Borrowed(bytes) => bytes,
            Held::Copied(bytes) => bytes,
            Held::Shared(bytes) => bytes,
        }
    }
}

impl AsRef<[u8]> for Payload<'_> {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl PartialEq for Payload<'_> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Payload<'_> {}

impl PartialEq<[u8]> for Payload<'_> {
    fn eq(&self, other: &[u8]) -> bool {
        **self == *other
    }
}

impl<const N: usize> PartialEq<[u8; N]> for Payload<'_> {
    fn eq(&self, other: &[u8; N]) -> bool {
        **self == *other
    }
}

impl fmt::Debug for Payload<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "b\"{}\"", self.escape_ascii())
    }
}

impl<'a> From<&'a [u8]> for Payload<'a> {
    #[inline]
    fn from(bytes: &'a [u8]) -> Self {
        Self(Held::Borrowed(bytes))
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Payload<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self(Held::Borrowed(bytes))
    }
}

impl From<Vec<u8>> for Payload<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Held::Shared(bytes.into()))
    }
}

impl From<Bytes> for Payload<'_> {
    fn from(bytes: Bytes) -> Self {
        Self(Held::Shared(bytes))
    }
}
