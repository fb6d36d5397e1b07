use std::fmt;

use crate::blocking::error::Error;
use crate::blocking::outbound::Outbound;
use crate::close_code::CloseCode;
use crate::connection::{CloseFrame, ControlPayload, PreparedMessage, UsageError};
use crate::message::Message;

/// Where the handler of [`WebSocket::serve`](super::WebSocket::serve) puts its replies.
///
/// They are queued, and leave together when all that was read is handled. Once the connection is closing, the
/// peer may still have something to say, but no longer listens: what is sent then goes nowhere, and that
/// isn't an error.
///
/// ```
/// use std::{net::TcpListener, thread};
/// use sansocket::blocking::{Error, Outbox, accept, connect};
/// use sansocket::{CloseCode, Message};
///
/// fn answer(message: Message<'_>, outbox: &mut Outbox<'_>) -> Result<(), Error> {
///     match message.as_text() {
///         Some("bye") => outbox.close(CloseCode::NORMAL, "until next time"),
///         Some(text) => outbox.send(text.to_uppercase()),
///         None => Ok(()), // nothing to say
///     }
/// }
///
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let url = format!("ws://{}/", listener.local_addr()?);
/// let server = thread::spawn(move || accept(listener.accept().unwrap().0).unwrap().serve(answer));
/// let mut client = connect(&url)?;
/// client.send("Hello")?;
/// client.send("bye")?;
/// assert_eq!(client.read()?, Some("HELLO".into()));
/// assert_eq!(client.read()?, None);
/// server.join().unwrap()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Outbox<'connection> {
    replies: &'connection mut dyn Replies,
    /// Whether this call of the handler has closed the connection, and so should know that.
    has_closed: bool,
}

/// Takes the replies of a handler.
pub(super) trait Replies {
    fn send(&mut self, message: Message<'_>) -> Result<(), Error>;
    fn send_prepared(&mut self, message: &PreparedMessage) -> Result<(), Error>;
    fn ping(&mut self, payload: ControlPayload<'_>) -> Result<(), Error>;
    fn close(&mut self, frame: CloseFrame<'_>);
    /// Whether a reply was queued but took too long to be written, since this was last asked.
    fn take_timed_out(&mut self) -> bool;
}

impl Replies for Outbound {
    fn send(&mut self, message: Message<'_>) -> Result<(), Error> {
        self.sending.send(message).map_err(|error| self.refusal(error))
    }

    fn send_prepared(&mut self, message: &PreparedMessage) -> Result<(), Error> {
        self.sending.send_prepared(message).map_err(|error| self.refusal(error))
    }

    fn ping(&mut self, payload: ControlPayload<'_>) -> Result<(), Error> {
        self.sending.ping(payload).map_err(|error| self.refusal(error))
    }

    fn close(&mut self, frame: CloseFrame<'_>) {
        self.sending.close(Some(frame));
    }

    fn take_timed_out(&mut self) -> bool {
        // They are only queued here, and the driver writes them.
        false
    }
}

impl<'connection> Outbox<'connection> {
    pub(super) fn new(replies: &'connection mut dyn Replies) -> Self {
        Self { replies, has_closed: false }
    }

    /// Queues a message.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] after a [`close`](Self::close) in the same call of the handler, [`Error::BufferFull`]
    /// when that one call queues more than [`Config::max_outgoing_size`](crate::Config::max_outgoing_size).
    pub fn send<'m>(&mut self, message: impl Into<Message<'m>>) -> Result<(), Error> {
        self.replies.send(message.into()).or_else(|error| self.unless_closing(error))
    }

    /// Queues a message that was prepared for many connections.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send).
    pub fn send_prepared(&mut self, message: &PreparedMessage) -> Result<(), Error> {
        self.replies.send_prepared(message).or_else(|error| self.unless_closing(error))
    }

    /// Queues a Ping.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] after a [`close`](Self::close) in the same call of the handler, or with
    /// [`UsageError::BacklogFull`] when that one call queues too much.
    pub fn ping<'p>(&mut self, payload: impl Into<ControlPayload<'p>>) -> Result<(), Error> {
        self.replies.ping(payload.into()).or_else(|error| self.unless_closing(error))
    }

    /// Begins the closing handshake. `serve` ends when the peer has answered.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] for a reason of more than 123 bytes.
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.replies.close(CloseFrame::new(code, reason)?);
        self.has_closed = true;
        Ok(())
    }

    #[cold]
    fn unless_closing(&self, error: Error) -> Result<(), Error> {
        match error {
            // A transport that takes nothing any more isn't the handler's error either: `serve` reports it.
            Error::Usage(UsageError::NotOpen) | Error::Io(_) if !self.has_closed => Ok(()),
            error => Err(error),
        }
    }
}

impl fmt::Debug for Outbox<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Outbox").finish_non_exhaustive()
    }
}
