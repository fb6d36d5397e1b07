use crate::blocking::error::Error;
use crate::blocking::outbound::Outbound;
use crate::blocking::outlet::Flushed;
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

    /// Writes what the peer takes at once.
    fn try_flush(&mut self) -> Result<Flushed, Error>;

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
                    Ok(Flushed::Everything) => message = refused,
                    Ok(Flushed::Partly) | Err(Error::WriteTimedOut) => {
                        return Err(Error::BufferFull(refused));
                    }
                    Err(error) => return Err(error),
                },
                error @ SendError::Refused(_) => {
                    return Err(self.outbound(|outbound| outbound.refusal(error)));
                }
            }
        }
        if !self.outbound(Outbound::must_write) {
            return Ok(());
        }
        match self.write_queued(wait) {
            // The peer has closed meanwhile. That has a deadline of its own, and the next flush reports the
            // outcome.
            Err(Error::WriteTimedOut)
                if self.outbound(|outbound| outbound.sending.state()) != ConnectionState::Open =>
            {
                Ok(())
            }
            written => written.map(drop),
        }
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

    /// Writes everything that is queued, or as much as the peer takes without being waited for a second time.
    fn write_queued(&mut self, wait: Wait) -> Result<Flushed, Error> {
        if wait == Wait::Once && self.outbound(Outbound::is_stalled) {
            match self.try_flush()? {
                // It takes something again.
                Flushed::Partly if !self.outbound(Outbound::is_stalled) => {}
                flushed => return Ok(flushed),
            }
        }
        self.flush().map(|()| Flushed::Everything)
    }

    /// Queues a Ping, and writes first if there is no room for it.
    fn queue_ping(&mut self, payload: &ControlPayload<'_>, wait: Wait) -> Result<(), Error> {
        while let Err(error) = self.outbound(|outbound| outbound.sending.ping(payload.clone())) {
            if error != UsageError::BacklogFull || self.write_queued(wait)? == Flushed::Partly {
                return Err(self.outbound(|outbound| outbound.refusal(error)));
            }
        }
        Ok(())
    }

    /// Sends a Ping, and all that was queued before it.
    fn ping(&mut self, payload: ControlPayload<'_>) -> Result<(), Error> {
        self.queue_ping(&payload, Wait::Always)?;
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

    fn try_flush(&mut self) -> Result<Flushed, Error> {
        T::try_flush(self)
    }
}
