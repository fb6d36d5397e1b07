use crate::blocking::error::Error;
use crate::blocking::outbound::Outbound;
use crate::connection::{ConnectionState, ControlPayload, SendError, SendingHalf, UsageError};
use crate::message::Message;

/// How often a peer that takes nothing is waited for, for the time of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// With each message, and it is an error each time.
    Always,
    /// Until it takes something again, not a second time. No more was promised than that the message is queued.
    Once,
}

/// Where messages are queued and written from: by the only thread of a connection, or by one of several.
pub(super) trait Sink {
    /// Accesses the sending half, for a moment.
    fn outbound<T>(&mut self, access: impl FnOnce(&mut Outbound) -> T) -> T;

    /// Writes everything that is queued.
    fn flush(&mut self) -> Result<(), Error>;

    /// Writes what the peer takes at once; fails with `WriteTimedOut` if something is left.
    fn nudge(&mut self) -> Result<(), Error>;

    /// Queues a message with `send`, and writes if much is queued.
    ///
    /// Fails with `WriteTimedOut` if that took too long and is an error by `wait`. The message is queued even then.
    #[inline]
    fn queue(
        &mut self,
        mut message: Message<'_>,
        wait: Wait,
        send: impl Fn(&mut SendingHalf, Message<'_>) -> Result<(), SendError>,
    ) -> Result<(), Error> {
        // In a loop, because the reader's replies may fill a short queue between two attempts.
        while let Err(error) = self.outbound(|outbound| send(&mut outbound.sending, message)) {
            match error {
                SendError::BufferFull(refused) => match self.write_queued(wait) {
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
        match self.write_queued(wait) {
            Err(Error::WriteTimedOut) if wait == Wait::Once => Ok(()),
            // The peer has closed meanwhile. That has a deadline of its own, and the next flush reports the
            // outcome.
            Err(Error::WriteTimedOut)
                if self.outbound(|outbound| outbound.sending.state()) != ConnectionState::Open =>
            {
                Ok(())
            }
            written => written,
        }
    }

    /// Writes everything that is queued, as far as the peer is waited for.
    fn write_queued(&mut self, wait: Wait) -> Result<(), Error> {
        if wait == Wait::Once && self.outbound(Outbound::is_stalled) {
            match self.nudge() {
                // It takes something again.
                Err(Error::WriteTimedOut) if !self.outbound(Outbound::is_stalled) => {}
                nudged => return nudged,
            }
        }
        self.flush()
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

impl<T: Sink> Sink for &mut T {
    fn outbound<R>(&mut self, access: impl FnOnce(&mut Outbound) -> R) -> R {
        T::outbound(self, access)
    }

    fn flush(&mut self) -> Result<(), Error> {
        T::flush(self)
    }

    fn nudge(&mut self) -> Result<(), Error> {
        T::nudge(self)
    }
}
