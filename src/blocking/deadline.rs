use std::io;
use std::mem;
use std::time::{Duration, Instant};

use crate::blocking::bound::TOLERANCE;

/// A point in time by which something has to be done, however often the peer makes a little
/// progress.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline(Option<Instant>);

impl Deadline {
    /// A deadline that never passes.
    pub(super) const NEVER: Self = Self(None);

    /// The deadline this long from now; one that lies beyond the clock's range never passes.
    pub(super) fn after(timeout: Duration) -> Self {
        Self(Instant::now().checked_add(timeout))
    }

    /// The deadline this long from now; `None` never passes.
    #[inline]
    pub(super) fn within(timeout: Option<Duration>) -> Self {
        timeout.map_or(Self::NEVER, Self::after)
    }

    /// The deadline at this point in time; `None` never passes.
    pub(super) const fn at(instant: Option<Instant>) -> Self {
        Self(instant)
    }

    /// The earlier of the two.
    pub(super) fn or(self, other: Self) -> Self {
        Self([self.0, other.0].into_iter().flatten().min())
    }

    pub(super) fn has_passed(self) -> bool {
        self.remaining().is_err()
    }

    /// The time until then, as a socket timeout: never zero, `None` for ever.
    pub(super) fn remaining(self) -> io::Result<Option<Duration>> {
        let Some(instant) = self.0 else {
            return Ok(None);
        };
        match instant.checked_duration_since(Instant::now()) {
            Some(remaining) if !remaining.is_zero() => Ok(Some(remaining)),
            _ => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    /// The same for a call that is made however late it is: a moment is the least that it can have.
    pub(super) fn remaining_or_moment(self) -> Option<Duration> {
        self.remaining().unwrap_or(Some(TOLERANCE))
    }
}

/// The time for each of several calls on a socket, which all have to end by one deadline. The first may be made however
/// late it is by then: what is there is taken, and what there is room for is written.
#[derive(Debug)]
pub(super) struct Calls {
    deadline: Deadline,
    is_first: bool,
}

impl Calls {
    pub(super) const fn before(deadline: Deadline) -> Self {
        Self { deadline, is_first: true }
    }

    /// The time that the next call may take, as [`Deadline::remaining`] returns it.
    pub(super) fn next(&mut self) -> io::Result<Option<Duration>> {
        if mem::take(&mut self.is_first) {
            return Ok(self.deadline.remaining_or_moment());
        }
        self.deadline.remaining()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_call_is_made_however_late_it_is_and_no_other() {
        let mut calls = Calls::before(Deadline::after(Duration::ZERO));
        assert_eq!(calls.next().unwrap(), Some(TOLERANCE));
        assert_eq!(calls.next().unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn calls_without_a_deadline_have_all_the_time() {
        let mut calls = Calls::before(Deadline::NEVER);
        assert_eq!((calls.next().unwrap(), calls.next().unwrap()), (None, None));
    }
}
