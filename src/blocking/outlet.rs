use std::io::{Read, Write};
use std::time::Duration;

use crate::blocking::error::Error;
use crate::blocking::outbound::Outbound;
use crate::blocking::stream::Stream;
use crate::blocking::timeouts::Timeouts;
use crate::message::Message;

/// How the reading thread gets at the sending half, and how that half's bytes get to the wire.
pub(super) trait Outlet<S> {
    /// Accesses the sending half, for a moment.
    fn outbound<T>(&mut self, access: impl FnOnce(&mut Outbound) -> T) -> T;

    /// Returns the message with bytes of its own.
    fn own(&mut self, message: Message<'_>) -> Message<'static> {
        message.into_owned()
    }

    /// Writes what is queued, as far as the reading thread should wait for that.
    fn flush(&mut self, stream: &mut Stream<S>) -> Result<Flushed, Error>;

    /// Writes what is waiting, as far as there is time: the peer sends nothing more, but may still read.
    fn flush_after_eof(&mut self, timeouts: &Timeouts);

    /// Whether so much is queued that it has to be written before more is handed out.
    fn must_write(&mut self) -> bool;

    /// How long a read may wait before this outlet has to be checked again.
    fn max_wait(&self, flushed: Flushed, timeouts: &Timeouts) -> Option<Duration>;
}

/// How far a flush has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flushed {
    Everything,
    /// The rest waits for the peer, or for another thread.
    Partly,
}

/// A connection that one thread has to itself: that thread reads, and writes everything.
impl<S: Read + Write> Outlet<S> for Outbound {
    #[inline]
    fn outbound<T>(&mut self, access: impl FnOnce(&mut Self) -> T) -> T {
        access(self)
    }

    #[inline(always)]
    fn own(&mut self, message: Message<'_>) -> Message<'static> {
        message.into_owned_in(&mut self.spare)
    }

    fn flush(&mut self, stream: &mut Stream<S>) -> Result<Flushed, Error> {
        Self::flush(self, stream).map(|()| Flushed::Everything)
    }

    fn flush_after_eof(&mut self, _: &Timeouts) {
        // They were written before anything was read, unless there was no time for that.
    }

    #[inline]
    fn must_write(&mut self) -> bool {
        Self::must_write(self)
    }

    fn max_wait(&self, _: Flushed, _: &Timeouts) -> Option<Duration> {
        None
    }
}
