use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use bytes::Buf;

use crate::connection::long_frame;
use crate::connection::outgoing::{Outgoing, SEGMENT};
use crate::frame::{EncodedHeader, MaskingKey};
use crate::message::Payload;

/// A message on its way out that still lies where its sender has it; see
/// [`Connection::lend`](crate::Connection::lend).
///
/// As a [`Buf`] it is all that is outgoing, with the message at its end. What was not written of that when
/// this is dropped is queued, with a copy if the payload was borrowed. So let it be dropped: one that is
/// [forgotten](core::mem::forget) takes the rest of a frame with it.
#[derive(Debug)]
#[must_use = "write it first: what is left when it is dropped is copied"]
pub struct Lent<'message> {
    outgoing: &'message mut Outgoing,
    /// What was not written of the frame that follows what is outgoing.
    header: EncodedHeader,
    payload: Payload<'message>,
    /// What comes behind that, where not all of a payload is masked yet.
    unmasked: Option<Box<Unmasked<'message>>>,
    /// How many bytes were written.
    written: usize,
}

/// The rest of a payload that is masked part by part.
#[derive(Debug)]
struct Unmasked<'message> {
    key: MaskingKey,
    payload: Payload<'message>,
}

impl Unmasked<'_> {
    /// Masks the next part. It has a multiple of four bytes if another follows, so that the key begins anew behind it.
    fn mask_part(&mut self) -> Payload<'static> {
        let part = self.payload.get(..SEGMENT).unwrap_or(&self.payload);
        let mut masked = Vec::with_capacity(part.len());
        self.key.append(part, &mut masked);
        self.payload.remove(SEGMENT);
        masked.into()
    }
}

impl<'message> Lent<'message> {
    /// A frame that is to follow what is outgoing.
    #[inline]
    pub(crate) fn frame(
        outgoing: &'message mut Outgoing,
        header: EncodedHeader,
        mask: Option<MaskingKey>,
        payload: Payload<'message>,
    ) -> Self {
        let mut lent = Self { outgoing, header, payload, unmasked: None, written: 0 };
        if let Some(key) = mask {
            lent.begin_to_mask(key);
        }
        lent
    }

    /// Nothing, because the message is in the queue already.
    #[inline]
    pub(crate) fn queued(outgoing: &'message mut Outgoing) -> Self {
        Self::frame(outgoing, EncodedHeader::EMPTY, None, Payload::default())
    }

    #[cold]
    fn begin_to_mask(&mut self, key: MaskingKey) {
        self.unmasked = Some(Box::new(Unmasked { key, payload: mem::take(&mut self.payload) }));
        self.mask_part();
    }

    /// Goes on with the next part, when nothing of the one before is left.
    fn mask_part(&mut self) {
        self.payload = Payload::default();
        self.payload = self.unmasked.as_mut().map(|rest| rest.mask_part()).unwrap_or_default();
        self.unmasked.take_if(|rest| rest.payload.is_empty());
    }

    /// Takes bytes off the front of the payload, which may be more than its masked part has.
    #[cold]
    fn remove_parts(&mut self, mut count: usize) {
        while self.unmasked.is_some() && count >= self.payload.len() {
            count -= self.payload.len();
            self.mask_part();
        }
        self.payload.remove(count);
    }

    /// Queues what was not written of the frame.
    #[cold]
    fn queue_rest(&mut self) {
        let payload = mem::take(&mut self.payload);
        long_frame::push(self.outgoing, self.header.as_ref(), None, payload);
        if let Some(Unmasked { key, payload }) = self.unmasked.take().map(|unmasked| *unmasked) {
            long_frame::push(self.outgoing, &[], Some(key), payload);
        }
    }
}

impl Buf for Lent<'_> {
    #[inline]
    fn remaining(&self) -> usize {
        let unmasked = self.unmasked.as_ref().map_or(0, |unmasked| unmasked.payload.len());
        self.outgoing.remaining() + self.header.as_ref().len() + self.payload.len() + unmasked
    }

    #[inline]
    fn chunk(&self) -> &[u8] {
        match (self.outgoing.chunk(), self.header.as_ref()) {
            ([], []) => &self.payload,
            ([], header) => header,
            (outgoing, _) => outgoing,
        }
    }

    #[cfg(feature = "std")]
    #[inline]
    fn chunks_vectored<'a>(&'a self, destination: &mut [std::io::IoSlice<'a>]) -> usize {
        let mut count = 0;
        if self.outgoing.has_remaining() {
            count = self.outgoing.chunks_vectored(destination);
        }
        for chunk in [self.header.as_ref(), &self.payload] {
            if let Some(slot) = destination.get_mut(count).filter(|_| !chunk.is_empty()) {
                *slot = std::io::IoSlice::new(chunk);
                count += 1;
            }
        }
        if self.unmasked.is_none() {
            return count;
        }
        // Where a slot is left, all that remains has to be in the others. So none is.
        for slot in destination.iter_mut().skip(count) {
            *slot = std::io::IoSlice::new(&[]);
        }
        destination.len()
    }

    /// Takes `count` bytes off the front, or all where there are fewer.
    #[inline]
    fn advance(&mut self, count: usize) {
        let count = count.min(self.remaining());
        self.written += count;
        let ahead = count.min(self.outgoing.remaining());
        if ahead > 0 {
            self.outgoing.remove(ahead);
        }
        let left = self.header.remove(count - ahead);
        if self.unmasked.is_none() {
            self.payload.remove(left);
        } else {
            self.remove_parts(left);
        }
    }
}

impl Drop for Lent<'_> {
    #[inline]
    fn drop(&mut self) {
        // Where another part is to be masked, the one before it isn't written either.
        if !self.payload.is_empty() {
            self.queue_rest();
        }
        // Only now, because a Pong that was waiting for this must not come between.
        self.outgoing.note_written(self.written);
    }
}
