use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use bytes::Buf;

use crate::blocking::deadline::Deadline;
use crate::blocking::error::Error;
use crate::blocking::outlet::Flushed;
use crate::blocking::stream::Stream;
use crate::connection::{ConnectionState, SendError, SendingHalf, TimeoutError, UsageError};
use crate::message::Message;

/// Once this many bytes are queued, they are written without being asked for.
pub(super) const WRITE_FROM: usize = 64 * 1024;

/// How long a flush may take that isn't to wait for the peer: no time at all can't be set on a socket.
pub(super) const TRY_FLUSH_FOR: Duration = Duration::from_millis(1);

/// The sending half of a connection, and what has become of its transport.
#[derive(Debug)]
pub(super) struct Outbound {
    pub(super) sending: SendingHalf,
    /// The storage of a message that was queued, for the next one that is read: a caller that sends back what
    /// it reads allocates nothing.
    pub(super) spare: Vec<u8>,
    /// Whether the transport is to be ended, whichever thread uses it.
    pub(super) is_aborted: bool,
    write_timeout: Option<Duration>,
    /// Why the connection ends, if anything has gone wrong: what did first.
    failure: Option<Failure>,
    /// Why something that was queued is lost.
    loss: Option<io::ErrorKind>,
    /// How much had been written when the peer last took nothing for the whole of a write's time.
    stalled_at: Option<u64>,
    /// Whether the peer didn't take everything when it was last written to, however little time it had.
    is_behind: bool,
    /// Whether the stream may be holding back something that was written.
    is_held_back: bool,
}

/// Why a connection ends other than by a Close frame.
#[derive(Debug, Clone, Copy)]
enum Failure {
    Write(io::ErrorKind),
    Timeout(TimeoutError),
}

impl Outbound {
    pub(super) const fn new(sending: SendingHalf, write_timeout: Option<Duration>) -> Self {
        Self {
            sending,
            spare: Vec::new(),
            is_aborted: false,
            write_timeout,
            failure: None,
            loss: None,
            stalled_at: None,
            is_behind: false,
            is_held_back: false,
        }
    }

    /// Whether so much is queued that it has to be written.
    #[inline]
    pub(super) fn must_write(&mut self) -> bool {
        self.sending.outgoing().remaining() >= WRITE_FROM || self.sending.is_full()
    }

    /// Whether the peer took nothing for the whole of a write's time and has, as far as the stream shows, taken
    /// nothing since.
    pub(super) fn is_stalled(&mut self) -> bool {
        self.stalled_at == Some(self.sending.outgoing().written())
    }

    /// Whether the peer didn't take everything when it was last written to.
    pub(super) const fn is_behind(&self) -> bool {
        self.is_behind
    }

    /// Notes that a write has had all its time.
    #[cold]
    pub(super) fn note_stall(&mut self) {
        self.stalled_at = Some(self.sending.outgoing().written());
        self.is_behind = true;
    }

    /// Notes that a write that wasn't to wait has left something.
    pub(super) const fn note_behind(&mut self) {
        self.is_behind = true;
    }

    /// Notes that everything was written, whatever the stream itself had held back.
    pub(super) const fn note_flushed(&mut self) {
        self.stalled_at = None;
        self.is_behind = false;
        self.is_held_back = false;
    }

    /// Notes that this much was written to a stream that may hold it back.
    pub(super) fn note_written(&mut self, count: usize) {
        self.sending.outgoing().advance(count);
        self.is_held_back = true;
    }

    /// Fails if something that was queued is lost, however little is queued now.
    pub(super) fn check_writable(&self) -> Result<(), Error> {
        self.loss.map_or(Ok(()), |kind| Err(Error::Io(kind.into())))
    }

    /// Takes a message and writes it after everything that is queued. What isn't written is queued.
    pub(super) fn write_through<S: Read + Write>(
        &mut self,
        stream: &mut Stream<S>,
        message: Message<'_>,
    ) -> Result<(), Error> {
        let timeout = self.write_timeout;
        let lent = self.sending.lend(message);
        match lent.map(|mut lent| stream.write(timeout, &mut lent)) {
            Ok(written) => self.conclude(stream, written),
            Err(error) => Err(self.refusal(error)),
        }
    }

    /// Writes everything that is queued.
    pub(super) fn flush<S: Read + Write>(&mut self, stream: &mut Stream<S>) -> Result<(), Error> {
        let outgoing = self.sending.outgoing();
        if !outgoing.has_remaining() && !stream.is_unflushed() {
            return self.check_writable();
        }
        let written = match self.write_bound()? {
            WriteBound::Each(timeout) => stream.write(timeout, self.sending.outgoing()),
            WriteBound::All(deadline) => stream.write_before(deadline, self.sending.outgoing()),
        };
        self.conclude(stream, written)
    }

    /// Writes what the peer takes at once.
    pub(super) fn try_flush<S: Read + Write>(
        &mut self,
        stream: &mut Stream<S>,
    ) -> Result<Flushed, Error> {
        self.check_writable()?;
        // There is no telling how long another stream would wait.
        if !stream.is_controlled() {
            return Ok(Flushed::Partly);
        }
        let written = stream.write(Some(TRY_FLUSH_FOR), self.sending.outgoing());
        match self.settle(stream, written) {
            Ok(()) => Ok(Flushed::Everything),
            Err(Error::WriteTimedOut) => {
                self.note_behind();
                Ok(Flushed::Partly)
            }
            Err(error) => Err(error),
        }
    }

    /// Returns what a write that has had all its time has come to.
    fn conclude<S: Read + Write>(
        &mut self,
        stream: &Stream<S>,
        written: io::Result<()>,
    ) -> Result<(), Error> {
        let written = self.settle(stream, written);
        if let Err(Error::WriteTimedOut) = written {
            self.note_stall();
        }
        written
    }

    /// Returns what a write to this stream has come to, and notes what it has left.
    fn settle<S: Read + Write>(
        &mut self,
        stream: &Stream<S>,
        written: io::Result<()>,
    ) -> Result<(), Error> {
        self.is_held_back = stream.is_unflushed();
        written.map_err(|error| self.write_failed(error))?;
        self.note_flushed();
        Ok(())
    }

    /// How long the next write may take: it has a bound of its own, or, once the end has begun, the end's
    /// deadline.
    pub(super) fn write_bound(&mut self) -> Result<WriteBound, Error> {
        self.check_writable()?;
        if self.is_aborted {
            return Err(self.write_failed(io::ErrorKind::ConnectionAborted.into()));
        }
        match self.sending.state() {
            ConnectionState::Open => Ok(WriteBound::Each(self.write_timeout)),
            ConnectionState::Closing => {
                self.tick_unwritten()?;
                Ok(WriteBound::All(Deadline::at(self.sending.poll_timeout())))
            }
            ConnectionState::Closed => Err(self.end()),
        }
    }

    /// Returns what a failed write means.
    pub(super) fn write_failed(&mut self, error: io::Error) -> Error {
        match (error.kind(), self.sending.state()) {
            // The transport was ended during the write, which isn't an error of its own.
            (_, ConnectionState::Closed) => self.end(),
            // Only readers judge the peer by the clock: it may have answered meanwhile.
            (io::ErrorKind::TimedOut, ConnectionState::Open) => Error::WriteTimedOut,
            (io::ErrorKind::TimedOut, ConnectionState::Closing) => {
                self.tick_unwritten().err().unwrap_or(Error::WriteTimedOut)
            }
            (kind, _) => {
                self.lose(kind);
                self.sending.receive_write_error();
                Error::Io(error)
            }
        }
    }

    /// Tells the connection that the transport has ended, with an error or without. The closing handshake may be
    /// complete although this end's part of it, and what was queued before, never left.
    pub(super) fn receive_eof(&mut self, error: Option<io::ErrorKind>) {
        if self.is_unsent() && self.sending.close_status().is_some_and(|status| status.is_clean()) {
            match error {
                Some(kind) => self.lose(kind),
                None => {
                    self.failure.get_or_insert(Failure::Timeout(TimeoutError::Close));
                }
            }
        }
        self.sending.receive_eof();
    }

    /// Whether anything is still queued, or held back by the stream.
    fn is_unsent(&mut self) -> bool {
        self.is_held_back || self.sending.outgoing().has_remaining()
    }

    fn lose(&mut self, kind: io::ErrorKind) {
        self.failure.get_or_insert(Failure::Write(kind));
        self.loss.get_or_insert(kind);
    }

    /// Tells the connection that bytes have arrived.
    pub(super) fn hear(&mut self) {
        if self.sending.needs_time() {
            self.sending.handle_read(Instant::now());
        }
    }

    /// Tells the connection the time; fails with what was overdue. The connection may be closed even after `Ok`.
    pub(super) fn tick(&mut self) -> Result<(), Error> {
        if self.is_unsent() { self.tick_unwritten() } else { self.tell_time() }
    }

    fn tell_time(&mut self) -> Result<(), Error> {
        if !self.sending.needs_time() {
            return Ok(());
        }
        let Err(error) = self.sending.handle_timeout(Instant::now()) else {
            return Ok(());
        };
        let failure = *self.failure.get_or_insert(Failure::Timeout(error));
        // A connection that closes because it was idle goes on until it is closed.
        if error == TimeoutError::Idle { Ok(()) } else { Err(failure.into()) }
    }

    /// Like `tick`, but while something is still to be written, if only by the stream that holds it back: the
    /// connection then believes that everything was written.
    pub(super) fn tick_unwritten(&mut self) -> Result<(), Error> {
        let had_ended = self.sending.state() == ConnectionState::Closed;
        self.tell_time()?;
        if !had_ended && self.sending.state() == ConnectionState::Closed {
            let failure = *self.failure.get_or_insert(Failure::Timeout(TimeoutError::Close));
            return Err(failure.into());
        }
        Ok(())
    }

    /// Why something wasn't queued: if the transport takes nothing any more, that is the error.
    pub(super) fn refusal(&self, error: impl Into<SendError>) -> Error {
        match (error.into(), self.loss) {
            (SendError::Refused(UsageError::NotOpen), Some(kind))
                if self.sending.state() != ConnectionState::Closed =>
            {
                Error::Io(kind.into())
            }
            (error, _) => error.into(),
        }
    }

    /// Why nothing can be written to a connection that is over.
    fn end(&self) -> Error {
        self.outcome().err().unwrap_or(Error::Usage(UsageError::NotOpen))
    }

    /// The outcome of a connection whose transport has ended.
    pub(super) fn outcome(&self) -> Result<(), Error> {
        match (self.failure, self.sending.close_status()) {
            (Some(failure), _) => Err(failure.into()),
            (None, Some(status)) if status.is_clean() => Ok(()),
            (None, _) => Err(Error::Lost),
        }
    }
}

/// How long writing may take.
#[derive(Debug, Clone, Copy)]
pub(super) enum WriteBound {
    /// Each call by itself.
    Each(Option<Duration>),
    /// All of them together.
    All(Deadline),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Write(kind) => Self::Io(kind.into()),
            Failure::Timeout(error) => error.into(),
        }
    }
}
