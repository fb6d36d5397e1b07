use core::mem;

use bytes::Buf;

use crate::connection::long_frame;
use crate::connection::outgoing::Outgoing;
use crate::frame::EncodedHeader;
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
    /// How many bytes were written.
    written: usize,
}

impl<'message> Lent<'message> {
    /// A frame that is to follow what is outgoing.
    #[inline]
    pub(crate) fn frame(
        outgoing: &'message mut Outgoing,
        header: EncodedHeader,
        payload: Payload<'message>,
    ) -> Self {
        Self { outgoing, header, payload, written: 0 }
    }

    /// Nothing, because the message is in the queue already.
    #[inline]
    pub(crate) fn queued(outgoing: &'message mut Outgoing) -> Self {
        Self::frame(outgoing, EncodedHeader::EMPTY, Payload::default())
    }
}

impl Buf for Lent<'_> {
    #[inline]
    fn remaining(&self) -> usize {
        self.outgoing.remaining() + self.header.as_ref().len() + self.payload.len()
    }

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
        count
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
        self.payload.remove(left);
    }
}

impl Drop for Lent<'_> {
    #[inline]
    fn drop(&mut self) {
        if !self.payload.is_empty() {
            let payload = mem::take(&mut self.payload);
            long_frame::push(self.outgoing, self.header.as_ref(), None, payload);
        }
        // Only now, because a Pong that was waiting for this must not come between.
        self.outgoing.note_written(self.written);
    }
}
