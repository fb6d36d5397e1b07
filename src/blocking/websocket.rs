use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use crate::blocking::driver::Driver;
use crate::blocking::error::Error;
use crate::blocking::incoming::Incoming;
use crate::blocking::message_reader::MessageReader;
use crate::blocking::message_writer::MessageWriter;
use crate::blocking::messages::Messages;
use crate::blocking::outbound::Outbound;
use crate::blocking::outbox::Outbox;
use crate::blocking::read_buffer::ReadBuffer;
use crate::blocking::reader::Reader;
use crate::blocking::sink::{Sink, Wait, unless_timed_out};
use crate::blocking::socket::CloneSocket;
use crate::blocking::stream::Stream;
use crate::blocking::timeouts::Timeouts;
use crate::blocking::writer::Writer;
use crate::close_code::CloseCode;
use crate::connection::{
    CloseFrame, CloseStatus, Connection, ConnectionState, ControlPayload, PreparedMessage,
};
use crate::message::{Chunk, Message, MessageKind};

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
    pub(super) driver: Driver<S, Outbound>,
    subprotocol: Option<Box<str>>,
}

impl<S: Read + Write> WebSocket<S> {
    pub(super) fn new(
        mut stream: Stream<S>,
        buffer: ReadBuffer,
        connection: Connection,
        timeouts: Timeouts,
        subprotocol: Option<Box<str>>,
    ) -> io::Result<Self> {
        stream.set_timeouts(timeouts.read, timeouts.write)?;
        let (receiving, sending) = connection.with_timers(timeouts.timers()).split();
        let outbound = Outbound::new(sending, timeouts.write);
        let driver = Driver::new(stream, buffer, receiving, outbound, timeouts);
        Ok(Self::from_driver(driver, subprotocol))
    }

    pub(super) const fn from_driver(
        driver: Driver<S, Outbound>,
        subprotocol: Option<Box<str>>,
    ) -> Self {
        Self { driver, subprotocol }
    }

    /// Waits for the next message; `None` when the connection was closed cleanly, with whatever code:
    /// [`close_status`](Self::close_status) tells.
    ///
    /// It comes whole, even with [`Delivery::Chunks`](crate::Delivery::Chunks): its chunks are joined, up to the
    /// limit for messages, and the rest of one that was begun with [`read_chunk`](Self::read_chunk) is skipped.
    ///
    /// # Errors
    ///
    /// [`Error::ReadTimedOut`] and [`Error::WriteTimedOut`] lose nothing: call it again. After any other
    /// error the connection is over, and a further call fails again.
    #[inline]
    pub fn read(&mut self) -> Result<Option<Message<'static>>, Error> {
        self.driver.read()
    }

    /// Waits for the next piece of a message, or without [`Delivery::Chunks`](crate::Delivery::Chunks) for
    /// all of it; `None` when the connection was closed cleanly.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read).
    pub fn read_chunk(&mut self) -> Result<Option<Chunk<'static>>, Error> {
        self.driver.read_chunk()
    }

    /// Waits for the next message, to be read piece by piece; `None` when the connection was closed cleanly.
    ///
    /// With [`Delivery::Chunks`](crate::Delivery::Chunks) it is handed out as it arrives, so that a message
    /// of any length takes constant memory; otherwise when it is complete.
    ///
    /// ```no_run
    /// use std::{fs::File, io};
    /// use sansocket::blocking::Client;
    /// use sansocket::{Config, Delivery};
    ///
    /// let config = Config::default()
    ///     .delivery(Delivery::Chunks)
    ///     .max_message_size(u64::MAX);
    /// let mut socket = Client::new("ws://localhost:9001/backup")?.config(config).connect()?;
    /// if let Some(mut message) = socket.next_message()? {
    ///     io::copy(&mut message, &mut File::create("backup.tar")?)?;
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read).
    pub fn next_message(&mut self) -> Result<Option<MessageReader<'_>>, Error> {
        MessageReader::begin(&mut self.driver)
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
    pub fn messages(&mut self) -> Messages<'_> {
        Messages::new(&mut self.driver)
    }

    /// Hands every message to `handler` until the connection is closed cleanly.
    ///
    /// Messages that lie whole in the read buffer are borrowed from it, and the replies to all that arrived
    /// in one read leave in one write: the fastest way to receive and reply, with no allocation for each
    /// message.
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
    /// Those of [`read`](Self::read), converted to the handler's error type, and those of `handler`: what it
    /// queued before stays queued, and the connection stays open.
    pub fn serve<E: From<Error>>(
        &mut self,
        handler: impl FnMut(Message<'_>, &mut Outbox<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.driver.serve(handler)
    }

    /// Queues a message, and writes once 64 KiB are queued. The next [`read`](Self::read) or
    /// [`flush`](Self::flush) writes the rest.
    ///
    /// A message of that length is written at once: by a server without a copy, by a client with memory for
    /// 64 KiB of it.
    ///
    /// A peer that takes nothing is waited for once, up to [`Timeouts::write`](super::Timeouts::write): until it
    /// takes something again, further messages are only queued.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] when the connection is closing, [`Error::BufferFull`] with the message when
    /// the peer takes nothing, [`Error::Io`] when the transport fails. Otherwise it is queued.
    #[inline]
    pub fn write<'m>(&mut self, message: impl Into<Message<'m>>) -> Result<(), Error> {
        self.driver.write(message.into(), Wait::Once).or_else(unless_timed_out)
    }

    /// Queues a fragment of a message that more will follow; see [`Connection::fragments`].
    ///
    /// # Errors
    ///
    /// As for [`write`](Self::write), and [`Error::Usage`] for a piece of the other kind.
    pub fn write_fragment<'m>(&mut self, piece: impl Into<Message<'m>>) -> Result<(), Error> {
        self.driver.queue_once(piece.into(), |sending, piece| sending.fragments().write(piece))
    }

    /// Queues the last fragment of a message; it may be empty.
    ///
    /// # Errors
    ///
    /// As for [`write_fragment`](Self::write_fragment).
    pub fn finish_fragments<'m>(&mut self, piece: impl Into<Message<'m>>) -> Result<(), Error> {
        self.driver.queue_once(piece.into(), |sending, piece| sending.fragments().finish(piece))
    }

    /// Begins a message that is written piece by piece, in constant memory.
    ///
    /// Nothing is read meanwhile, so that a peer that closes in the middle is noticed at the end.
    /// [Split](Self::split) the connection to notice it at once.
    ///
    /// While a message begun with [`write_fragment`](Self::write_fragment) isn't finished, each write to this
    /// one fails with [`UsageError::MessageUnfinished`](crate::UsageError::MessageUnfinished).
    ///
    /// ```no_run
    /// use std::{fs::File, io};
    /// use sansocket::MessageKind;
    ///
    /// let mut socket = sansocket::blocking::connect("ws://localhost:9001/backup")?;
    /// let mut message = socket.message(MessageKind::Binary);
    /// io::copy(&mut File::open("backup.tar")?, &mut message)?;
    /// message.finish()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn message(&mut self, kind: MessageKind) -> MessageWriter<'_> {
        MessageWriter::new(Box::new(&mut self.driver), kind)
    }

    /// Queues a message that was prepared for many connections.
    ///
    /// # Errors
    ///
    /// As for [`write`](Self::write).
    pub fn write_prepared(&mut self, message: &PreparedMessage) -> Result<(), Error> {
        let shared = message.message().clone();
        self.driver.queue_once(shared, |sending, _| sending.send_prepared(message))
    }

    /// Queues a message and writes everything: for a message after which nothing is read.
    ///
    /// # Errors
    ///
    /// As for [`write`](Self::write): then the message was not taken. With [`Error::WriteTimedOut`] it was,
    /// and what is left of it goes out with the next flush or read.
    pub fn send<'m>(&mut self, message: impl Into<Message<'m>>) -> Result<(), Error> {
        self.driver.write(message.into(), Wait::Always)?;
        self.flush()
    }

    /// Sends a Ping, and all that was queued before it. Its Pong isn't handed out: use
    /// [`Timeouts::keepalive`] to know whether the peer is there.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send), but [`Error::WriteTimedOut`] also when the peer takes nothing and there
    /// was no room for the Ping.
    pub fn ping<'p>(&mut self, payload: impl Into<ControlPayload<'p>>) -> Result<(), Error> {
        self.driver.ping(payload.into())
    }

    /// Writes everything that is queued.
    ///
    /// # Errors
    ///
    /// [`Error::WriteTimedOut`] when the peer takes nothing; what is left stays queued.
    /// [`Error::Io`] when the transport fails.
    pub fn flush(&mut self) -> Result<(), Error> {
        Sink::flush(&mut self.driver)
    }

    /// Closes the connection: sends a Close frame, waits for the peer's, and ends the transport.
    ///
    /// Messages that arrive meanwhile are discarded. If the connection is already closing or closed, this
    /// only sees it to its end.
    ///
    /// # Errors
    ///
    /// [`Error::CloseTimedOut`] when the peer's Close frame takes longer than [`Timeouts::close`] (a peer
    /// that only leaves its transport open isn't waited for any longer either, but that isn't an error),
    /// [`Error::Usage`] for a reason of more than 123 bytes, and whatever else keeps the connection from
    /// ending cleanly.
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<CloseStatus, Error> {
        let frame = CloseFrame::new(code, reason)?;
        self.driver.close(frame)
    }

    /// How the connection ended or is ending; `None` while it is open.
    pub fn close_status(&self) -> Option<CloseStatus> {
        self.driver.outlet.sending.close_status()
    }

    /// Where the connection is in its life.
    pub const fn state(&self) -> ConnectionState {
        self.driver.outlet.sending.state()
    }

    /// How long it took until the answer to the latest keepalive Ping was read; `None` before the first, and
    /// without [`Timeouts::keepalive`].
    pub fn round_trip_time(&self) -> Option<Duration> {
        self.driver.outlet.sending.round_trip_time()
    }

    /// The subprotocol on which both ends agreed in the handshake.
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// Sets how long a read may wait for bytes, from the next one on; see [`Timeouts::read`].
    ///
    /// Over a stream that isn't a [`Socket`](super::Socket) it makes no difference.
    pub const fn set_read_timeout(&mut self, timeout: Option<Duration>) {
        self.driver.set_read_timeout(timeout);
    }

    /// The stream, for inspection: reading from it or writing to it would break the connection, which also
    /// manages its timeouts and needs it to stay blocking. See [`set_read_timeout`](Self::set_read_timeout).
    pub const fn stream(&self) -> &S {
        self.driver.stream.get()
    }

    /// The stream, once the connection isn't needed any more. Bytes that were read ahead and not handed out
    /// are lost, and so are those that are queued. A [`Socket`](super::Socket) has no timeouts then.
    pub fn into_stream(mut self) -> S {
        // A socket that refuses this has ended.
        let _ = self.driver.stream.set_timeouts(None, None);
        self.driver.stream.into_inner()
    }

    /// Splits the connection into a receiving and a sending end, for two threads or more. Finish a message that was
    /// begun by [`write_fragment`](Self::write_fragment) first: the ends can't.
    ///
    /// ```no_run
    /// use std::thread;
    ///
    /// let socket = sansocket::blocking::connect("ws://localhost:9001/feed")?;
    /// let (mut reader, writer) = socket.split()?;
    /// thread::spawn(move || writer.send("subscribe"));
    /// while let Some(message) = reader.read()? {
    ///     println!("{} bytes", message.len());
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`CloneSocket::try_clone`] and of setting timeouts; the connection is then dropped.
    pub fn split(self) -> io::Result<(Reader<S>, Writer<S>)>
    where
        S: CloneSocket,
    {
        let driver = self.driver.split()?;
        let writer = Writer { shared: Arc::clone(&driver.outlet) };
        Ok((Reader::new(driver, self.subprotocol), writer))
    }
}
