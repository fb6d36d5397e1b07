use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::time::{Duration, Instant};

use super::alarm::Alarm;

/// Which peer has to be looked at when.
///
/// Most deadlines are put off again and again before they pass. So a peer has one entry that counts,
/// the earliest, of which it keeps the [`Timer`]; when that has come, the peer says what its deadline is
/// by now. Putting one off costs nothing, and the alarm is hardly ever set. Entries that don't count any more are
/// left where they are, until they are [most of them](Self::tidy).
pub(crate) struct Deadlines {
    queue: BinaryHeap<Reverse<(Instant, usize)>>,
    /// While it is set, no peer's time comes much before it rings.
    alarm: Alarm,
    /// Whether it rings as soon as the time that was last read off the clock has become old. To read the clock for
    /// each wait of the poll would take longer than most of what is done with a short message.
    ticks: bool,
}

/// The time at which a peer is looked at next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Timer(Option<Instant>);

/// How much later than its deadline a peer is looked at, together with others whose deadline has passed
/// meanwhile. And so old may the time be that is taken for now.
const SLACK: Duration = Duration::from_millis(100);

/// So many entries that don't count are not worth being looked for.
const LITTER: usize = 1024;

impl Timer {
    /// None is set.
    pub(crate) const OFF: Self = Self(None);
}

impl Deadlines {
    pub(crate) const fn new(alarm: Alarm) -> Self {
        Self { queue: BinaryHeap::new(), alarm, ticks: false }
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
            *timer = Timer(Some(deadline));
            self.queue.push(Reverse((deadline, key)));
            if !self.ticks {
                self.alarm.forget();
            }
        }
    }

    /// Forgets the entries that don't count any more, those of peers that are gone above all, if there are more of
    /// them than `peers`.
    pub(crate) fn tidy(&mut self, peers: usize, counts: impl Fn(usize, Timer) -> bool) {
        if self.queue.len() > 2 * peers + LITTER {
            self.queue.retain(|Reverse((time, key))| counts(*key, Timer(Some(*time))));
        }
    }

    /// The next peer whose time has come, and with which timer; a timer that the peer doesn't have any
    /// more is an old one.
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
        let Some(Reverse((deadline, _))) = self.queue.peek() else {
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
