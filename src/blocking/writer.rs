use std::fmt;
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

use crate::blocking::error::Error;
use crate::blocking::message_writer::MessageWriter;
use crate::blocking::shared::{Shared, Turn};
use crate::blocking::sink::{Sink, Wait};
use crate::close_code::CloseCode;
use crate::connection::{
    CloseFrame, CloseStatus, ConnectionState, ControlPayload, PreparedMessage, UsageError,
};
use crate::message::{Message, MessageKind};

/// The sending end of a connection, for any number of threads; from
/// [`WebSocket::split`](super::WebSocket::split).
///
/// Clones send on the same connection. Whole messages never mix, and those of one thread arrive in the
/// order in which it sent them. Pings are answered and the closing handshake is driven by the
/// [`Reader`](super::Reader): somebody has to read.
///
/// ```
/// use std::{net::TcpListener, thread};
/// use sansocket::blocking::{accept, connect};
///
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let url = format!("ws://{}/", listener.local_addr()?);
/// let server = thread::spawn(move || accept(listener.accept().unwrap().0).unwrap().messages().count());
///
/// let (mut reader, writer) = connect(&url)?.split()?;
/// thread::scope(|scope| {
///     for name in ["one", "two"] {
///         let writer = writer.clone();
///         scope.spawn(move || writer.send(name).unwrap());
///     }
/// });
/// reader.close(sansocket::CloseCode::NORMAL, "")?;
/// assert_eq!(server.join().unwrap(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Writer<S> {
    pub(super) shared: Arc<Shared<S>>,
}

impl<S: Read + Write> Writer<S> {
    /// Sends a message: when this returns, the operating system has it and all that was queued before it.
    ///
    /// It waits for a peer that reads slowly, up to [`Timeouts::write`](super::Timeouts::write) for each
    /// step, and for other writers.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] when the connection is closing, [`Error::BufferFull`] with the message when the peer
    /// takes nothing and too much is already waiting; then the message was not taken. With
    /// [`Error::WriteTimedOut`] it was, and what is left of it goes out with the next flush. [`Error::Io`]
    /// when the transport fails.
    pub fn send<'m>(&self, message: impl Into<Message<'m>>) -> Result<(), Error> {
        self.turn()
            .queue(message.into(), Wait::Always, |sending, message| sending.send(message))?;
        self.flush()
    }

    /// Queues a message, and writes once 64 KiB are queued. Call [`flush`](Self::flush) after the last of
    /// several: a reader that waits for the peer may not notice what is queued before a quarter of
    /// [`Timeouts::close`](super::Timeouts::close) has passed.
    ///
    /// A peer that takes nothing is waited for once, up to [`Timeouts::write`](super::Timeouts::write): until it
    /// takes something again, further messages are only queued.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send), except [`Error::WriteTimedOut`]: then it is queued.
    pub fn write<'m>(&self, message: impl Into<Message<'m>>) -> Result<(), Error> {
        self.turn().queue_once(message.into(), |sending, message| sending.send(message))
    }

    /// Queues a message that was prepared for many connections.
    ///
    /// # Errors
    ///
    /// As for [`write`](Self::write).
    pub fn write_prepared(&self, message: &PreparedMessage) -> Result<(), Error> {
        let shared = message.message().clone();
        self.turn().queue_once(shared, |sending, _| sending.send_prepared(message))
    }

    /// Sends a message without waiting for the peer or for other writers: what the peer doesn't take at once, which is
    /// tried for a few milliseconds, is queued. It goes out when the [`Reader`](super::Reader), unless it is busy with a
    /// message, next looks: within a quarter of [`Timeouts::close`](super::Timeouts::close), and of a second while such
    /// messages come every few seconds. Until then, further ones are only queued, and tried again when there is no more
    /// room.
    ///
    /// This is for one thread with many connections, none of which may hold up the others. How far a peer may
    /// fall behind is [`Config::max_outgoing_size`](crate::Config::max_outgoing_size).
    ///
    /// ```no_run
    /// use std::net::TcpStream;
    /// use sansocket::PreparedMessage;
    /// use sansocket::blocking::Writer;
    ///
    /// /// Drops those that are too slow, or gone.
    /// fn broadcast(clients: &mut Vec<Writer<TcpStream>>, text: &str) {
    ///     let message = PreparedMessage::new(text);
    ///     clients.retain(|client| {
    ///         let sent = client.try_send_prepared(&message);
    ///         if sent.is_err() {
    ///             client.abort();
    ///         }
    ///         sent.is_ok()
    ///     });
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::BufferFull`] with the message when too much is still waiting, [`Error::Usage`] when the
    /// connection is closing or another thread is in the middle of a [message](Self::message) that it writes
    /// piece by piece, [`Error::Io`] when the transport fails.
    pub fn try_send<'m>(&self, message: impl Into<Message<'m>>) -> Result<(), Error> {
        let message = message.into();
        self.shared.try_send(|sending| sending.send(message))
    }

    /// Sends a message that was prepared for many connections, without waiting.
    ///
    /// # Errors
    ///
    /// As for [`try_send`](Self::try_send).
    pub fn try_send_prepared(&self, message: &PreparedMessage) -> Result<(), Error> {
        self.shared.try_send(|sending| sending.send_prepared(message))
    }

    /// Begins a message that is written piece by piece. Until it is finished or dropped, the messages of
    /// other writers wait, and so would another message of the same thread, for ever; Pings, Pongs and Close
    /// frames may go between its fragments.
    pub fn message(&self, kind: MessageKind) -> MessageWriter<'_> {
        MessageWriter::new(Box::new(self.turn()), kind)
    }

    /// Sends a Ping, and all that was queued before it.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send), but [`Error::WriteTimedOut`] also when the peer takes nothing and there
    /// was no room for the Ping.
    pub fn ping<'p>(&self, payload: impl Into<ControlPayload<'p>>) -> Result<(), Error> {
        (&*self.shared).ping(payload.into())
    }

    /// Writes everything that is queued.
    ///
    /// # Errors
    ///
    /// [`Error::WriteTimedOut`] when the peer takes nothing; what is left stays queued.
    /// [`Error::Io`] when the transport fails.
    pub fn flush(&self) -> Result<(), Error> {
        self.shared.flush()
    }

    /// Begins the closing handshake: sends a Close frame after what is queued. The [`Reader`](super::Reader)
    /// sees it to its end.
    ///
    /// Waits for a peer that reads slowly, up to [`Timeouts::close`](super::Timeouts::close). Does nothing if the
    /// connection is already closing or closed.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] for a reason of more than 123 bytes, and those of [`flush`](Self::flush).
    pub fn close(&self, code: CloseCode, reason: &str) -> Result<(), Error> {
        let frame = CloseFrame::new(code, reason)?;
        self.shared.queue_close(frame);
        match self.shared.flush_closing() {
            // It was closed meanwhile.
            Err(Error::Usage(UsageError::NotOpen)) => Ok(()),
            flushed => flushed,
        }
    }

    /// Ends the transport without a closing handshake: what is queued is lost, and the [`Reader`](super::Reader)
    /// gets an error. For a peer that isn't worth waiting for.
    ///
    /// It ends at once, or, if another thread is in the middle of a write to the socket, after that one: up to
    /// [`Timeouts::write`](super::Timeouts::write) later.
    pub fn abort(&self) {
        self.shared.abort();
    }

    /// How the connection ended or is ending; `None` while it is open.
    pub fn close_status(&self) -> Option<CloseStatus> {
        self.shared.lock_outbound().sending.close_status()
    }

    /// Where the connection is in its life.
    pub fn state(&self) -> ConnectionState {
        self.shared.lock_outbound().sending.state()
    }

    /// How long the peer took to answer the latest keepalive Ping.
    pub fn round_trip_time(&self) -> Option<Duration> {
        self.shared.lock_outbound().sending.round_trip_time()
    }

    /// Whether the peer took nothing when it was last waited for, and has taken nothing since.
    pub(super) fn is_stalled(&self) -> bool {
        self.shared.lock_outbound().is_stalled()
    }

    fn turn(&self) -> Turn<'_, S> {
        Turn::new(&self.shared)
    }
}

impl<S> Clone for Writer<S> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<S> fmt::Debug for Writer<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Writer").finish_non_exhaustive()
    }
}
