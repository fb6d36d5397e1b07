use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::time::{Duration, Instant};

use super::alarm::Alarm;

/// When each peer has to be looked at.
///
/// Most deadlines are put off again and again before they pass. So only the earliest entry of a peer
/// counts, and the peer keeps its [`Timer`]; when that time comes, the peer says what its deadline is by
/// now. Putting off a deadline costs nothing, and the alarm is hardly ever set. Entries that no longer
/// count stay where they are until they are [the majority](Self::tidy).
pub(crate) struct Deadlines {
    queue: BinaryHeap<Reverse<(Instant, usize)>>,
    /// While it is set, no peer's time comes long before it rings.
    alarm: Alarm,
    /// Whether it rings as soon as the time last read from the clock is out of date. Reading the clock for
    /// each wait of the poll would take longer than most of what is done with a short message.
    ticks: bool,
}

/// The time at which a peer is looked at next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Timer(Option<Instant>);

/// How much later than its deadline a peer is looked at, together with others whose deadline has passed in
/// the meantime. The time that is taken for now may also be this old.
const SLACK: Duration = Duration::from_millis(100);

/// How many entries that don't count are not worth looking for.
const LITTER: usize = 1024;

impl Timer {
    /// No timer is set.
    pub(crate) const OFF: Self = Self(None);
}

impl Deadlines {
    pub(crate) const fn new(alarm: Alarm) -> Self {
        Self { queue: BinaryHeap::new(), alarm, ticks: false }
    }

    /// Returns the time when the poll returns. It was `before` the last time, and `rang` says whether the
    /// alarm has rung.
    pub(crate) fn now(&mut self, before: Instant, rang: bool) -> Instant {
        if self.ticks && !rang {
            return before;
        }
        self.ticks = false;
        Instant::now()
    }

    /// Makes sure that the peer `key` is looked at soon after `deadline`, if not earlier anyway.
    pub(crate) fn set(&mut self, key: usize, timer: &mut Timer, deadline: Instant) {
        if timer.0.is_none_or(|time| deadline < time) {
            *timer = Timer(Some(deadline));
            self.queue.push(Reverse((deadline, key)));
            if !self.ticks {
                self.alarm.forget();
            }
        }
    }

    /// Forgets the entries that no longer count, above all those of peers that are gone, if there are more
    /// of them than `peers`.
    pub(crate) fn tidy(&mut self, peers: usize, counts: impl Fn(usize, Timer) -> bool) {
        if self.queue.len() > 2 * peers + LITTER {
            self.queue.retain(|Reverse((time, key))| counts(*key, Timer(Some(*time))));
        }
    }

    /// Returns the next peer whose time has come, and its timer; if the peer no longer has that timer, the
    /// entry doesn't count.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<(usize, Timer)> {
        if self.alarm.is_ahead(now) {
            return None;
        }
        let Reverse((deadline, key)) = *self.queue.peek()?;
        (deadline <= now).then(|| {
            self.queue.pop();
            (key, Timer(Some(deadline)))
        })
    }

    /// Makes sure that the poll returns when the time of the next peer has come or, if peers are `busy`,
    /// when the time is out of date.
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
        let Some(Reverse((deadline, _))) = self.queue.peek() else {
            self.alarm.forget();
            return Ok(());
        };
        self.alarm.set(*deadline + SLACK, now)
    }

    /// Returns how long the poll may wait now, if it has to keep time itself.
    pub(crate) fn timeout(&self, now: Instant) -> Option<Duration> {
        self.alarm.timeout(now)
    }
}
