//! What the sending half does by the clock: of the whole connection, as it knows where that is in its life.
#![expect(clippy::disallowed_types, reason = "a time that the caller has read from its clock")]

use alloc::boxed::Box;
use std::time::{Duration, Instant};

use bytes::Buf;

use crate::close_code::CloseCode;
use crate::connection::close_frame::CloseFrame;
use crate::connection::running_timers::{Due, RunningTimers};
use crate::connection::sending::SendingHalf;
use crate::connection::state::ConnectionState;
use crate::connection::timers::{TimeoutError, Timers};

impl SendingHalf {
    pub(crate) fn set_timers(&mut self, timers: Timers) {
        self.timers = RunningTimers::new(timers).map(Box::new);
    }

    /// Returns how long the latest answer to a keepalive Ping took; see
    /// [`Connection::round_trip_time`](crate::Connection::round_trip_time).
    pub fn round_trip_time(&self) -> Option<Duration> {
        self.timers.as_ref()?.round_trip_time()
    }

    /// Whether the time makes a difference. If not, no clock need be read.
    #[cfg(feature = "blocking")]
    pub(crate) fn needs_time(&self) -> bool {
        let is_open = self.state() == ConnectionState::Open;
        self.timers.as_ref().is_some_and(|timers| !is_open || timers.concern_open())
    }

    /// Reports that bytes have arrived now; see
    /// [`Connection::handle_read`](crate::Connection::handle_read).
    #[inline]
    pub fn handle_read(&mut self, now: Instant) {
        if let Some(timers) = &mut self.timers {
            timers.hear(now);
        }
    }

    /// Returns when to call [`handle_timeout`](Self::handle_timeout) at the latest.
    #[inline]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let timers = self.timers.as_ref()?;
        match self.state() {
            ConnectionState::Open => timers.next_while_open(),
            ConnectionState::Closing => timers.close_by(),
            ConnectionState::Closed => None,
        }
    }

    /// Reports what time it is; see [`Connection::handle_timeout`](crate::Connection::handle_timeout).
    ///
    /// # Errors
    ///
    /// Returns what has taken too long. If the [state](Self::state) is then closed, tell the
    /// [`ReceivingHalf`](crate::ReceivingHalf) so with its
    /// [`receive_eof`](crate::ReceivingHalf::receive_eof).
    #[inline]
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), TimeoutError> {
        let Some(timers) = &mut self.timers else {
            return Ok(());
        };
        match self.closing.state() {
            ConnectionState::Open => {
                let written = self.encoding.framing.outgoing().written();
                match timers.tick(now, written) {
                    Due::Nothing => Ok(()),
                    Due::Ping(payload) => {
                        self.encoding.framing.keepalive_ping(payload);
                        let up_to = self.encoding.framing.outgoing().position();
                        timers.note_ping(now, up_to);
                        // Its deadline may be now, if there is no time for an answer.
                        self.handle_timeout(now)
                    }
                    Due::Failure(error) => Err(self.end(error, now)),
                }
            }
            ConnectionState::Closing if timers.tick_closing(now) => {
                let has_outgoing = self.encoding.framing.outgoing().has_remaining();
                let is_complete = !self.closing.is_listening() && !has_outgoing;
                self.closing.receive_eof();
                // A peer that only leaves its transport open has done nothing wrong.
                if is_complete { Ok(()) } else { Err(TimeoutError::Close) }
            }
            ConnectionState::Closing | ConnectionState::Closed => Ok(()),
        }
    }

    fn end(&mut self, error: TimeoutError, now: Instant) -> TimeoutError {
        if error == TimeoutError::Idle {
            self.close(Some(CloseFrame::from(CloseCode::GOING_AWAY)));
            // From here on the connection is closing.
            let _ = self.handle_timeout(now);
        } else {
            self.receive_eof();
        }
        error
    }
}
