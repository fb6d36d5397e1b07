#![expect(clippy::disallowed_types, reason = "a time that the caller has read from its clock")]

use std::time::{Duration, Instant};

use crate::connection::timers::{TimeoutError, Timers};

/// The running timers of one connection.
///
/// Every connection with timers has one on the heap: it fits into 184 bytes, which an allocator takes 192 for.
#[derive(Debug)]
pub(crate) struct RunningTimers {
    settings: Timers,
    /// When bytes last arrived.
    heard: Option<Instant>,
    ping: Ping,
    /// How many bytes had been written when the time was last told.
    written: u64,
    /// How many Pings were sent: the payload of the latest.
    pings: u32,
    later: Later,
    round_trip_time: Option<Duration>,
    /// When a message was last sent or received; `None` until the time is told after that.
    message: Option<Instant>,
    /// Until when an overdue peer has a last chance to be heard.
    last_call: Option<Instant>,
    /// Why it is then given up on.
    last_call_before: TimeoutError,
    /// By when the connection has to have ended, once it is closing.
    close_by: Option<Instant>,
}

/// What tells the payload of a Ping from most others, in one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PingMark(u8);

#[derive(Debug)]
enum Ping {
    /// The next one goes out at this time; if there is none yet, an interval after the next time told.
    DueAt(Option<Instant>),
    /// It waits to be written, and has left once all bytes up to the position `up_to` have. The last bytes that
    /// were written had been by `since`.
    Queued { up_to: u64, since: Instant },
    /// It left at this time and awaits an answer.
    SentAt(Instant),
}

/// What became of the application's latest Ping after the unanswered one.
#[derive(Debug)]
enum Later {
    Nothing,
    Asked(PingMark),
    /// It was answered before ours was known to have left.
    Answered,
}

/// How long an overdue peer is listened to once more. What it said may have arrived long ago without
/// being read.
const LAST_CALL: Duration = Duration::from_millis(10);

/// What an open connection has to do now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    Ping([u8; 4]),
    Failure(TimeoutError),
}

impl RunningTimers {
    pub(crate) fn new(settings: Timers) -> Option<Self> {
        (!settings.are_off()).then_some(Self {
            settings,
            heard: None,
            ping: Ping::DueAt(None),
            written: 0,
            pings: 0,
            later: Later::Nothing,
            round_trip_time: None,
            message: None,
            last_call: None,
            last_call_before: TimeoutError::Close,
            close_by: None,
        })
    }

    /// Whether an open connection has anything to do by the clock.
    #[cfg(feature = "blocking")]
    pub(crate) const fn concern_open(&self) -> bool {
        self.settings.keepalive.is_some() || self.settings.idle.is_some()
    }

    pub(crate) const fn round_trip_time(&self) -> Option<Duration> {
        self.round_trip_time
    }

    /// Bytes have arrived.
    #[inline]
    pub(crate) fn hear(&mut self, now: Instant) {
        self.heard = Some(now);
        // A sign of life may have been all that was overdue. Nothing puts off the end.
        if self.last_call.is_some() && self.close_by.is_none() && self.overdue(now).is_none() {
            self.last_call = None;
        }
    }

    /// A message was sent or received, at the time last told or a little later.
    pub(crate) const fn note_message(&mut self) {
        self.message = None;
    }

    /// A Pong has arrived.
    pub(crate) fn note_pong(&mut self, payload: &[u8]) {
        let is_its_own = payload == self.payload();
        // §5.5.3: a peer may answer the latest of several Pings and no other.
        let is_for_later =
            matches!(self.later, Later::Asked(mark) if mark == PingMark::of(payload));
        let since = match self.ping {
            // If another thread writes, the Ping may be answered before the time at which it left is told.
            Ping::SentAt(since) | Ping::Queued { since, .. } if is_its_own => since,
            Ping::SentAt(since) if is_for_later => since,
            Ping::Queued { .. } if is_for_later => {
                self.later = Later::Answered;
                return;
            }
            Ping::SentAt(_) | Ping::Queued { .. } | Ping::DueAt(_) => return,
        };
        let heard = self.heard.map_or(since, |heard| heard.max(since));
        if is_its_own {
            self.round_trip_time = Some(heard.duration_since(since));
        }
        self.ping = Ping::DueAt(self.next_ping(heard));
    }

    /// The application has queued a Ping of its own.
    pub(crate) const fn note_other_ping(&mut self, mark: PingMark) {
        if !matches!(self.later, Later::Answered) {
            self.later = Later::Asked(mark);
        }
    }

    /// A Ping was queued now, up to the position `up_to`.
    pub(crate) const fn note_ping(&mut self, now: Instant, up_to: u64) {
        self.ping = Ping::Queued { up_to, since: now };
        self.later = Later::Nothing;
    }

    /// What an open connection has to do now, having written `written` bytes.
    #[inline]
    pub(crate) fn tick(&mut self, now: Instant, written: u64) -> Due {
        self.message.get_or_insert(now);
        match &mut self.ping {
            Ping::Queued { up_to, .. } if *up_to <= written => {
                self.ping = match self.later {
                    Later::Answered => Ping::DueAt(self.next_ping(now)),
                    Later::Nothing | Later::Asked(_) => Ping::SentAt(now),
                };
            }
            Ping::Queued { since, .. } if self.written < written => *since = now,
            Ping::DueAt(None) => self.ping = Ping::DueAt(self.next_ping(now)),
            Ping::DueAt(Some(_)) | Ping::Queued { .. } | Ping::SentAt(_) => {}
        }
        self.written = written;
        if self.last_call.is_none() && self.next().is_none_or(|time| time > now) {
            return Due::Nothing;
        }
        self.due(now)
    }

    /// What there is to do when a time has come, or had come before.
    #[cold]
    fn due(&mut self, now: Instant) -> Due {
        if let Some(error) = self.overdue(now) {
            return if self.last_call_is_over(error, now) {
                Due::Failure(error)
            } else {
                Due::Nothing
            };
        }
        self.last_call = None;
        if self.ping_at().is_some_and(|time| time <= now) {
            self.pings = self.pings.wrapping_add(1);
            return Due::Ping(self.payload());
        }
        Due::Nothing
    }

    /// Starts the time that closing may take, if it isn't running; returns whether it is over.
    pub(crate) fn tick_closing(&mut self, now: Instant) -> bool {
        let Some(timeout) = self.settings.close else { return false };
        if self.close_by.is_none() {
            self.close_by = now.checked_add(timeout);
            self.last_call = None;
        }
        self.is_overdue(TimeoutError::Close, now)
            && self.last_call_is_over(TimeoutError::Close, now)
    }

    /// When an open connection has to be told the time.
    #[inline]
    pub(crate) fn next_while_open(&self) -> Option<Instant> {
        self.last_call.or_else(|| self.next())
    }

    /// When the next awaited thing is due.
    #[inline]
    fn next(&self) -> Option<Instant> {
        // A Ping is either to be sent or to be answered.
        let ping = self.ping_at().or_else(|| self.pong_by());
        match (ping, self.idle_by()) {
            (Some(ping), Some(idle)) => Some(ping.min(idle)),
            (ping, idle) => ping.or(idle),
        }
    }

    /// By when a closing connection has to have ended.
    pub(crate) fn close_by(&self) -> Option<Instant> {
        let close_by = self.close_by?;
        Some(self.last_call.unwrap_or(close_by))
    }

    /// Gives a peer that is about to be given up on for this a last chance, if it hasn't had one, and returns
    /// whether that is over. A caller that was busy elsewhere tells the time before it reads what has long been
    /// there.
    fn last_call_is_over(&mut self, before: TimeoutError, now: Instant) -> bool {
        let called = self.last_call_before;
        let until = match self.last_call {
            // Also if something else was overdue first, and still is.
            Some(until) if called == before || self.is_overdue(called, now) => until,
            _ => now.checked_add(LAST_CALL).unwrap_or(now),
        };
        self.last_call = Some(until);
        self.last_call_before = before;
        until <= now
    }

    /// What is overdue on an open connection.
    fn overdue(&self, now: Instant) -> Option<TimeoutError> {
        [TimeoutError::Pong, TimeoutError::Idle]
            .into_iter()
            .find(|error| self.is_overdue(*error, now))
    }

    fn is_overdue(&self, error: TimeoutError, now: Instant) -> bool {
        let deadline = match error {
            TimeoutError::Pong => self.pong_by(),
            TimeoutError::Idle => self.idle_by(),
            TimeoutError::Close => self.close_by,
        };
        deadline.is_some_and(|time| time <= now)
    }

    fn payload(&self) -> [u8; 4] {
        self.pings.to_be_bytes()
    }

    /// When the next Ping goes out if nothing has gone before it since this time.
    fn next_ping(&self, since: Instant) -> Option<Instant> {
        since.checked_add(self.settings.keepalive?.interval)
    }

    #[inline]
    const fn ping_at(&self) -> Option<Instant> {
        match self.ping {
            Ping::DueAt(due) => due,
            Ping::Queued { .. } | Ping::SentAt(_) => None,
        }
    }

    /// By when the peer has to be heard from, or to have taken something.
    #[inline]
    fn pong_by(&self) -> Option<Instant> {
        let (Ping::SentAt(since) | Ping::Queued { since, .. }) = self.ping else { return None };
        let sign_of_life = self.heard.map_or(since, |heard| heard.max(since));
        sign_of_life.checked_add(self.settings.keepalive?.timeout)
    }

    #[inline]
    fn idle_by(&self) -> Option<Instant> {
        self.message?.checked_add(self.settings.idle?)
    }
}

impl PingMark {
    pub(crate) fn of(payload: &[u8]) -> Self {
        Self(payload.iter().fold(0, |sum: u8, byte| sum.rotate_left(3) ^ byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn the_timers_of_a_connection_fit_into_192_bytes_with_what_an_allocator_adds() {
        assert_eq!(size_of::<RunningTimers>(), 184);
    }
}
