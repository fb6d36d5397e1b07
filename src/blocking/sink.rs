use crate::blocking::error::Error;
use crate::blocking::outbound::Outbound;
use crate::connection::{ConnectionState, ControlPayload, SendError, SendingHalf, UsageError};
use crate::message::Message;

/// How often a peer that takes nothing is waited for, for the time of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// With each message.
    Always,
    /// Not a second time, until it takes something again.
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
    /// Fails with `WriteTimedOut` if the peer was waited for in vain. The message is queued even then.
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
        let was_waited_for = wait == Wait::Once && self.outbound(Outbound::is_stalled);
        self.write_queued(wait).or_else(|error| match error {
            Error::WriteTimedOut if was_waited_for => Ok(()),
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

    /// Queues a message like [`queue`](Self::queue), for a caller who was promised no more than that.
    #[inline]
    fn queue_once(
        &mut self,
        message: Message<'_>,
        send: impl Fn(&mut SendingHalf, Message<'_>) -> Result<(), SendError>,
    ) -> Result<(), Error> {
        self.queue(message, Wait::Once, send).or_else(unless_timed_out)
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

    fn nudge(&mut self) -> Result<(), Error> {
        T::nudge(self)
    }
}
