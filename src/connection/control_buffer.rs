use alloc::boxed::Box;
use core::ops::Deref;

use crate::frame::FrameHeader;

/// The most bytes that a control frame takes: a short length and a masking key.
const MAX_FRAME: usize = 2 + 4 + FrameHeader::MAX_CONTROL_PAYLOAD;

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

    /// Appends bytes, of which the sender knows that they are part of one control frame.
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        for (slot, byte) in self.bytes.iter_mut().skip(self.len).zip(bytes) {
            *slot = *byte;
            self.len += 1;
        }
    }
}

impl Deref for ControlBuffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}
