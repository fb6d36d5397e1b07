use crate::blocking::error::Error;
use crate::close_code::CloseCode;
use crate::connection::{CloseFrame, Connection, ControlPayload};
use crate::message::Message;

/// Where the handler of [`WebSocket::serve`](super::WebSocket::serve) puts its replies.
///
/// They are queued, and leave together when all that was read is handled.
#[derive(Debug)]
pub struct Outbox<'connection>(&'connection mut Connection);

impl<'connection> Outbox<'connection> {
    pub(super) const fn new(connection: &'connection mut Connection) -> Self {
        Self(connection)
    }

    /// Queues a message.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] when the connection is closing, [`Error::BufferFull`] when one handler call
    /// queues more than [`Config::max_outgoing_size`](crate::Config::max_outgoing_size).
    pub fn send<'m>(&mut self, message: impl Into<Message<'m>>) -> Result<(), Error> {
        Ok(self.0.send(message)?)
    }

    /// Queues a Ping.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn ping<'p>(&mut self, payload: impl Into<ControlPayload<'p>>) -> Result<(), Error> {
        Ok(self.0.ping(payload)?)
    }

    /// Begins the closing handshake. `serve` ends when the peer has answered.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] for a reason of more than 123 bytes.
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.0.close(Some(CloseFrame::new(code, reason)?));
        Ok(())
    }
}
