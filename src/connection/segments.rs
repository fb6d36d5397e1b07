use alloc::collections::VecDeque;

use bytes::{Buf, Bytes};

/// A queue of byte strings that are taken off its front, whole or in part. None is empty.
///
/// The first has a place of its own, because it is usually the only one.
#[derive(Debug, Default)]
pub(crate) struct Segments {
    /// Empty if there is none at all.
    first: Bytes,
    others: VecDeque<Bytes>,
    len: usize,
}

impl Segments {
    /// How many bytes the segments have together.
    #[inline]
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Bytes> {
        Some(&self.first).filter(|first| !first.is_empty()).into_iter().chain(&self.others)
    }

    #[inline]
    pub(crate) fn push(&mut self, segment: Bytes) {
        debug_assert!(!segment.is_empty(), "an empty segment would never be taken off");
        self.len += segment.len();
        if self.first.is_empty() {
            self.first = segment;
        } else {
            self.others.push_back(segment);
        }
    }

    /// Takes `count` bytes off the front, or all if there are fewer; returns how many were missing.
    #[inline(never)]
    pub(crate) fn advance(&mut self, mut count: usize) -> usize {
        loop {
            let taken = count.min(self.first.len());
            self.first.advance(taken);
            self.len -= taken;
            count -= taken;
            if !self.first.is_empty() {
                return count;
            }
            let Some(next) = self.others.pop_front() else {
                // Even an empty rest would keep all of its storage.
                self.first = Bytes::new();
                return count;
            };
            self.first = next;
        }
    }
}
