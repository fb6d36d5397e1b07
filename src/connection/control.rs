use alloc::boxed::Box;
use core::ops::Deref;

use bytes::Bytes;

use crate::connection::control_buffer::ControlBuffer;
use crate::connection::error::UsageError;
use crate::frame::{FrameHeader, FramePiece};
use crate::message::Payload;

/// The payload of a Ping or Pong: at most 125 bytes (RFC 6455, section 5.5).
///
/// ```
/// use sansocket::ControlPayload;
///
/// let short = ControlPayload::from(b"are you there?"); // the length is checked by the compiler
/// assert_eq!(short.len(), 14);
/// assert!(ControlPayload::new(vec![0; 126]).is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ControlPayload<'a>(Payload<'a>);

impl<'a> ControlPayload<'a> {
    /// Creates a payload of these bytes.
    ///
    /// # Errors
    ///
    /// [`UsageError::ControlPayloadTooLong`] for more than 125 bytes.
    pub fn new(bytes: impl Into<Payload<'a>>) -> Result<Self, UsageError> {
        let payload = bytes.into();
        if payload.len() > FrameHeader::MAX_CONTROL_PAYLOAD {
            return Err(UsageError::ControlPayloadTooLong(payload.len()));
        }
        Ok(Self(payload))
    }

    /// Converts the payload into one that owns its bytes.
    pub fn into_owned(self) -> ControlPayload<'static> {
        ControlPayload(self.0.into_owned())
    }

    /// Wraps the payload of a frame that has passed the decoder, which refuses more than 125 bytes.
    #[inline]
    pub(crate) fn received(bytes: &'a [u8]) -> Self {
        Self(bytes.into())
    }

    pub(crate) fn into_payload(self) -> Payload<'a> {
        self.0
    }
}

impl Deref for ControlPayload<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for ControlPayload<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        const { assert!(N <= FrameHeader::MAX_CONTROL_PAYLOAD, "at most 125 bytes") };
        Self(bytes.into())
    }
}

/// Collects the payload of a control frame that arrives in more than one read.
#[derive(Debug, Default)]
pub(crate) struct ControlAssembler(Option<Box<ControlBuffer>>);

impl ControlAssembler {
    /// Takes the next piece, and returns the payload once it is complete.
    #[inline]
    pub(crate) fn push<'input>(
        &mut self,
        piece: FramePiece<'input>,
    ) -> Option<ControlPayload<'input>> {
        if piece.is_whole_frame() {
            return Some(ControlPayload::received(piece.payload.unmask()));
        }
        let remaining = piece.remaining;
        self.0.get_or_insert_with(ControlBuffer::boxed).extend(piece.payload.unmask());
        if remaining > 0 {
            return None;
        }
        self.0.take().map(|payload| ControlPayload(Bytes::copy_from_slice(&payload).into()))
    }
}
