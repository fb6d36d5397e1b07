use std::fmt;
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

use crate::blocking::driver::Driver;
use crate::blocking::error::Error;
use crate::blocking::incoming::Incoming;
use crate::blocking::message_reader::MessageReader;
use crate::blocking::messages::Messages;
use crate::blocking::outbox::Outbox;
use crate::blocking::shared::Shared;
use crate::blocking::websocket::WebSocket;
use crate::blocking::writer::Writer;
use crate::close_code::CloseCode;
use crate::connection::{CloseFrame, CloseStatus, ConnectionState};
use crate::message::{Chunk, Message};

/// The receiving end of a connection; from [`WebSocket::split`].
///
/// Reading drives the connection: Pings and Close frames are answered, and keepalive Pings sent, while a
/// thread reads. It never waits for a peer that doesn't take its replies: they go out with what the
/// writers send, or as soon as they can. Only when the peer has ended its direction does it wait, up to
/// [`Timeouts::close`](super::Timeouts::close) for each bit of progress, for what is queued by then.
///
/// Dropping it doesn't end the connection while there is a [`Writer`]. But then nobody answers a Ping or a Close
/// frame, and no timeout but that of the writes holds: keep reading, or drop the writers too.
///
/// ```
/// use std::{net::TcpListener, thread};
/// use sansocket::CloseCode;
/// use sansocket::blocking::{accept, connect};
///
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let url = format!("ws://{}/", listener.local_addr()?);
/// let server = thread::spawn(move || {
///     let mut socket = accept(listener.accept().unwrap().0).unwrap();
///     socket.serve(|message, outbox| outbox.send(message))
/// });
///
/// let (mut reader, writer) = connect(&url)?.split()?;
/// let writing = thread::spawn(move || {
///     for number in 0..100 {
///         writer.write(number.to_string())?;
///     }
///     writer.close(CloseCode::NORMAL, "that was all")
/// });
/// let echoes = reader.messages().collect::<Result<Vec<_>, _>>()?;
/// assert_eq!(echoes.len(), 100);
/// writing.join().unwrap()?;
/// server.join().unwrap()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Reader<S> {
    pub(super) driver: Driver<S, Arc<Shared<S>>>,
    subprotocol: Option<Box<str>>,
}

impl<S: Read + Write> Reader<S> {
    pub(super) const fn new(
        driver: Driver<S, Arc<Shared<S>>>,
        subprotocol: Option<Box<str>>,
    ) -> Self {
        Self { driver, subprotocol }
    }

    /// Waits for the next message; `None` when the connection was closed cleanly.
    ///
    /// # Errors
    ///
    /// As for [`WebSocket::read`].
    pub fn read(&mut self) -> Result<Option<Message<'static>>, Error> {
        self.driver.read()
    }

    /// Waits for the next piece of a message; see [`WebSocket::read_chunk`].
    ///
    /// # Errors
    ///
    /// As for [`WebSocket::read`].
    pub fn read_chunk(&mut self) -> Result<Option<Chunk<'static>>, Error> {
        self.driver.read_chunk()
    }

    /// Waits for the next message, to be read piece by piece; see [`WebSocket::next_message`].
    ///
    /// # Errors
    ///
    /// As for [`WebSocket::read`].
    pub fn next_message(&mut self) -> Result<Option<MessageReader<'_>>, Error> {
        MessageReader::begin(&mut self.driver)
    }

    /// The messages until the connection ends; see [`WebSocket::messages`].
    pub fn messages(&mut self) -> Messages<'_> {
        Messages::new(&mut self.driver)
    }

    /// Hands every message to `handler` until the connection is closed cleanly; see
    /// [`WebSocket::serve`].
    ///
    /// The handler is one writer among others: what it sends waits for messages that the others are writing,
    /// and for the peer once 64 KiB are queued. When another thread has begun to close, replies are dropped,
    /// and this goes on until the connection is closed.
    ///
    /// # Errors
    ///
    /// As for [`WebSocket::serve`]; [`Error::WriteTimedOut`] when the peer took too long to take a reply.
    pub fn serve<E: From<Error>>(
        &mut self,
        handler: impl FnMut(Message<'_>, &mut Outbox<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.driver.serve(handler)
    }

    /// Closes the connection and sees it to its end; see [`WebSocket::close`].
    ///
    /// # Errors
    ///
    /// As for [`WebSocket::close`].
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<CloseStatus, Error> {
        let frame = CloseFrame::new(code, reason)?;
        self.driver.close(frame)
    }

    /// Another writer of this connection.
    pub fn writer(&self) -> Writer<S> {
        Writer { shared: Arc::clone(&self.driver.outlet) }
    }

    /// How the connection ended or is ending; `None` while it is open.
    pub fn close_status(&self) -> Option<CloseStatus> {
        self.driver.outlet.lock_outbound().sending.close_status()
    }

    /// Where the connection is in its life.
    pub fn state(&self) -> ConnectionState {
        self.driver.outlet.lock_outbound().sending.state()
    }

    /// How long the peer took to answer the latest keepalive Ping.
    pub fn round_trip_time(&self) -> Option<Duration> {
        self.driver.outlet.lock_outbound().sending.round_trip_time()
    }

    /// The subprotocol on which both ends agreed in the handshake.
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// Sets how long a read may wait for bytes, from the next one on; see
    /// [`Timeouts::read`](super::Timeouts::read).
    pub const fn set_read_timeout(&mut self, timeout: Option<Duration>) {
        self.driver.set_read_timeout(timeout);
    }

    /// The stream; see [`WebSocket::stream`].
    pub const fn stream(&self) -> &S {
        self.driver.stream.get()
    }

    /// Puts the connection together again.
    ///
    /// # Errors
    ///
    /// [`ReuniteError`] with both, if the writer belongs to another connection or has clones.
    pub fn reunite(self, writer: Writer<S>) -> Result<WebSocket<S>, ReuniteError<S>> {
        if !Arc::ptr_eq(&self.driver.outlet, &writer.shared) {
            return Err(ReuniteError(Box::new((self, writer))));
        }
        drop(writer);
        let Self { driver, subprotocol } = self;
        match driver.reunite() {
            Ok(driver) => Ok(WebSocket::from_driver(driver, subprotocol)),
            Err(driver) => {
                let reader = Self { driver: *driver, subprotocol };
                let writer = reader.writer();
                Err(ReuniteError(Box::new((reader, writer))))
            }
        }
    }
}

impl<S> fmt::Debug for Reader<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Reader").finish_non_exhaustive()
    }
}

/// A reader and a writer that are not the only two ends of one connection.
#[derive(thiserror::Error)]
#[error("the reader and the writer are not the only two ends of one connection")]
pub struct ReuniteError<S>(Box<(Reader<S>, Writer<S>)>);

impl<S> fmt::Debug for ReuniteError<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ReuniteError").finish_non_exhaustive()
    }
}

impl<S> ReuniteError<S> {
    /// Both, as they were.
    pub fn into_ends(self) -> (Reader<S>, Writer<S>) {
        *self.0
    }
}
