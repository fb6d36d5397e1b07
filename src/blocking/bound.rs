use std::io;
use std::time::Duration;

/// The timeout that one direction of a socket has at the moment.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bound(Option<Duration>);

/// A timeout that is no more than this longer than wanted is left alone: deadlines come nearer with each call,
/// which would cost a system call each time.
pub(super) const TOLERANCE: Duration = Duration::from_millis(1);

impl Bound {
    pub(super) const fn get(self) -> Option<Duration> {
        self.0
    }

    /// Sets a timeout for the next call with `set`, unless the current one is about as long.
    pub(super) fn keep(
        &mut self,
        wanted: Option<Duration>,
        set: impl FnOnce(Option<Duration>) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.is_close_to(wanted) { Ok(()) } else { self.set(wanted, set) }
    }

    /// Sets a timeout with `set`, whatever the socket's was before.
    pub(super) fn set(
        &mut self,
        wanted: Option<Duration>,
        set: impl FnOnce(Option<Duration>) -> io::Result<()>,
    ) -> io::Result<()> {
        unless_ended(set(wanted))?;
        self.0 = wanted;
        Ok(())
    }

    /// Whether a call with this timeout ends when one with the `wanted` timeout should, or only a little later.
    fn is_close_to(self, wanted: Option<Duration>) -> bool {
        match (self.0, wanted) {
            (Some(set), Some(wanted)) => {
                set.checked_sub(wanted).is_some_and(|excess| excess <= TOLERANCE)
            }
            (set, wanted) => set == wanted,
        }
    }
}

/// Ignores a failure to set a nonzero timeout. XNU refuses it for a socket both of whose directions have
/// ended: no call waits on that any more, and what has arrived is still to be read.
fn unless_ended(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error)
            if cfg!(target_vendor = "apple") && error.kind() == io::ErrorKind::InvalidInput =>
        {
            Ok(())
        }
        outcome => outcome,
    }
}
