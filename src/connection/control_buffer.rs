use alloc::boxed::Box;
use core::ops::Deref;

use crate::frame::{FrameHeader, MaskingKey};

/// The most bytes a control frame takes, with a short length and a masking key.
const MAX_FRAME: usize = 2 + MaskingKey::SIZE + FrameHeader::MAX_CONTROL_PAYLOAD;

/// Room for one control frame, on the heap only while there is one.
#[derive(Debug)]
pub(crate) struct ControlBuffer {
    bytes: [u8; MAX_FRAME],
    len: usize,
}

impl ControlBuffer {
    pub(crate) fn boxed() -> Box<Self> {
        Box::new(Self { bytes: [0; MAX_FRAME], len: 0 })
    }

    /// Appends bytes that the caller knows to be part of one control frame.
    #[inline]
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        self.extend_masked(None, bytes);
    }

    /// Appends such bytes, masked with this key if there is one.
    #[inline]
    pub(crate) fn extend_masked(&mut self, mask: Option<MaskingKey>, bytes: &[u8]) {
        let end = self.len + bytes.len();
        debug_assert!(end <= MAX_FRAME, "it is part of one control frame");
        if let Some(room) = self.bytes.get_mut(self.len..end) {
            room.copy_from_slice(bytes);
            if let Some(key) = mask {
                key.apply(room);
            }
            self.len = end;
        }
    }

    /// Empties the buffer.
    #[inline]
    pub(crate) const fn clear(&mut self) {
        self.len = 0;
    }
}

impl Deref for ControlBuffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}
