use std::io::{self, Read, Write};

use bytes::Buf;

use crate::blocking::deadline::Deadline;
use crate::blocking::error::Error;
use crate::blocking::read_buffer::ReadBuffer;
use crate::blocking::stream::Stream;
use crate::blocking::timeouts::Timeouts;
use crate::connection::{Connection, ConnectionState, Event, SendError, Transport};
use crate::error::ProtocolError;
use crate::message::Message;

/// From this many queued bytes on, a write goes out without being asked to.
const WRITE_FROM: usize = 64 * 1024;

/// The one loop around a [`Connection`]: hand out the next event, write what is outgoing, do with
/// the transport what the connection says, read.
#[derive(Debug)]
pub(super) struct Driver<S> {
    pub(super) stream: Stream<S>,
    buffer: ReadBuffer,
    pub(super) connection: Connection,
    timeouts: Timeouts,
    /// Why nothing can be written any more. What the peer said before that, often why it closed, is
    /// still read.
    write_error: Option<io::ErrorKind>,
    /// By when everything has to be over, once the end has begun.
    end_by: Option<Deadline>,
}

impl<S: Read + Write> Driver<S> {
    pub(super) fn new(
        stream: Stream<S>,
        buffer: ReadBuffer,
        connection: Connection,
        timeouts: Timeouts,
    ) -> io::Result<Self> {
        stream.bound_each(timeouts.read, timeouts.write)?;
        Ok(Self { stream, buffer, connection, timeouts, write_error: None, end_by: None })
    }

    /// Queues a message with `send`, and writes if much is queued.
    pub(super) fn queue(
        &mut self,
        message: Message<'_>,
        send: impl Fn(&mut Connection, Message<'_>) -> Result<(), SendError>,
    ) -> Result<(), Error> {
        if let Err(error) = send(&mut self.connection, message) {
            let SendError::BufferFull(message) = error else {
                return Err(error.into());
            };
            match self.flush() {
                Ok(()) => send(&mut self.connection, message)?,
                Err(Error::WriteTimedOut) => return Err(Error::BufferFull(message)),
                Err(error) => return Err(error),
            }
        }
        if self.connection.outgoing().remaining() < WRITE_FROM {
            return Ok(());
        }
        match self.flush() {
            // The message is queued, and that is all that was promised.
            Err(Error::WriteTimedOut) => Ok(()),
            flushed => flushed,
        }
    }

    /// Writes everything that is queued.
    pub(super) fn flush(&mut self) -> Result<(), Error> {
        if let Some(kind) = self.write_error {
            self.discard_outgoing();
            return Err(Error::Io(kind.into()));
        }
        let deadline = self.deadline();
        let outgoing = self.connection.outgoing();
        let written = match deadline {
            None => self.stream.write(outgoing),
            Some(deadline) => self.stream.write_before(deadline, outgoing),
        };
        written.map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut => self.time_out(Error::WriteTimedOut),
            kind => {
                self.write_error = Some(kind);
                self.discard_outgoing();
                Error::Io(error)
            }
        })
    }

    /// Drives the connection until `pick` makes something of an event, or to its clean end.
    pub(super) fn next<T>(
        &mut self,
        mut pick: impl FnMut(Event<'_>, &mut Connection) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        loop {
            match self.next_buffered(&mut pick) {
                Ok(Some(picked)) => return Ok(Some(picked)),
                Ok(None) => {}
                Err(error) => {
                    // What the peer did wrong is the news, whether or not it listens to that.
                    let _ = self.end();
                    return Err(error.into());
                }
            }
            if self.connection.state() == ConnectionState::Closed {
                return self.outcome();
            }
            match self.flush() {
                // It is not over until the peer's last words are read.
                Ok(()) | Err(Error::Io(_)) => {}
                Err(error) => return Err(error),
            }
            match self.connection.transport() {
                // What was read may not be used up: it waits while too much is outgoing.
                Transport::KeepOpen if self.buffer.is_empty() => self.fill()?,
                Transport::KeepOpen => {}
                Transport::AwaitPeer | Transport::Close => self.end()?,
            }
        }
    }

    /// Takes events out of what was read, until `pick` makes something of one, or so much is
    /// outgoing that it has to be written first.
    fn next_buffered<T>(
        &mut self,
        pick: &mut impl FnMut(Event<'_>, &mut Connection) -> Option<T>,
    ) -> Result<Option<T>, ProtocolError> {
        let connection = &mut self.connection;
        self.buffer.consume(|input| {
            while let Some(event) = connection.next_event(input)? {
                if let Some(picked) = pick(event, connection) {
                    return Ok(Some(picked));
                }
                if connection.outgoing().remaining() >= WRITE_FROM {
                    break;
                }
            }
            Ok(None)
        })
    }

    fn discard_outgoing(&mut self) {
        let outgoing = self.connection.outgoing();
        outgoing.advance(outgoing.remaining());
    }

    /// Reads once; at the end of the stream tells the connection.
    fn fill(&mut self) -> Result<(), Error> {
        let deadline = self.deadline();
        let read = self.buffer.fill(&mut self.stream, |stream, buffer| match deadline {
            None => stream.read(buffer),
            Some(deadline) => stream.read_before(deadline, buffer),
        });
        match read {
            Ok(0) => self.connection.receive_eof(),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                self.buffer.release();
                return Err(self.time_out(Error::ReadTimedOut));
            }
            Err(error) => {
                self.connection.receive_eof();
                return Err(Error::Io(error));
            }
        }
        Ok(())
    }

    /// Ends the transport as the connection says.
    fn end(&mut self) -> Result<(), Error> {
        if self.connection.state() == ConnectionState::Closed {
            return Ok(());
        }
        match self.flush() {
            Ok(()) | Err(Error::Io(_)) => {}
            Err(error) => return Err(error),
        }
        if let (true, Some(deadline)) = (self.stream.is_controlled(), self.deadline()) {
            // §7.1.1: the server closes first; unread bytes must not turn that into a reset that
            // takes the Close frame with it. A client waits for the server.
            if self.connection.transport() == Transport::Close {
                let _ = self.stream.shutdown_write();
            }
            self.stream.drain_before(deadline);
            let _ = self.stream.shutdown_write();
        }
        self.connection.receive_eof();
        Ok(())
    }

    /// By when everything has to be over, once the end has begun: one deadline for the Close
    /// frames, the end of the transport, and what a peer that can't be written to still says.
    fn deadline(&mut self) -> Option<Deadline> {
        let is_ending =
            self.connection.state() == ConnectionState::Closing || self.write_error.is_some();
        if is_ending && self.end_by.is_none() {
            self.end_by = Some(Deadline::after(self.timeouts.close));
        }
        self.end_by
    }

    /// What a call that timed out means: the end, if that is what it waited for too long, else this
    /// error, and the next call goes on.
    fn time_out(&mut self, error: Error) -> Error {
        match self.deadline() {
            // The calls of a stream that isn't controlled have bounds of their own.
            Some(deadline) if self.stream.is_controlled() || deadline.has_passed() => {
                self.connection.receive_eof();
                self.write_error.map_or(Error::CloseTimedOut, |kind| Error::Io(kind.into()))
            }
            _ => error,
        }
    }

    /// What there is to say about a connection whose transport has ended.
    fn outcome<T>(&self) -> Result<Option<T>, Error> {
        match (self.write_error, self.connection.close_status()) {
            (Some(kind), _) => Err(Error::Io(kind.into())),
            (None, Some(status)) if status.is_clean() => Ok(None),
            (None, _) => Err(Error::Lost),
        }
    }
}
