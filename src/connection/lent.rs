use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use bytes::{Buf, Bytes};

use crate::connection::long_frame;
use crate::connection::outgoing::{Outgoing, SEGMENT};
use crate::frame::{EncodedHeader, MaskingKey};
use crate::message::Payload;

/// An outgoing message that still lies where its sender has it; see
/// [`Connection::lend`](crate::Connection::lend).
///
/// As a [`Buf`] it is all that is outgoing, with the message at the end. What has not been written when it
/// is dropped is queued, with a copy if the payload was borrowed. So let it be dropped: if it is
/// [forgotten](core::mem::forget), the rest of a frame is lost.
#[derive(Debug)]
#[must_use = "write it first: what is left when it is dropped is copied"]
pub struct Lent<'message> {
    outgoing: &'message mut Outgoing,
    /// How many bytes precede the frame: those that were outgoing.
    ahead: usize,
    header: EncodedHeader,
    payload: LentPayload<'message>,
    /// How many bytes there are altogether, and how many of them were written.
    len: usize,
    written: usize,
}

#[derive(Debug)]
enum LentPayload<'message> {
    Borrowed(&'message [u8]),
    Shared(Bytes),
    Masked(Box<MaskedParts<'message>>),
}

impl<'message> Lent<'message> {
    /// Lends a frame that is to follow what is outgoing.
    #[inline]
    pub(crate) fn frame(
        outgoing: &'message mut Outgoing,
        header: EncodedHeader,
        mask: Option<MaskingKey>,
        payload: Payload<'message>,
    ) -> Self {
        let ahead = outgoing.remaining();
        let len = ahead + header.len() + payload.len();
        let payload = match mask {
            None => match payload.try_into_borrowed() {
                Ok(bytes) => LentPayload::Borrowed(bytes),
                Err(bytes) => LentPayload::Shared(bytes),
            },
            Some(key) => LentPayload::Masked(Box::new(MaskedParts::new(key, payload))),
        };
        Self { outgoing, ahead, header, payload, len, written: 0 }
    }

    /// Adds no frame, because the message is already in the queue.
    #[inline]
    pub(crate) fn queued(outgoing: &'message mut Outgoing) -> Self {
        Self::frame(outgoing, EncodedHeader::EMPTY, None, Payload::default())
    }

    #[inline]
    fn frame_written(&self) -> usize {
        self.written.saturating_sub(self.ahead)
    }

    #[inline]
    fn payload_written(&self) -> usize {
        self.frame_written().saturating_sub(self.header.len())
    }

    #[inline]
    fn header_chunk(&self) -> &[u8] {
        self.header.behind(self.frame_written())
    }

    /// The part of the payload to write next: all that is left, unless it is masked part by part.
    #[inline]
    fn payload_chunk(&self) -> &[u8] {
        let written = self.payload_written();
        match &self.payload {
            LentPayload::Borrowed(bytes) => bytes.get(written..).unwrap_or_default(),
            LentPayload::Shared(bytes) => bytes.get(written..).unwrap_or_default(),
            LentPayload::Masked(parts) => parts.chunk(written),
        }
    }

    /// Queues the unwritten rest of the frame.
    #[cold]
    fn queue_rest(&mut self) {
        let header = self.header.behind(self.frame_written());
        let written = self.payload_written();
        match &mut self.payload {
            LentPayload::Borrowed(bytes) => {
                let rest = bytes.get(written..).unwrap_or_default();
                long_frame::push(self.outgoing, header, None, rest.into());
            }
            LentPayload::Shared(bytes) => {
                let rest = bytes.split_off(written);
                long_frame::push(self.outgoing, header, None, rest.into());
            }
            LentPayload::Masked(parts) => parts.queue_rest(self.outgoing, header, written),
        }
    }
}

impl Buf for Lent<'_> {
    #[inline]
    fn remaining(&self) -> usize {
        self.len - self.written
    }

    #[inline]
    fn chunk(&self) -> &[u8] {
        match (self.outgoing.chunk(), self.header_chunk()) {
            ([], []) => self.payload_chunk(),
            ([], header) => header,
            (outgoing, _) => outgoing,
        }
    }

    #[cfg(feature = "std")]
    #[inline]
    fn chunks_vectored<'a>(&'a self, destination: &mut [std::io::IoSlice<'a>]) -> usize {
        let mut count = 0;
        if self.written < self.ahead {
            count = self.outgoing.chunks_vectored(destination);
        }
        for chunk in [self.header_chunk(), self.payload_chunk()] {
            if let Some(slot) = destination.get_mut(count).filter(|_| !chunk.is_empty()) {
                *slot = std::io::IoSlice::new(chunk);
                count += 1;
            }
        }
        if !matches!(self.payload, LentPayload::Masked(_)) {
            return count;
        }
        // If a slot were left, all that remains would have to be in the others. So fill them all.
        for slot in destination.iter_mut().skip(count) {
            *slot = std::io::IoSlice::new(&[]);
        }
        destination.len()
    }

    /// Takes `count` bytes off the front, or all if there are fewer.
    #[inline]
    fn advance(&mut self, count: usize) {
        let count = count.min(self.remaining());
        if self.written < self.ahead {
            self.outgoing.remove(count.min(self.ahead - self.written));
        }
        self.written += count;
        let written = self.payload_written();
        if let LentPayload::Masked(parts) = &mut self.payload {
            parts.mask_behind(written);
        }
    }
}

impl Drop for Lent<'_> {
    #[inline]
    fn drop(&mut self) {
        // What was outgoing before is still queued.
        let frame_is_left = self.len > self.written.max(self.ahead);
        if frame_is_left {
            self.queue_rest();
        }
        // Only now, because a Pong that was waiting for this must not come in between.
        self.outgoing.note_written(self.written);
    }
}

/// A payload that is masked part by part, as it is written.
#[derive(Debug)]
struct MaskedParts<'message> {
    key: MaskingKey,
    payload: Payload<'message>,
    /// How much of the payload precedes the masked part.
    before: usize,
    masked: Vec<u8>,
}

impl<'message> MaskedParts<'message> {
    #[cold]
    fn new(key: MaskingKey, payload: Payload<'message>) -> Self {
        let mut parts = Self { key, payload, before: 0, masked: Vec::new() };
        parts.mask_next();
        parts
    }

    /// Where the masked part ends in the payload.
    fn masked_to(&self) -> usize {
        self.before + self.masked.len()
    }

    /// Masks the next part in place of the previous one. If another follows, its length is a multiple of
    /// four, so that the key starts over after it.
    fn mask_next(&mut self) {
        self.before = self.masked_to();
        self.masked.clear();
        let rest = self.payload.get(self.before..).unwrap_or_default();
        self.key.append(rest.get(..SEGMENT).unwrap_or(rest), &mut self.masked);
    }

    /// Masks what follows the first `written` bytes of the payload.
    #[cold]
    fn mask_behind(&mut self, written: usize) {
        while written >= self.masked_to() && self.masked_to() < self.payload.len() {
            self.mask_next();
        }
    }

    /// The masked bytes after the first `written` bytes of the payload.
    #[cold]
    fn chunk(&self, written: usize) -> &[u8] {
        self.masked.get(written - self.before..).unwrap_or_default()
    }

    fn queue_rest(&mut self, outgoing: &mut Outgoing, header: &[u8], written: usize) {
        let masked_to = self.masked_to();
        let mut masked = Bytes::from(mem::take(&mut self.masked));
        masked.advance(written - self.before);
        long_frame::push(outgoing, header, None, masked.into());
        let unmasked = self.payload.get(masked_to..).unwrap_or_default();
        if !unmasked.is_empty() {
            long_frame::push(outgoing, &[], Some(self.key), unmasked.into());
        }
    }
}
