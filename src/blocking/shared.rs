use std::io::{Read, Write};
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::thread;
use std::time::Duration;

use bytes::{Buf, Bytes};

use crate::blocking::deadline::{Calls, Deadline};
use crate::blocking::error::Error;
use crate::blocking::lock::{into_inner, lock, try_lock};
use crate::blocking::outbound::{Outbound, TRY_FLUSH_FOR, WriteBound};
use crate::blocking::outbox::Replies;
use crate::blocking::outlet::{Flushed, Outlet};
use crate::blocking::shutdown::Slot;
use crate::blocking::sink::{Sink, Wait, unless_timed_out};
use crate::blocking::stream::{MAX_SLICES, Stream};
use crate::blocking::timeouts::Timeouts;
use crate::connection::{CloseFrame, ControlPayload, PreparedMessage, SendError, SendingHalf};
use crate::message::Message;

/// What the reader and the writers of one connection share.
///
/// There are three locks. A thread that holds more than one has taken them in this order:
///
/// 1. `turn`, for as long as one message takes to be queued, so that no other message gets between the
///    fragments of one that is written piece by piece.
/// 2. `stream`, for as long as a write takes, by a thread that may wait for the peer.
/// 3. `outbound`, for a moment, and never while waiting for something. The longest moment is the one that the
///    compression of a message takes.
///
/// The reader queues its replies under the last lock alone, and writes only if `stream` is free and the peer
/// takes it at once. Otherwise the thread that holds `stream` writes them, or the reader tries again.
#[derive(Debug)]
pub(super) struct Shared<S> {
    turn: Mutex<()>,
    stream: Mutex<Stream<S>>,
    outbound: Mutex<Outbound>,
    /// How many more times the reader looks soon whether something is left of what nobody waits for.
    looks: AtomicU8,
    /// Whether a handler's reply took too long to be written, and `serve` hasn't reported that yet.
    has_reply_timed_out: AtomicBool,
    /// The connection's place in an accept loop, for as long as any of its ends lives.
    slot: OnceLock<Arc<Slot>>,
}

/// How often the reader checks whether waiting replies can be written.
const RETRY: Duration = Duration::from_millis(20);

/// How often it checks, after something was sent that nobody waits for, whether all of that could be written.
const LOOK: Duration = Duration::from_millis(250);

/// How many times it does, unless more is sent: each is a system call, and there may be many connections.
const LOOKS: u8 = 40;

/// The most bytes that one call writes. Until it returns, the reader sees no progress, which is how it tells a slow peer
/// from one that is gone.
const MAX_WRITE: usize = 128 * 1024;

impl<S> Shared<S> {
    pub(super) const fn new(stream: Stream<S>, outbound: Outbound) -> Self {
        Self {
            turn: Mutex::new(()),
            stream: Mutex::new(stream),
            outbound: Mutex::new(outbound),
            looks: AtomicU8::new(0),
            has_reply_timed_out: AtomicBool::new(false),
            slot: OnceLock::new(),
        }
    }

    /// Keeps the place of this connection.
    pub(super) fn keep(&self, slot: Arc<Slot>) {
        let _ = self.slot.set(slot);
    }

    pub(super) fn into_parts(self) -> (Stream<S>, Outbound) {
        (into_inner(self.stream), into_inner(self.outbound))
    }

    pub(super) fn lock_outbound(&self) -> MutexGuard<'_, Outbound> {
        lock(&self.outbound)
    }
}

impl<S: Read + Write> Shared<S> {
    /// Writes everything that is queued now, however long the peer takes.
    pub(super) fn flush(&self) -> Result<(), Error> {
        let mut stream = lock(&self.stream);
        // What the reader has queued meanwhile goes out too. Only once: others may go on queueing for ever.
        let written = (0..2).try_for_each(|_| {
            self.lock_outbound().check_writable()?;
            let bound = |outbound: &mut Outbound| match outbound.write_bound()? {
                WriteBound::Each(timeout) => Ok(timeout),
                WriteBound::All(deadline) => {
                    deadline.remaining().map_err(|error| outbound.write_failed(error))
                }
            };
            self.write_queued(&mut stream, bound)?;
            self.flush_stream(&mut stream, bound)
        });
        if let Err(Error::WriteTimedOut) = written {
            self.lock_outbound().note_stall();
        }
        self.release_stream(stream);
        if written.is_ok() {
            self.write_what_others_queued();
        }
        written
    }

    /// Writes everything that is queued, a Close frame behind it, before the end's deadline.
    pub(super) fn flush_closing(&self) -> Result<(), Error> {
        // Another thread may be in the middle of a write that has more time than that.
        while try_lock(&self.stream).is_none() {
            self.written_in_time()?;
            thread::sleep(RETRY);
        }
        self.flush()
    }

    /// Queues a message with `send`, and writes what the peer takes at once. This needs no turn: a message is
    /// refused while another isn't finished.
    pub(super) fn try_send(
        &self,
        send: impl FnOnce(&mut SendingHalf) -> Result<(), SendError>,
    ) -> Result<(), Error> {
        self.looks.store(LOOKS, Ordering::Relaxed);
        if self.lock_outbound().sending.is_full() {
            // The peer may have taken something since it was last tried. If this fails, so does what follows.
            let _ = self.try_flush();
        }
        let mut outbound = self.lock_outbound();
        send(&mut outbound.sending).map_err(|error| outbound.refusal(error))?;
        let is_left_to_reader = outbound.is_behind() && !outbound.is_aborted;
        drop(outbound);
        // Each try on a peer that takes nothing would cost some time.
        if !is_left_to_reader && self.try_flush()? == Flushed::Everything {
            self.write_what_others_queued();
        }
        Ok(())
    }

    /// Writes what was queued behind the last look of the thread that had the stream, by others who couldn't get it.
    /// Only once: they may go on queueing for ever, and the reader looks too.
    fn write_what_others_queued(&self) {
        if self.lock_outbound().sending.outgoing().has_remaining() {
            // If it fails, the next write does.
            let _ = self.try_flush();
        }
    }

    /// Queues a Close frame. The reader sends it when it next looks, or [`try_flush`](Self::try_flush) does at
    /// once.
    pub(super) fn queue_close(&self, frame: CloseFrame<'_>) {
        self.lock_outbound().sending.close(Some(frame));
    }

    /// Ends the transport: now, or when the thread that is writing lets go of it.
    pub(super) fn abort(&self) {
        // Set first, so that if this doesn't get the stream, the thread that has it sees this afterwards.
        self.lock_outbound().is_aborted = true;
        if let Some(stream) = try_lock(&self.stream) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// How many bytes were ever written, and how long writing more may take, if there is still time for that.
    fn written_in_time(&self) -> Result<(u64, WriteBound), Error> {
        let mut outbound = self.lock_outbound();
        outbound.tick()?;
        let bound = outbound.write_bound()?;
        Ok((outbound.sending.outgoing().written(), bound))
    }

    /// Releases the stream to others, or ends it if it was to be [aborted](Self::abort) meanwhile.
    fn release_stream(&self, stream: MutexGuard<'_, Stream<S>>) {
        drop(stream);
        if self.lock_outbound().is_aborted {
            self.abort();
        }
    }

    /// Writes what is queued, as far as that is possible without waiting.
    pub(super) fn try_flush(&self) -> Result<Flushed, Error> {
        let Some(mut stream) = try_lock(&self.stream) else {
            // Even if nothing is queued any more: it may still be on its way through TLS.
            return Ok(Flushed::Partly);
        };
        let mut calls = Calls::before(Deadline::after(TRY_FLUSH_FOR));
        let mut is_late = false;
        let queued = self.write_queued(&mut stream, |outbound| {
            outbound.write_bound()?;
            calls.next().map_err(|error| {
                is_late = true;
                outbound.write_failed(error)
            })
        });
        // What was written has to leave, however late it is.
        let at_once = |outbound: &mut Outbound| outbound.write_bound().map(|_| Some(TRY_FLUSH_FOR));
        let written = queued.and_then(|()| self.flush_stream(&mut stream, at_once));
        if matches!(written, Err(Error::WriteTimedOut)) && !is_late {
            self.lock_outbound().note_behind();
        }
        self.release_stream(stream);
        match written {
            Ok(()) => Ok(Flushed::Everything),
            Err(Error::WriteTimedOut) => Ok(Flushed::Partly),
            Err(error) => Err(error),
        }
    }

    /// Writes as much as was queued at the start, each call within the time that `bound` returns.
    fn write_queued(
        &self,
        stream: &mut Stream<S>,
        mut bound: impl FnMut(&mut Outbound) -> Result<Option<Duration>, Error>,
    ) -> Result<(), Error> {
        let mut left = self.lock_outbound().sending.outgoing().remaining();
        while left > 0 {
            let (mut chunks, timeout) = {
                let mut outbound = self.lock_outbound();
                let timeout = bound(&mut outbound)?;
                (outbound.sending.outgoing().share(MAX_SLICES), timeout)
            };
            limit(&mut chunks, MAX_WRITE);
            let written = self.write_chunks(stream, &chunks, timeout)?;
            left = if written == 0 { 0 } else { left.saturating_sub(written) };
        }
        Ok(())
    }

    /// Flushes what the stream has held back, within the time that `bound` returns.
    fn flush_stream(
        &self,
        stream: &mut Stream<S>,
        bound: impl FnOnce(&mut Outbound) -> Result<Option<Duration>, Error>,
    ) -> Result<(), Error> {
        if stream.is_unflushed() {
            let timeout = bound(&mut self.lock_outbound())?;
            stream.flush(timeout).map_err(|error| self.lock_outbound().write_failed(error))?;
        }
        self.lock_outbound().note_flushed();
        Ok(())
    }

    fn write_chunks(
        &self,
        stream: &mut Stream<S>,
        chunks: &[Bytes],
        timeout: Option<Duration>,
    ) -> Result<usize, Error> {
        if chunks.is_empty() {
            return Ok(0);
        }
        match stream.write_some(timeout, chunks) {
            Ok(written) => {
                self.lock_outbound().note_written(written);
                Ok(written)
            }
            Err(error) => Err(self.lock_outbound().write_failed(error)),
        }
    }
}

/// Keeps the first `most` bytes of these chunks.
fn limit(chunks: &mut Vec<Bytes>, most: usize) {
    let mut left = most;
    chunks.retain_mut(|chunk| {
        chunk.truncate(left);
        left -= chunk.len();
        !chunk.is_empty()
    });
}

/// The reader's outlet: it queues, and waits for nobody.
impl<S: Read + Write> Outlet<S> for Arc<Shared<S>> {
    fn outbound<T>(&mut self, access: impl FnOnce(&mut Outbound) -> T) -> T {
        access(&mut self.lock_outbound())
    }

    fn flush(&mut self, _: &mut Stream<S>) -> Result<Flushed, Error> {
        self.try_flush()
    }

    fn flush_after_eof(&mut self, timeouts: &Timeouts) {
        // What others queue from now on isn't waited for.
        let last = self.lock_outbound().sending.outgoing().position();
        let patience = timeouts.close;
        let (mut before, mut write_by) = (0, Deadline::after(patience));
        // Not all at once, so that a shutdown can get at the stream in between.
        while let Ok((written, bound)) = self.written_in_time() {
            if before < written && before < last {
                (before, write_by) = (written, Deadline::after(patience));
            }
            // The closing handshake has a deadline of its own.
            let has_time = matches!(bound, WriteBound::All(_)) || !write_by.has_passed();
            match self.try_flush() {
                Ok(Flushed::Partly) if has_time => thread::sleep(RETRY),
                _ => return,
            }
        }
    }

    fn must_write(&mut self) -> bool {
        // The reader's own replies are bounded, and a handler writes its replies itself.
        false
    }

    fn max_wait(&self, flushed: Flushed, timeouts: &Timeouts) -> Option<Duration> {
        Some(match flushed {
            // A writer may begin to close.
            Flushed::Everything => {
                let relaxed = Ordering::Relaxed;
                let looks = self.looks.fetch_update(relaxed, relaxed, |looks| looks.checked_sub(1));
                let interval = timeouts.close_check_interval();
                if looks.is_ok() { LOOK.min(interval) } else { interval }
            }
            Flushed::Partly => RETRY,
        })
    }
}

/// Where control frames go, whatever message is being written.
impl<S: Read + Write> Sink for &Shared<S> {
    fn outbound<T>(&mut self, access: impl FnOnce(&mut Outbound) -> T) -> T {
        access(&mut self.lock_outbound())
    }

    fn flush(&mut self) -> Result<(), Error> {
        Shared::flush(self)
    }

    fn try_flush(&mut self) -> Result<Flushed, Error> {
        Shared::try_flush(self)
    }
}

/// The right to send a message, for as long as that takes.
pub(super) struct Turn<'shared, S> {
    shared: &'shared Shared<S>,
    _guard: MutexGuard<'shared, ()>,
}

impl<'shared, S> Turn<'shared, S> {
    /// Waits until no other message is being written.
    pub(super) fn new(shared: &'shared Shared<S>) -> Self {
        Self { shared, _guard: lock(&shared.turn) }
    }
}

impl<S: Read + Write> Turn<'_, S> {
    /// Queues a handler's reply. If it takes too long to be written, that isn't the handler's error: `serve`
    /// reports it.
    fn reply(
        &mut self,
        message: Message<'_>,
        send: impl Fn(&mut SendingHalf, Message<'_>) -> Result<(), SendError>,
    ) -> Result<(), Error> {
        self.queue(message, Wait::Once, send).or_else(|error| {
            if matches!(error, Error::WriteTimedOut) {
                self.shared.has_reply_timed_out.store(true, Ordering::Relaxed);
            }
            unless_timed_out(error)
        })
    }
}

impl<S: Read + Write> Sink for Turn<'_, S> {
    fn outbound<T>(&mut self, access: impl FnOnce(&mut Outbound) -> T) -> T {
        access(&mut self.shared.lock_outbound())
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.shared.flush()
    }

    fn try_flush(&mut self) -> Result<Flushed, Error> {
        self.shared.try_flush()
    }
}

/// The handler of [`Reader::serve`](super::Reader::serve) is one writer among others.
impl<S: Read + Write> Replies for Arc<Shared<S>> {
    fn send(&mut self, message: Message<'_>) -> Result<(), Error> {
        Turn::new(self).reply(message, |sending, message| sending.send(message))
    }

    fn send_prepared(&mut self, message: &PreparedMessage) -> Result<(), Error> {
        let shared = message.message().clone();
        Turn::new(self).reply(shared, |sending, _| sending.send_prepared(message))
    }

    fn ping(&mut self, payload: ControlPayload<'_>) -> Result<(), Error> {
        let queued = (&**self).queue_ping(&payload, Wait::Once);
        if let Err(Error::WriteTimedOut) = queued {
            self.has_reply_timed_out.store(true, Ordering::Relaxed);
            // It wasn't queued, for want of room or because the end has begun meanwhile.
            let mut outbound = self.lock_outbound();
            return outbound.sending.ping(payload).map_err(|error| outbound.refusal(error));
        }
        queued
    }

    fn close(&mut self, frame: CloseFrame<'_>) {
        self.queue_close(frame);
    }

    fn take_timed_out(&mut self) -> bool {
        let has_timed_out = &self.has_reply_timed_out;
        has_timed_out.load(Ordering::Relaxed) && has_timed_out.swap(false, Ordering::Relaxed)
    }
}
