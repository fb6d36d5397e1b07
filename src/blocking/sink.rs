use crate::blocking::error::Error;
use crate::blocking::outbound::Outbound;
use crate::connection::{ConnectionState, ControlPayload, SendError, SendingHalf, UsageError};
use crate::message::Message;

/// Where messages are queued and written from: by the only thread of a connection, or by one of several.
pub(super) trait Sink {
    /// Accesses the sending half, for a moment.
    fn outbound<T>(&mut self, access: impl FnOnce(&mut Outbound) -> T) -> T;

    /// Writes everything that is queued.
    fn flush(&mut self) -> Result<(), Error>;

    /// Queues a message with `send`, and writes if much is queued, as far as there is time for it.
    #[inline]
    fn queue(
        &mut self,
        message: Message<'_>,
        send: impl Fn(&mut SendingHalf, Message<'_>) -> Result<(), SendError>,
    ) -> Result<(), Error> {
        self.queue_in_time(message, send).or_else(unless_timed_out)
    }

    /// Like `queue`, but fails with `WriteTimedOut` if there was not enough time to write. The message is
    /// queued even then.
    #[inline]
    fn queue_in_time(
        &mut self,
        mut message: Message<'_>,
        send: impl Fn(&mut SendingHalf, Message<'_>) -> Result<(), SendError>,
    ) -> Result<(), Error> {
        // In a loop, because the reader's replies may fill a short queue between two attempts.
        while let Err(error) = self.outbound(|outbound| send(&mut outbound.sending, message)) {
            match error {
                SendError::BufferFull(refused) => match self.flush() {
                    Ok(()) => message = refused,
                    Err(Error::WriteTimedOut) => return Err(Error::BufferFull(refused)),
                    Err(error) => return Err(error),
                },
                error @ SendError::Refused(_) => {
                    return Err(self.outbound(|outbound| outbound.refusal(error)));
                }
            }
        }
        if !self.outbound(Outbound::is_laden) {
            return Ok(());
        }
        self.flush().or_else(|error| match error {
            // The peer has closed meanwhile. That has a deadline of its own, and the next flush reports the
            // outcome.
            Error::WriteTimedOut
                if self.outbound(|outbound| outbound.sending.state()) != ConnectionState::Open =>
            {
                Ok(())
            }
            error => Err(error),
        })
    }

    /// Queues a Ping, and writes first if there is no room for it.
    fn queue_ping(&mut self, payload: ControlPayload<'_>) -> Result<(), Error> {
        while let Err(error) = self.outbound(|outbound| outbound.sending.ping(payload.clone())) {
            match error {
                UsageError::BacklogFull => self.flush()?,
                error => return Err(self.outbound(|outbound| outbound.refusal(error))),
            }
        }
        Ok(())
    }

    /// Sends a Ping, and all that was queued before it.
    fn ping(&mut self, payload: ControlPayload<'_>) -> Result<(), Error> {
        self.queue_ping(payload)?;
        self.flush()
    }
}

/// Ignores a write timeout: the message was written as far as there was time for it, the rest is queued, and
/// no more was promised.
#[cold]
pub(super) fn unless_timed_out(error: Error) -> Result<(), Error> {
    match error {
        Error::WriteTimedOut => Ok(()),
        error => Err(error),
    }
}

impl<T: Sink> Sink for &mut T {
    fn outbound<R>(&mut self, access: impl FnOnce(&mut Outbound) -> R) -> R {
        T::outbound(self, access)
    }

    fn flush(&mut self) -> Result<(), Error> {
        T::flush(self)
    }
}
