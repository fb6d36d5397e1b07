use std::fmt;

use crate::blocking::error::Error;
use crate::blocking::outbound::Outbound;
use crate::close_code::CloseCode;
use crate::connection::{CloseFrame, ControlPayload};
use crate::message::Message;

/// Where the handler of [`WebSocket::serve`](super::WebSocket::serve) puts its replies.
///
/// They are queued, and leave together when all that was read is handled.
pub struct Outbox<'connection>(&'connection mut dyn Replies);

/// What takes the replies of a handler.
pub(super) trait Replies {
    fn send(&mut self, message: Message<'_>) -> Result<(), Error>;
    fn ping(&mut self, payload: ControlPayload<'_>) -> Result<(), Error>;
    fn close(&mut self, frame: CloseFrame<'_>);
}

impl Replies for Outbound {
    fn send(&mut self, message: Message<'_>) -> Result<(), Error> {
        self.sending.send(message).map_err(|error| self.refusal(error))
    }

    fn ping(&mut self, payload: ControlPayload<'_>) -> Result<(), Error> {
        self.sending.ping(payload).map_err(|error| self.refusal(error))
    }

    fn close(&mut self, frame: CloseFrame<'_>) {
        self.sending.close(Some(frame));
    }
}

impl<'connection> Outbox<'connection> {
    pub(super) fn new(replies: &'connection mut dyn Replies) -> Self {
        Self(replies)
    }

    /// Queues a message.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] when the connection is closing, [`Error::BufferFull`] when one handler call
    /// queues more than [`Config::max_outgoing_size`](crate::Config::max_outgoing_size).
    pub fn send<'m>(&mut self, message: impl Into<Message<'m>>) -> Result<(), Error> {
        self.0.send(message.into())
    }

    /// Queues a Ping.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn ping<'p>(&mut self, payload: impl Into<ControlPayload<'p>>) -> Result<(), Error> {
        self.0.ping(payload.into())
    }

    /// Begins the closing handshake. `serve` ends when the peer has answered.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] for a reason of more than 123 bytes.
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.0.close(CloseFrame::new(code, reason)?);
        Ok(())
    }
}

impl fmt::Debug for Outbox<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Outbox").finish_non_exhaustive()
    }
}
