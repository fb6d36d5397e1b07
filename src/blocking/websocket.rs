use std::io::{self, Read, Write};

use bytes::Buf;

use crate::blocking::deadline::Deadline;
use crate::blocking::error::Error;
use crate::blocking::messages::Messages;
use crate::blocking::outbox::Outbox;
use crate::blocking::read_buffer::ReadBuffer;
use crate::blocking::stream::Stream;
use crate::blocking::timeouts::Timeouts;
use crate::close_code::CloseCode;
use crate::connection::{
    CloseFrame, CloseStatus, Connection, ConnectionState, ControlPayload, Event, PreparedMessage,
    SendError, Transport, UsageError,
};
use crate::error::ProtocolError;
use crate::message::{Chunk, Message};

/// From this many queued bytes on, a write goes out without being asked to.
const WRITE_FROM: usize = 64 * 1024;

/// A connection over a blocking stream.
///
/// Reading drives it: [`read`](Self::read) answers Pings and Close frames, and writes all that is
/// queued before it waits. So a loop that reads and replies uses [`write`](Self::write):
///
/// ```no_run
/// # fn echo(mut socket: sansocket::blocking::WebSocket<std::net::TcpStream>)
/// # -> Result<(), sansocket::blocking::Error> {
/// while let Some(message) = socket.read()? {
///     socket.write(message)?;
/// }
/// # Ok(())
/// # }
/// ```
///
/// Dropping it drops the stream, without a closing handshake.
#[derive(Debug)]
pub struct WebSocket<S> {
    stream: Stream<S>,
    buffer: ReadBuffer,
    connection: Connection,
    timeouts: Timeouts,
    subprotocol: Option<Box<str>>,
    /// Why nothing can be written any more. What the peer said before that, often why it closed, is
    /// still read.
    write_error: Option<io::ErrorKind>,
    /// By when everything has to be over, once the end has begun.
    end_by: Option<Deadline>,
}

impl<S: Read + Write> WebSocket<S> {
    pub(super) fn new(
        stream: Stream<S>,
        buffer: ReadBuffer,
        connection: Connection,
        timeouts: Timeouts,
        subprotocol: Option<Box<str>>,
    ) -> io::Result<Self> {
        stream.bound_each(timeouts.read, timeouts.write)?;
        Ok(Self {
            stream,
            buffer,
            connection,
            timeouts,
            subprotocol,
            write_error: None,
            end_by: None,
        })
    }

    /// Waits for the next message; `None` when the connection was closed cleanly.
    ///
    /// With [`Delivery::Chunks`](crate::Delivery::Chunks) this joins nothing: read the pieces with
    /// [`read_chunk`](Self::read_chunk).
    ///
    /// # Errors
    ///
    /// [`Error::ReadTimedOut`] and [`Error::WriteTimedOut`] lose nothing: call it again. After any
    /// other error the connection is over, and a further call says so again.
    pub fn read(&mut self) -> Result<Option<Message<'static>>, Error> {
        self.next(|event, _| match event {
            Event::Message(message) => Some(message.into_owned()),
            _ => None,
        })
    }

    /// Waits for the next piece of a message, for connections with
    /// [`Delivery::Chunks`](crate::Delivery::Chunks); `None` when the connection was closed cleanly.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn read_chunk(&mut self) -> Result<Option<Chunk<'static>>, Error> {
        self.next(|event, _| match event {
            Event::Chunk(chunk) => Some(chunk.into_owned()),
            _ => None,
        })
    }

    /// The messages until the connection ends. An error that ends it is the last item; after
    /// [`Error::ReadTimedOut`] there may be more.
    ///
    /// ```no_run
    /// # fn log(mut socket: sansocket::blocking::WebSocket<std::net::TcpStream>)
    /// # -> Result<(), sansocket::blocking::Error> {
    /// for message in socket.messages() {
    ///     println!("{} bytes", message?.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub const fn messages(&mut self) -> Messages<'_, S> {
        Messages::new(self)
    }

    /// Hands every message to `handler` until the connection is closed cleanly.
    ///
    /// Messages are borrowed from the read buffer where they lie whole in it, and the replies to
    /// all that arrived in one read leave in one write: the fastest way to receive and reply, with
    /// no allocation for each message.
    ///
    /// ```no_run
    /// # fn echo(mut socket: sansocket::blocking::WebSocket<std::net::TcpStream>)
    /// # -> Result<(), sansocket::blocking::Error> {
    /// socket.serve(|message, outbox| outbox.send(message))
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read), turned into the handler's, and those of `handler`: what it
    /// queued before stays queued, and the connection open.
    pub fn serve<E: From<Error>>(
        &mut self,
        mut handler: impl FnMut(Message<'_>, &mut Outbox<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let stopped = self.next(|event, connection| match event {
            Event::Message(message) => handler(message, &mut Outbox::new(connection)).err(),
            _ => None,
        })?;
        stopped.map_or(Ok(()), Err)
    }

    /// Queues a message, and writes once 64 KiB are queued. The next [`read`](Self::read) or
    /// [`flush`](Self::flush) writes the rest.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] when the connection is closing, [`Error::BufferFull`] with the message when
    /// the peer takes nothing, [`Error::Io`] when the transport fails. Otherwise it is queued.
    pub fn write<'m>(&mut self, message: impl Into<Message<'m>>) -> Result<(), Error> {
        self.queue(message.into(), |connection, message| connection.send(message))
    }

    /// Queues a fragment of a message that others will follow; see [`Connection::fragments`].
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write), and [`Error::Usage`] for a piece of the other kind.
    pub fn write_fragment<'m>(&mut self, piece: impl Into<Message<'m>>) -> Result<(), Error> {
        self.queue(piece.into(), |connection, piece| connection.fragments().write(piece))
    }

    /// Queues the last fragment of a message; it may be empty.
    ///
    /// # Errors
    ///
    /// As [`write_fragment`](Self::write_fragment).
    pub fn finish_fragments<'m>(&mut self, piece: impl Into<Message<'m>>) -> Result<(), Error> {
        self.queue(piece.into(), |connection, piece| connection.fragments().finish(piece))
    }

    /// Queues a message that was prepared for many connections.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write).
    pub fn write_prepared(&mut self, message: &PreparedMessage) -> Result<(), Error> {
        self.queue(message.message().clone(), |connection, _| connection.send_prepared(message))
    }

    /// Queues a message and writes everything: for a message after which nothing is read.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write): then the message was not taken. With [`Error::WriteTimedOut`] it was,
    /// and what is left of it goes out with the next flush or read.
    pub fn send<'m>(&mut self, message: impl Into<Message<'m>>) -> Result<(), Error> {
        self.write(message)?;
        self.flush()
    }

    /// Sends a Ping, and all that was queued before it.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn ping<'p>(&mut self, payload: impl Into<ControlPayload<'p>>) -> Result<(), Error> {
        let payload = payload.into();
        match self.connection.ping(payload.clone()) {
            Err(UsageError::BacklogFull) => {
                self.flush()?;
                self.connection.ping(payload)?;
            }
            queued => queued?,
        }
        self.flush()
    }

    /// Writes everything that is queued.
    ///
    /// # Errors
    ///
    /// [`Error::WriteTimedOut`] when the peer takes nothing; what is left stays queued.
    /// [`Error::Io`] when the transport fails.
    pub fn flush(&mut self) -> Result<(), Error> {
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

    /// Closes the connection: sends a Close frame, waits for the peer's, and ends the transport.
    ///
    /// Messages that arrive meanwhile are discarded. If the connection is closing or closed already
    /// this only sees it to its end.
    ///
    /// # Errors
    ///
    /// [`Error::CloseTimedOut`] when the peer's Close frame takes longer than [`Timeouts::close`] (a
    /// peer that only leaves its transport open is not waited for any longer either, but that is no
    /// error), [`Error::Usage`] for a reason of more than 123 bytes, and whatever else ends the
    /// connection otherwise than cleanly.
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<CloseStatus, Error> {
        let frame = CloseFrame::new(code, reason)?;
        self.connection.close(Some(frame));
        self.next(|_, _| None::<()>)?;
        self.connection.close_status().ok_or(Error::Lost)
    }

    /// How the connection ended or is ending; `None` while it is open.
    pub fn close_status(&self) -> Option<CloseStatus> {
        self.connection.close_status()
    }

    /// Where the connection is in its life.
    pub const fn state(&self) -> ConnectionState {
        self.connection.state()
    }

    /// The subprotocol on which both ends agreed in the handshake.
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// The stream. Reading from it or writing to it would break the connection.
    pub const fn stream(&self) -> &S {
        self.stream.get()
    }

    /// The stream, once nothing more is to be said on it.
    pub fn into_stream(self) -> S {
        self.stream.into_inner()
    }

    fn queue(
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

    /// Drives the connection until `pick` makes something of an event, or to its clean end.
    fn next<T>(
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
