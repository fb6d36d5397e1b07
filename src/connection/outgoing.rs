use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use bytes::{Buf, Bytes};

use crate::connection::control_buffer::ControlBuffer;
use crate::connection::pong_backlog::{PongBacklog, saturated};
use crate::connection::segments::Segments;
use crate::copying;
use crate::frame::EncodedHeader;

/// The size to which small frames are gathered before a new segment is begun.
pub(crate) const SEGMENT: usize = 64 * 1024;

/// The room that a first small frame makes, for those that will follow.
const FIRST_ROOM: usize = 512;

/// The bytes that wait to be written, in order.
///
/// A queue of segments that implements [`Buf`]: write
/// [`chunks_vectored`](Buf::chunks_vectored) or [`chunk`](Buf::chunk), then
/// [`advance`](Buf::advance) by what was written. Small frames share a segment; a large payload has
/// segments of its own, and isn't copied if it is shared. All storage is freed once the last byte has
/// been taken; a caller with many connections can [lend](Self::lend_storage) the same storage to one
/// after the other.
#[derive(Debug)]
pub struct Outgoing {
    /// Complete segments, to be written before the tail; most connections have none.
    segments: Option<Box<Segments>>,
    /// The segment that grows.
    tail: Vec<u8>,
    /// How many bytes of the tail were written already.
    tail_written: u32,
    /// How long small frames had made the previous tail, so that the next has as much room from the start;
    /// zero once it has been used.
    tail_before: u16,
    /// Whether the storage of the tail is the caller's.
    storage_is_lent: bool,
    pongs: PongBacklog,
    /// How many bytes were ever written.
    #[cfg(feature = "std")]
    written: u64,
}

impl Outgoing {
    /// An empty queue. Not a `Default`, so that nobody takes one out of its connection, which counts what it writes.
    pub(crate) fn new() -> Self {
        Self {
            segments: None,
            tail: Vec::new(),
            tail_written: 0,
            tail_before: 0,
            storage_is_lent: false,
            pongs: PongBacklog::default(),
            #[cfg(feature = "std")]
            written: 0,
        }
    }

    /// Returns the growing segment, with room for `additional` bytes, far fewer than [`SEGMENT`].
    #[inline]
    pub(crate) fn tail(&mut self, additional: usize) -> &mut Vec<u8> {
        if self.tail_with_room(additional).is_none() {
            self.make_room(additional);
        }
        &mut self.tail
    }

    /// Returns the growing segment if it already has that much room.
    #[inline]
    pub(crate) fn tail_with_room(&mut self, additional: usize) -> Option<&mut Vec<u8>> {
        let has_room = self.tail.capacity() - self.tail.len() >= additional;
        has_room.then_some(&mut self.tail)
    }

    /// Whether there is a segment that grows.
    pub(crate) fn has_tail(&self) -> bool {
        !self.tail.is_empty()
    }

    /// Appends the header, which may be empty, of a frame whose payload follows in segments of its own.
    pub(crate) fn push_header(&mut self, header: &[u8]) {
        if self.has_tail() {
            self.tail(header.len()).extend_from_slice(header);
        } else if !header.is_empty() {
            self.push(Bytes::copy_from_slice(header));
        }
    }

    /// Appends a segment without copying it.
    pub(crate) fn push(&mut self, segment: Bytes) {
        self.seal_tail();
        self.segments.get_or_insert_default().push(segment);
    }

    /// Returns the first chunks, at most `most`, shared.
    ///
    /// They can be written while others, under a lock, queue more after them. Then
    /// [`advance`](Buf::advance) by what was written.
    ///
    /// ```
    /// use sansocket::bytes::Buf;
    /// use sansocket::{Config, Connection, Role};
    ///
    /// let mut connection = Connection::new(Role::Server, Config::default());
    /// connection.send("one")?;
    /// let chunks = connection.outgoing().share(16);
    /// connection.send("two")?;
    /// assert_eq!(chunks.concat(), b"\x81\x03one");
    /// connection.outgoing().advance(5);
    /// assert_eq!(connection.outgoing().chunk(), b"\x81\x03two");
    /// # Ok::<(), sansocket::SendError>(())
    /// ```
    pub fn share(&mut self, most: usize) -> Vec<Bytes> {
        // Left to grow while there is enough before it: a long queue of small frames isn't cut into as many segments.
        let segments = self.segments.iter().flat_map(|segments| segments.iter());
        if segments.take(most).count() < most {
            self.seal_tail();
        }
        self.segments.iter().flat_map(|segments| segments.iter()).take(most).cloned().collect()
    }

    /// Lends the queue storage for what comes next, if it has none.
    ///
    /// A turn of an event loop then allocates nothing, and the one storage of all turns stays in the cache.
    /// [Reclaim](Self::reclaim_storage) it at the end of the turn, by when it may have grown, to 64 KiB at
    /// most. It need not be large or empty.
    ///
    /// ```
    /// use sansocket::bytes::Buf;
    /// use sansocket::{Config, Connection, Role};
    ///
    /// let mut storage = Vec::new();
    /// let mut connections = [(); 3].map(|()| Connection::new(Role::Server, Config::default()));
    /// for connection in &mut connections {
    ///     connection.outgoing().lend_storage(&mut storage);
    ///     connection.send("one")?;
    ///     assert_eq!(connection.outgoing().chunk(), b"\x81\x03one");
    ///     connection.outgoing().advance(5);
    ///     connection.outgoing().reclaim_storage(&mut storage);
    /// }
    /// # Ok::<(), sansocket::SendError>(())
    /// ```
    #[inline]
    pub fn lend_storage(&mut self, storage: &mut Vec<u8>) {
        if self.tail.capacity() == 0 {
            self.tail = mem::take(storage);
            self.tail.clear();
            self.storage_is_lent = true;
        }
    }

    /// Takes back the storage that was lent, or what has replaced it.
    ///
    /// Leaves `storage` alone if nothing was lent, or if a long queue holds it. What is still to be written
    /// moves to storage of its own, of just that length.
    #[inline]
    pub fn reclaim_storage(&mut self, storage: &mut Vec<u8>) {
        if mem::take(&mut self.storage_is_lent) {
            let lent = mem::take(&mut self.tail);
            if !lent.is_empty() {
                self.keep_unwritten(&lent);
            }
            *storage = lent;
        }
    }

    /// Counts an automatic Pong of this size as queued, as it then has to be; returns `false` if it is to be
    /// [deferred](Self::deferred_pong).
    #[inline]
    pub(crate) fn reserve_pong(&mut self, size: usize) -> bool {
        let waiting = self.remaining();
        self.pongs.reserve(size, waiting)
    }

    /// Returns the empty buffer where the frame of an automatic Pong waits its turn, in place of any earlier
    /// one.
    #[inline]
    pub(crate) fn deferred_pong(&mut self) -> &mut ControlBuffer {
        self.pongs.defer()
    }

    /// Appends the Pong that was waiting its turn, because a Close frame is to follow.
    pub(crate) fn flush_deferred(&mut self) {
        if let Some(frame) = self.pongs.take() {
            self.tail(frame.len()).extend_from_slice(&frame);
        }
    }

    /// How many bytes were ever written: everything before this [`position`](Self::position) has left.
    #[cfg(feature = "std")]
    pub(crate) const fn written(&self) -> u64 {
        self.written
    }

    /// Where the queue ends now, counted as [`written`](Self::written) is.
    #[cfg(feature = "std")]
    pub(crate) fn position(&self) -> u64 {
        self.written + self.remaining() as u64
    }

    /// Takes bytes off the front, no more than there are. The caller is to
    /// [note](Self::note_written) that they were written.
    #[inline]
    pub(crate) fn remove(&mut self, count: usize) {
        let left = match &mut self.segments {
            Some(segments) => segments.advance(count),
            None => count,
        };
        self.tail_written += saturated(left);
        if self.remaining() == 0 {
            self.free();
        }
    }

    /// Gives up everything that waits, as if it had been written.
    pub(crate) fn discard(&mut self) {
        // A Pong that waits its turn comes after the rest.
        while self.has_remaining() {
            self.advance(self.remaining());
        }
    }

    /// Frees the storage, as nothing is left in it.
    #[inline]
    fn free(&mut self) {
        if self.segments.is_some() {
            self.segments = None;
        } else {
            self.tail_before = self.tail.len().try_into().unwrap_or(u16::MAX);
        }
        self.tail.clear();
        self.tail_written = 0;
        if !self.storage_is_lent {
            self.tail = Vec::new();
        }
    }

    /// Counts bytes that were written, after which it may be a deferred Pong's turn.
    #[inline]
    pub(crate) fn note_written(&mut self, count: usize) {
        #[cfg(feature = "std")]
        {
            self.written += count as u64;
        }
        if let Some(pong) = self.pongs.advance(count) {
            self.queue_deferred(&pong);
        }
    }

    #[cold]
    fn queue_deferred(&mut self, pong: &ControlBuffer) {
        let reserved = self.reserve_pong(pong.len());
        debug_assert!(reserved, "one frame is within the backlog");
        self.tail(pong.len()).extend_from_slice(pong);
    }

    #[inline(never)]
    fn make_room(&mut self, additional: usize) {
        // A segment gets room to become as long as the one before: every time while small frames fill them,
        // but only once after that, as long payloads may come, each with a segment for its header.
        let room = if self.tail.len() + additional > SEGMENT {
            self.tail_before = self.tail.len().try_into().unwrap_or(u16::MAX);
            self.seal_tail();
            room_like(self.tail_before)
        } else if self.tail.is_empty() {
            FIRST_ROOM.max(room_like(mem::take(&mut self.tail_before)))
        } else {
            // If only doubled, a segment filled by small frames would be copied about once as a whole.
            (3 * self.tail.len()).min(SEGMENT - self.tail.len())
        };
        let room = additional.max(room);
        if self.tail.is_empty() {
            self.tail = Vec::with_capacity(room);
        } else {
            self.tail.reserve_exact(room);
        }
    }

    fn seal_tail(&mut self) {
        if self.tail.is_empty() {
            return;
        }
        let segment = if self.tail.len() < self.tail.capacity() / 2 {
            // Storage that is mostly empty isn't given away: its bytes count as few, but would keep all of it.
            let unwritten = copying::to_vec(self.unwritten_tail());
            self.tail.clear();
            Bytes::from(unwritten)
        } else {
            self.storage_is_lent = false;
            let mut segment = Bytes::from(mem::take(&mut self.tail));
            segment.advance(self.tail_written as usize);
            segment
        };
        self.tail_written = 0;
        self.segments.get_or_insert_default().push(segment);
    }

    /// Moves the unwritten bytes of this tail to a tail of its own.
    #[cold]
    fn keep_unwritten(&mut self, tail: &[u8]) {
        let written = mem::take(&mut self.tail_written) as usize;
        self.tail = copying::to_vec(tail.get(written..).unwrap_or_default());
    }

    fn unwritten_tail(&self) -> &[u8] {
        self.tail.get(self.tail_written as usize..).unwrap_or_default()
    }
}

/// The room for a segment that becomes as long as one before it.
fn room_like(before: u16) -> usize {
    SEGMENT.min(usize::from(before) + EncodedHeader::ROOM)
}

impl Buf for Outgoing {
    #[inline]
    fn remaining(&self) -> usize {
        let segments = self.segments.as_ref().map_or(0, |segments| segments.len());
        segments + self.tail.len() - self.tail_written as usize
    }

    #[inline]
    fn chunk(&self) -> &[u8] {
        match self.segments.as_ref().and_then(|segments| segments.iter().next()) {
            Some(segment) => segment,
            None => self.unwritten_tail(),
        }
    }

    #[cfg(feature = "std")]
    fn chunks_vectored<'a>(&'a self, destination: &mut [std::io::IoSlice<'a>]) -> usize {
        let tail = Some(self.unwritten_tail()).filter(|tail| !tail.is_empty());
        let segments = self.segments.iter().flat_map(|segments| segments.iter());
        let segments = segments.map(|segment| &**segment).chain(tail);
        let mut count = 0;
        for (slot, segment) in destination.iter_mut().zip(segments) {
            *slot = std::io::IoSlice::new(segment);
            count += 1;
        }
        count
    }

    /// Takes `count` bytes off the front, or all if there are fewer.
    #[inline]
    fn advance(&mut self, count: usize) {
        let count = count.min(self.remaining());
        self.remove(count);
        self.note_written(count);
    }
}
