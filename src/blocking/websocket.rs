use std::io::{self, Read, Write};

use crate::blocking::driver::Driver;
use crate::blocking::error::Error;
use crate::blocking::messages::Messages;
use crate::blocking::outbox::Outbox;
use crate::blocking::read_buffer::ReadBuffer;
use crate::blocking::stream::Stream;
use crate::blocking::timeouts::Timeouts;
use crate::close_code::CloseCode;
use crate::connection::{
    CloseFrame, CloseStatus, Connection, ConnectionState, ControlPayload, Event, PreparedMessage,
    UsageError,
};
use crate::message::{Chunk, Message};

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
    driver: Driver<S>,
    subprotocol: Option<Box<str>>,
}

impl<S: Read + Write> WebSocket<S> {
    pub(super) fn new(
        stream: Stream<S>,
        buffer: ReadBuffer,
        connection: Connection,
        timeouts: Timeouts,
        subprotocol: Option<Box<str>>,
    ) -> io::Result<Self> {
        Ok(Self { driver: Driver::new(stream, buffer, connection, timeouts)?, subprotocol })
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
        self.driver.next(|event, _| match event {
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
        self.driver.next(|event, _| match event {
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
        let stopped = self.driver.next(|event, connection| match event {
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
        self.driver.queue(message.into(), |connection, message| connection.send(message))
    }

    /// Queues a fragment of a message that others will follow; see [`Connection::fragments`].
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write), and [`Error::Usage`] for a piece of the other kind.
    pub fn write_fragment<'m>(&mut self, piece: impl Into<Message<'m>>) -> Result<(), Error> {
        self.driver.queue(piece.into(), |connection, piece| connection.fragments().write(piece))
    }

    /// Queues the last fragment of a message; it may be empty.
    ///
    /// # Errors
    ///
    /// As [`write_fragment`](Self::write_fragment).
    pub fn finish_fragments<'m>(&mut self, piece: impl Into<Message<'m>>) -> Result<(), Error> {
        self.driver.queue(piece.into(), |connection, piece| connection.fragments().finish(piece))
    }

    /// Queues a message that was prepared for many connections.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write).
    pub fn write_prepared(&mut self, message: &PreparedMessage) -> Result<(), Error> {
        self.driver
            .queue(message.message().clone(), |connection, _| connection.send_prepared(message))
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
        match self.driver.connection.ping(payload.clone()) {
            Err(UsageError::BacklogFull) => {
                self.flush()?;
                self.driver.connection.ping(payload)?;
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
        self.driver.flush()
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
        self.driver.connection.close(Some(frame));
        self.driver.next(|_, _| None::<()>)?;
        self.driver.connection.close_status().ok_or(Error::Lost)
    }

    /// How the connection ended or is ending; `None` while it is open.
    pub fn close_status(&self) -> Option<CloseStatus> {
        self.driver.connection.close_status()
    }

    /// Where the connection is in its life.
    pub const fn state(&self) -> ConnectionState {
        self.driver.connection.state()
    }

    /// The subprotocol on which both ends agreed in the handshake.
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// The stream. Reading from it or writing to it would break the connection.
    pub const fn stream(&self) -> &S {
        self.driver.stream.get()
    }

    /// The stream, once nothing more is to be said on it.
    pub fn into_stream(self) -> S {
        self.driver.stream.into_inner()
    }
}
