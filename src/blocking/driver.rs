use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::time::Duration;

use bytes::Buf;

use crate::blocking::deadline::Deadline;
use crate::blocking::error::Error;
use crate::blocking::incoming::Incoming;
use crate::blocking::joining::Joining;
use crate::blocking::outbound::Outbound;
use crate::blocking::outbox::{Outbox, Replies};
use crate::blocking::outlet::{Flushed, Outlet};
use crate::blocking::read_buffer::ReadBuffer;
use crate::blocking::stream::Stream;
use crate::blocking::timeouts::Timeouts;
use crate::connection::{
    CloseFrame, CloseStatus, ConnectionState, Event, ReceivingHalf, Transport,
};
use crate::error::ProtocolError;
use crate::message::{Chunk, Message};

/// The one loop around a connection: hand out the next event, write what is outgoing, do with the
/// transport what the connection says, read.
#[derive(Debug)]
pub(super) struct Driver<S, O> {
    pub(super) stream: Stream<S>,
    pub(super) buffer: ReadBuffer,
    pub(super) receiving: ReceivingHalf,
    pub(super) joining: Joining,
    pub(super) outlet: O,
    pub(super) timeouts: Timeouts,
}

/// How the caller wants messages that are [delivered in chunks](crate::Delivery::Chunks).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Whole,
    AsDelivered,
}

/// What a read has brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arrived {
    /// Bytes, or the end of the stream.
    Something,
    Nothing,
}

/// Where a step has led.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    GoOn,
    /// To the clean end of the connection.
    Over,
}

impl<S: Read + Write, O: Outlet<S>> Driver<S, O> {
    pub(super) fn new(
        stream: Stream<S>,
        buffer: ReadBuffer,
        receiving: ReceivingHalf,
        outlet: O,
        timeouts: Timeouts,
    ) -> Self {
        Self { stream, buffer, receiving, joining: Joining::default(), outlet, timeouts }
    }

    /// Hands every message to `handler`, until the clean end of the connection.
    pub(super) fn serve<E: From<Error>>(
        &mut self,
        mut handler: impl FnMut(Message<'_>, &mut Outbox<'_>) -> Result<(), E>,
    ) -> Result<(), E>
    where
        O: Replies,
    {
        let mut stopped = None;
        let mut handle = |event: Event<'_>, outlet: &mut O| {
            let Event::Message(message) = event else { return false };
            let outcome = handler(message, &mut Outbox::new(outlet));
            let have_timed_out = outlet.take_timed_out();
            let error = match outcome {
                Ok(()) if !have_timed_out => return false,
                Ok(()) => Error::WriteTimedOut.into(),
                Err(error) => error,
            };
            stopped = Some(error);
            true
        };
        // What an earlier call couldn't write leaves no room for replies, so it goes first.
        if self.outlet.must_write() {
            self.drive(Wanted::Whole, None, &mut handle)
        } else {
            self.until(Wanted::Whole, &mut handle)
        }?;
        stopped.map_or(Ok(()), Err)
    }

    /// Closes, and sees the connection to its end, whatever still arrives.
    pub(super) fn close(&mut self, frame: CloseFrame<'_>) -> Result<CloseStatus, Error> {
        self.outlet.outbound(|outbound| outbound.sending.close(Some(frame)));
        // What arrives from here on is discarded, and a message that had begun is with it.
        self.joining = Joining::default();
        self.until(Wanted::AsDelivered, |_, _| false)?;
        self.close_status().ok_or(Error::Lost)
    }

    /// How the connection ended or is ending; `None` while it is open.
    pub(super) fn close_status(&mut self) -> Option<CloseStatus> {
        self.outlet.outbound(|outbound| outbound.sending.close_status())
    }

    /// Drives the connection until `enough` returns `true` for an event, or to its clean end.
    #[inline(always)]
    pub(super) fn until(
        &mut self,
        wanted: Wanted,
        mut enough: impl FnMut(Event<'_>, &mut O) -> bool,
    ) -> Result<(), Error> {
        // With many short messages, most have been read already.
        match self.next_buffered(wanted, &mut enough) {
            Ok(true) => Ok(()),
            Ok(false) => self.drive(wanted, None, enough),
            Err(error) => self.drive(wanted, Some(error), enough),
        }
    }

    /// Goes on when what was read is used up, too much is outgoing, or the peer has broken the protocol.
    #[inline(never)]
    fn drive(
        &mut self,
        wanted: Wanted,
        mut broken: Option<ProtocolError>,
        mut enough: impl FnMut(Event<'_>, &mut O) -> bool,
    ) -> Result<(), Error> {
        let mut read_by = self.read_by();
        loop {
            let step = match (self.step(&mut read_by), broken.take()) {
                // What the peer did wrong will be found again.
                (Ok(Step::GoOn), _) => Ok(Step::GoOn),
                // It is the error to report, now that the peer has been told.
                (_, Some(error)) => Err(error.into()),
                (step, None) => step,
            };
            if !matches!(step, Ok(Step::GoOn)) {
                if self.state() == ConnectionState::Closed {
                    self.receiving.receive_eof();
                    self.joining = Joining::default();
                    // Another thread may be waiting to write to a peer that is gone.
                    let _ = self.stream.shutdown(Shutdown::Both);
                }
                return step.map(|_| ());
            }
            match self.next_buffered(wanted, &mut enough) {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(error) => broken = Some(error),
            }
        }
    }

    /// Writes what is outgoing, and reads or does whatever else the connection says.
    fn step(&mut self, read_by: &mut Deadline) -> Result<Step, Error> {
        if self.state() == ConnectionState::Closed {
            return self.outlet.outbound(|outbound| outbound.outcome()).map(|()| Step::Over);
        }
        let flushed = match self.outlet.flush(&mut self.stream) {
            Ok(flushed) => flushed,
            // It isn't over until the peer's last words are read.
            Err(Error::Io(_)) => Flushed::Everything,
            Err(Error::WriteTimedOut) => {
                self.listen()?;
                // The whole end has one deadline, with an error of its own once that has passed.
                if self.state() != ConnectionState::Open && self.stream.is_controlled() {
                    return Ok(Step::GoOn);
                }
                return Err(Error::WriteTimedOut);
            }
            Err(over) => return Err(over),
        };
        match self.outlet.outbound(|outbound| outbound.sending.transport()) {
            Transport::AwaitPeer | Transport::Close if flushed == Flushed::Everything => self.end(),
            // What was read may not be used up yet: it waits while too much is outgoing.
            _ if !self.buffer.is_empty() => Ok(()),
            _ => self.fill(read_by, flushed),
        }?;
        Ok(Step::GoOn)
    }

    /// Takes events out of what was read, until `enough` returns `true` for one; returns `false` if none is
    /// left, or so much is outgoing that it has to be written first.
    #[inline(always)]
    fn next_buffered(
        &mut self,
        wanted: Wanted,
        enough: &mut impl FnMut(Event<'_>, &mut O) -> bool,
    ) -> Result<bool, ProtocolError> {
        let Self { buffer, receiving, joining, outlet, .. } = self;
        let mut unread = buffer.unread();
        let input = unread.input();
        loop {
            // The two paths are separate, so that the short one stays short.
            let is_enough = match receiving.next_whole_frame(input) {
                Ok(Some(frame)) => {
                    let answer =
                        |outbound: &mut Outbound| outbound.sending.answer_whole_frame(frame);
                    enough(outlet.outbound(answer), outlet)
                }
                Ok(None) => {
                    let mut event = None;
                    if let Err(error) = receiving.next_other_event(input, &mut event) {
                        return Err(fail(outlet, error));
                    }
                    let Some(event) = event else { return Ok(false) };
                    outlet.outbound(|outbound| outbound.sending.answer(&event));
                    let event = match wanted {
                        Wanted::Whole => joining.join(event),
                        Wanted::AsDelivered => Some(event),
                    };
                    event.is_some_and(|event| call_apart(enough, event, outlet))
                }
                Err(error) => return Err(fail(outlet, error)),
            };
            if is_enough {
                return Ok(true);
            }
            if outlet.must_write() {
                return Ok(false);
            }
        }
    }

    /// Reads, or waits for as long as it may and then does what is due by the clock.
    fn fill(&mut self, read_by: &mut Deadline, flushed: Flushed) -> Result<(), Error> {
        let (state, queued, waiting, timer) = self.outlet.outbound(|outbound| {
            let before = outbound.sending.outgoing().remaining();
            outbound.tick()?;
            let sending = &mut outbound.sending;
            let waiting = sending.outgoing().remaining();
            let queued = waiting.saturating_sub(before);
            Ok::<_, Error>((sending.state(), queued, waiting, sending.poll_timeout()))
        })?;
        // A timer may have queued something to write, or ended the connection.
        if state == ConnectionState::Closed || queued > 0 {
            return Ok(());
        }
        // What another thread has queued meanwhile is written by that thread, or later: this one reads first.
        let flushed = if waiting > 0 { Flushed::Partly } else { flushed };
        // The end has a deadline of its own.
        let waits_until = if state == ConnectionState::Open { *read_by } else { Deadline::NEVER };
        let looks_again = Deadline::within(self.outlet.max_wait(flushed, &self.timeouts));
        let is_controlled = self.stream.is_controlled();
        let kept_until = if is_controlled { self.buffer.kept_until() } else { Deadline::NEVER };
        let deadline = Deadline::at(timer).or(waits_until).or(looks_again).or(kept_until);

        if self.read_until(deadline)? == Arrived::Something {
            *read_by = self.read_by();
            return Ok(());
        }
        let is_idle = !is_controlled || self.buffer.has_been_kept();
        if is_idle {
            self.buffer.release();
        }
        self.outlet.outbound(|outbound| {
            if is_idle {
                outbound.spare = Vec::new();
            }
            outbound.tick()
        })?;
        let is_over = self.state() == ConnectionState::Closed;
        // A read that ended before its deadline had a timeout that the caller has set on the stream.
        let has_other_bound = !self.stream.is_controlled() || !deadline.has_passed();
        if !is_over && (waits_until.has_passed() || has_other_bound) {
            return Err(Error::ReadTimedOut);
        }
        Ok(())
    }

    /// Checks whether a peer that takes nothing at least sends something; if it hasn't for too long, it is
    /// gone.
    fn listen(&mut self) -> Result<(), Error> {
        if !self.buffer.is_empty() || !self.stream.is_controlled() {
            return Ok(());
        }
        self.read_until(Deadline::after(Duration::ZERO))?;
        self.outlet.outbound(Outbound::tick_unwritten)
    }

    /// Reads once: what is there, or what arrives before the deadline. Tells the connection about the end of
    /// the stream.
    fn read_until(&mut self, deadline: Deadline) -> Result<Arrived, Error> {
        let read = self
            .buffer
            .fill(&mut self.stream, |stream, buffer| stream.read_until(deadline, buffer));
        match read {
            Ok(0) => {
                self.outlet.flush_after_eof(&self.timeouts);
                self.receive_eof(None);
            }
            Ok(_) => self.outlet.outbound(Outbound::hear),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => return Ok(Arrived::Nothing),
            Err(error) => {
                self.receive_eof(Some(error.kind()));
                return Err(Error::Io(error));
            }
        }
        Ok(Arrived::Something)
    }

    /// Ends the transport as the connection says.
    fn end(&mut self) -> Result<(), Error> {
        let (state, transport, timer) = self.outlet.outbound(|outbound| {
            outbound.tick()?;
            let sending = &outbound.sending;
            Ok::<_, Error>((sending.state(), sending.transport(), sending.poll_timeout()))
        })?;
        if self.stream.is_controlled() && state != ConnectionState::Closed {
            // §7.1.1: the server closes first; unread bytes must not turn that into a reset that
            // takes the Close frame with it. A client waits for the server.
            let deadline = Deadline::at(timer);
            if transport == Transport::Close {
                self.stream.end_writing_before(deadline);
            }
            self.stream.drain_before(deadline);
            self.stream.end_writing_before(deadline);
        }
        self.receive_eof(None);
        Ok(())
    }

    /// Sets how long a read may wait from now on.
    pub(super) const fn set_read_timeout(&mut self, timeout: Option<Duration>) {
        self.timeouts.read = timeout;
    }

    fn receive_eof(&mut self, error: Option<io::ErrorKind>) {
        self.receiving.receive_eof();
        self.outlet.outbound(|outbound| outbound.receive_eof(error));
    }

    fn read_by(&self) -> Deadline {
        Deadline::within(self.timeouts.read)
    }
}

/// Calls, out of line, a function that is inlined into its other callers.
#[inline(never)]
fn call_apart<O>(
    enough: &mut dyn FnMut(Event<'_>, &mut O) -> bool,
    event: Event<'_>,
    outlet: &mut O,
) -> bool {
    enough(event, outlet)
}

/// Tells the peer how it has broken the protocol.
#[cold]
fn fail<S>(outlet: &mut impl Outlet<S>, error: ProtocolError) -> ProtocolError {
    outlet.outbound(|outbound| outbound.sending.fail(error));
    error
}

impl<S: Read + Write, O: Outlet<S>> Incoming for Driver<S, O> {
    #[inline]
    fn read(&mut self) -> Result<Option<Message<'static>>, Error> {
        // Stored here and not handed up, because it would be moved at each step.
        let mut found = None;
        self.until(Wanted::Whole, |event, outlet| {
            if let Event::Message(message) = event {
                found = Some(outlet.own(message));
            }
            found.is_some()
        })?;
        Ok(found)
    }

    fn read_chunk(&mut self) -> Result<Option<Chunk<'static>>, Error> {
        let mut found = self.joining.take();
        if found.is_some() {
            return Ok(found);
        }
        self.until(Wanted::AsDelivered, |event, _| {
            found = match event {
                Event::Message(piece) => {
                    Some(Chunk { piece, first: true, last: true }.into_owned())
                }
                Event::Chunk(chunk) => Some(chunk.into_owned()),
                _ => None,
            };
            found.is_some()
        })?;
        Ok(found)
    }

    fn state(&mut self) -> ConnectionState {
        self.outlet.outbound(|outbound| outbound.sending.state())
    }
}
