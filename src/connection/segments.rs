use alloc::collections::VecDeque;

use bytes::{Buf, Bytes};

/// A queue of byte strings that are taken off its front, whole or in part. None is empty.
#[derive(Debug, Default)]
pub(crate) struct Segments {
    queue: VecDeque<Bytes>,
    len: usize,
}

impl Segments {
    /// How many bytes they have together.
    #[inline]
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Bytes> {
        self.queue.iter()
    }

    pub(crate) fn push(&mut self, segment: Bytes) {
        debug_assert!(!segment.is_empty(), "an empty segment would never be taken off");
        self.len += segment.len();
        self.queue.push_back(segment);
    }

    /// Takes `count` bytes off the front, or all where there are fewer; gives how many there were
    /// too few.
    pub(crate) fn advance(&mut self, mut count: usize) -> usize {
        while let Some(segment) = self.queue.front_mut() {
            let taken = count.min(segment.len());
            segment.advance(taken);
            self.len -= taken;
            count -= taken;
            if !segment.is_empty() {
                break;
            }
            self.queue.pop_front();
        }
        count
    }
}
