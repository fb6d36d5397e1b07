use std::time::{Duration, Instant};

use sansocket::{Connection, Message, SendError};

use super::socket::Socket;

/// A message of at least this many bytes is worth a write of its own.
const LONG: usize = 32 * 1024;

/// For the last message, this many are enough: what was queued before leaves with the same write.
const LONG_FOR_THE_LAST: usize = 4 * 1024;

/// Where the application puts its replies.
///
/// The replies to everything that was read in one go leave together. Only long ones are written at once,
/// from where they are; whatever the socket doesn't take of them is queued.
pub(crate) struct Replies<'turn> {
    /// For anything else there is to say.
    pub(crate) connection: &'turn mut Connection,
    /// `None` while nothing may be written yet.
    pub(super) socket: Option<&'turn mut Socket>,
    /// Whether nothing is left of what was read.
    pub(super) is_last: bool,
    pub(super) now: Instant,
    pub(super) patience: Duration,
}

impl Replies<'_> {
    /// Sends a message.
    ///
    /// # Errors
    ///
    /// Those of [`Connection::send`].
    #[inline]
    pub(crate) fn send(&mut self, message: Message<'_>) -> Result<(), SendError> {
        let long = if self.is_last { LONG_FOR_THE_LAST } else { LONG };
        if message.len() < long { self.connection.send(message) } else { self.lend(message) }
    }

    #[inline(never)]
    fn lend(&mut self, message: Message<'_>) -> Result<(), SendError> {
        match &mut self.socket {
            Some(socket) if socket.stalled_by().is_none() => {
                let mut lent = self.connection.lend(message)?;
                // The next write will return an error again.
                let _ = socket.write(&mut lent, self.now, self.patience);
                Ok(())
            }
            _ => self.connection.send(message),
        }
    }
}
