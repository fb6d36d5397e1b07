use std::io;
use std::time::{Duration, Instant};

/// A point in time by which something has to be done, however often the peer makes a little
/// progress.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline(Option<Instant>);

impl Deadline {
    /// The deadline this long from now; one that lies beyond the clock's range never passes.
    pub(super) fn after(timeout: Duration) -> Self {
        Self(Instant::now().checked_add(timeout))
    }

    pub(super) fn has_passed(self) -> bool {
        self.remaining().is_err()
    }

    /// How long it is until then, for a socket timeout: never zero, `None` for ever.
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
