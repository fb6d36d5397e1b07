use std::io::{self, Read, Write};
use std::time::Duration;

use crate::blocking::deadline::Deadline;
use crate::blocking::stream::Stream;

/// A small buffer to begin with: most connections are idle, and most messages short.
const LEAST: usize = 4 * 1024;

/// Beyond this, a larger buffer saves no system calls that matter, and the cache has other uses too.
const MOST: usize = 128 * 1024;

/// After this many reads in a row that needed less than a quarter, half of the buffer is given back.
const PATIENCE: u8 = 32;

/// A larger buffer than an idle connection needs is kept for this long while nothing arrives.
const KEPT_FOR: Duration = Duration::from_secs(1);

/// What was read and not taken yet.
///
/// It grows while reads fill it, shrinks while they don't, and is given back while nothing arrives. Memory is
/// initialised when the buffer grows, not at every read.
#[derive(Debug, Default)]
pub(super) struct ReadBuffer {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    small_reads: u8,
    /// Until when a larger buffer is kept, if nothing has arrived for a while.
    kept_until: Option<Deadline>,
}

/// What is left to be taken, recorded on drop even after a panic: what was taken is unmasked, and must not be
/// seen again.
pub(super) struct Unread<'b> {
    input: &'b mut [u8],
    start: &'b mut usize,
    end: usize,
}

impl<'b> Unread<'b> {
    #[inline(always)]
    pub(super) const fn input(&mut self) -> &mut &'b mut [u8] {
        &mut self.input
    }
}

impl Drop for Unread<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        *self.start = self.end - self.input.len();
    }
}

impl ReadBuffer {
    /// Until when nothing has to arrive before this should be [given back](Self::release); never, if it is small
    /// enough for an idle connection.
    pub(super) fn kept_until(&mut self) -> Deadline {
        if self.bytes.len() <= LEAST {
            return Deadline::NEVER;
        }
        *self.kept_until.get_or_insert_with(|| Deadline::after(KEPT_FOR))
    }

    /// Whether nothing has arrived for so long that this should be given back, or there is hardly anything to keep.
    pub(super) fn has_been_kept(&self) -> bool {
        self.bytes.len() <= LEAST || self.kept_until.is_some_and(Deadline::has_passed)
    }

    /// Lets `take` cut what it needs off the front of the bytes that are there.
    pub(super) fn consume<'b, T>(&'b mut self, take: impl FnOnce(&mut &'b mut [u8]) -> T) -> T {
        take(self.unread().input())
    }

    /// The bytes that are there, to be taken from the front.
    #[inline(always)]
    pub(super) fn unread(&mut self) -> Unread<'_> {
        let Self { bytes, start, end, .. } = self;
        let input = bytes.get_mut(*start..*end).unwrap_or_default();
        Unread { input, start, end: *end }
    }

    /// Whether everything was taken.
    pub(super) const fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Reads more with one call of `read`, once everything was taken; returns 0 at the end of the stream.
    pub(super) fn fill<S: Read + Write>(
        &mut self,
        stream: &mut Stream<S>,
        read: impl FnOnce(&mut Stream<S>, &mut [u8]) -> io::Result<usize>,
    ) -> io::Result<usize> {
        if self.bytes.is_empty() {
            self.bytes = vec![0; LEAST];
        }
        let count = read(stream, &mut self.bytes)?;
        (self.start, self.end) = (0, count);
        self.kept_until = None;
        if count == self.bytes.len() && count < MOST {
            // The bytes that are there stay at the front.
            self.bytes.resize(count * 2, 0);
            self.small_reads = 0;
        } else if count < self.bytes.len() / 4 {
            self.small_reads = self.small_reads.saturating_add(1);
        } else {
            self.small_reads = 0;
        }
        if self.small_reads == PATIENCE {
            self.small_reads = 0;
            self.bytes.truncate((self.bytes.len() / 2).max(LEAST));
            self.bytes.shrink_to_fit();
        }
        Ok(count)
    }

    /// Gives the memory back while nothing arrives.
    pub(super) fn release(&mut self) {
        if self.is_empty() {
            *self = Self::default();
        }
    }
}
