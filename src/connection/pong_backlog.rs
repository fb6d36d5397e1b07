use alloc::boxed::Box;

use crate::connection::control_buffer::ControlBuffer;

/// How many bytes of Pong frames may wait in the outgoing queue before only the latest is kept.
const LIMIT: u32 = 4 * 1024;

/// Keeps automatic Pongs from piling up for a peer that doesn't read.
///
/// While the backlog is short, every Ping is answered in order. Past the limit, only the latest is
/// (RFC 6455, section 5.5.3): its Pong waits here, encoded, until those queued before have left.
#[derive(Debug, Default)]
pub(crate) struct PongBacklog {
    /// How many bytes of Pongs were queued since the queue was last free of them.
    queued: u32,
    /// How many bytes have to be written before the last of them has left. With more than 4 GiB
    /// before it, it counts as gone once 4 GiB have been written.
    until_free: u32,
    deferred: Option<Box<ControlBuffer>>,
}

impl PongBacklog {
    /// Counts a Pong frame of this many bytes as queued after `outgoing` other bytes; returns `false` if it may
    /// not be queued.
    #[inline]
    pub(crate) fn reserve(&mut self, frame: usize, outgoing: usize) -> bool {
        let queued = self.queued.saturating_add(saturated(frame));
        let reserved = self.deferred.is_none() && queued <= LIMIT;
        if reserved {
            self.queued = queued;
            self.until_free = saturated(outgoing.saturating_add(frame));
        }
        reserved
    }

    /// Returns room for a deferred frame, in place of any earlier one.
    #[inline]
    pub(crate) fn defer(&mut self) -> &mut ControlBuffer {
        let deferred = self.deferred.get_or_insert_with(ControlBuffer::boxed);
        deferred.clear();
        deferred
    }

    /// Notes that bytes were written; returns the deferred frame if it is its turn.
    #[inline]
    pub(crate) fn advance(&mut self, written: usize) -> Option<Box<ControlBuffer>> {
        self.until_free = self.until_free.saturating_sub(saturated(written));
        if self.until_free > 0 {
            return None;
        }
        self.queued = 0;
        self.deferred.take()
    }

    /// Takes the deferred frame out of turn, because nothing may come later.
    pub(crate) fn take(&mut self) -> Option<Box<ControlBuffer>> {
        self.deferred.take()
    }
}

#[inline]
pub(super) fn saturated(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
