use std::collections::BTreeSet;
use std::io;
use std::time::{Duration, Instant};

use super::alarm::Alarm;

/// Which peer has to be looked at when.
///
/// Most deadlines are put off again and again before they pass. So a peer has one entry, with the earliest that it
/// had, of which it keeps the [`Timer`]; when that has come, the peer says what its deadline is by now. Putting one
/// off costs nothing, and the alarm is hardly ever set.
pub(crate) struct Deadlines {
    queue: BTreeSet<(Instant, usize)>,
    /// While it is set, no peer's time comes much before it rings.
    alarm: Alarm,
    /// Whether it rings as soon as the time that was last read off the clock has become old. To read the clock for
    /// each wait of the poll would take longer than most of what is done with a short message.
    ticks: bool,
}

/// The time at which a peer is looked at next.
#[derive(Debug)]
pub(crate) struct Timer(Option<Instant>);

/// How much later than its deadline a peer is looked at, together with others whose deadline has passed
/// meanwhile. And so old may the time be that is taken for now.
const SLACK: Duration = Duration::from_millis(100);

impl Timer {
    /// None is set.
    pub(crate) const OFF: Self = Self(None);
}

impl Deadlines {
    pub(crate) const fn new(alarm: Alarm) -> Self {
        Self { queue: BTreeSet::new(), alarm, ticks: false }
    }

    /// What time it is when the poll returns, which was `before` when it last did; `rang` says whether the alarm has.
    pub(crate) fn now(&mut self, before: Instant, rang: bool) -> Instant {
        if self.ticks && !rang {
            return before;
        }
        self.ticks = false;
        Instant::now()
    }

    /// Has the peer `key` looked at soon after `deadline`, unless it is looked at before that anyway.
    pub(crate) fn set(&mut self, key: usize, timer: &mut Timer, deadline: Instant) {
        if timer.0.is_none_or(|time| deadline < time) {
            self.unset(key, timer);
            *timer = Timer(Some(deadline));
            self.queue.insert((deadline, key));
            if !self.ticks {
                self.alarm.forget();
            }
        }
    }

    /// Doesn't have the peer `key` looked at any more.
    pub(crate) fn unset(&mut self, key: usize, timer: &mut Timer) {
        if let Some(time) = timer.0.take() {
            self.queue.remove(&(time, key));
        }
    }

    /// The next peer whose time has come. Its timer is to be [unset](Self::unset).
    pub(crate) fn next_due(&self, now: Instant) -> Option<usize> {
        if self.alarm.is_ahead(now) {
            return None;
        }
        let (deadline, key) = *self.queue.first()?;
        (deadline <= now).then_some(key)
    }

    /// Sees to it that the poll returns when the time of the next peer has come; or, if peers are `busy`, when the time
    /// is old.
    ///
    /// # Errors
    ///
    /// Those of the system call.
    pub(crate) fn set_alarm(&mut self, now: Instant, busy: bool) -> io::Result<()> {
        if self.ticks {
            return Ok(());
        }
        if busy && Alarm::WAKES_THE_POLL {
            self.ticks = true;
            return self.alarm.set(now + SLACK, now);
        }
        if self.alarm.is_ahead(now) {
            return Ok(());
        }
        let Some((deadline, _)) = self.queue.first() else {
            self.alarm.forget();
            return Ok(());
        };
        self.alarm.set(*deadline + SLACK, now)
    }

    /// How long the poll may wait now, as far as it has to know.
    pub(crate) fn timeout(&self, now: Instant) -> Option<Duration> {
        self.alarm.timeout(now)
    }
}
