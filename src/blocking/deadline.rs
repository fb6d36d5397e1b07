use std::io;
use std::time::{Duration, Instant};

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
}
