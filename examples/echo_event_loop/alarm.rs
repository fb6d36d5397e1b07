use std::io;
use std::time::{Duration, Instant};

use mio::{Registry, Token};

/// Ends a wait of the poll when its time has come.
///
/// A timeout of the wait itself would do, but the kernel sets that up and takes it down again each time,
/// which takes longer than everything that is done here with a short message. So if there is a timer that
/// stays set from one wait to the next, this uses it.
pub(crate) struct Alarm {
    timer: kernel::Timer,
    time: Option<Instant>,
}

impl Alarm {
    /// Whether it ends the poll's wait by itself.
    pub(crate) const WAKES_THE_POLL: bool = kernel::Timer::WAKES_THE_POLL;

    /// Creates an alarm that isn't set and raises events with this token.
    ///
    /// # Errors
    ///
    /// Those of the system calls.
    pub(crate) fn new(registry: &Registry, token: Token) -> io::Result<Self> {
        Ok(Self { timer: kernel::Timer::new(registry, token)?, time: None })
    }

    /// Returns whether it is set to a time that is still to come.
    pub(crate) fn is_ahead(&self, now: Instant) -> bool {
        self.time.is_some_and(|time| time > now)
    }

    /// Sets it to this time, replacing any other.
    ///
    /// # Errors
    ///
    /// Those of the system call.
    pub(crate) fn set(&mut self, time: Instant, now: Instant) -> io::Result<()> {
        self.timer.set(time.saturating_duration_since(now))?;
        self.time = Some(time);
        Ok(())
    }

    /// Forgets the time it is set to. It may still ring once more.
    pub(crate) const fn forget(&mut self) {
        self.time = None;
    }

    /// Returns how long the poll may wait now, if it has to keep time itself.
    pub(crate) fn timeout(&self, now: Instant) -> Option<Duration> {
        let time = self.time.filter(|_| !Self::WAKES_THE_POLL)?;
        Some(time.saturating_duration_since(now))
    }
}

#[cfg(target_os = "linux")]
mod kernel {
    use std::io;
    use std::os::fd::{AsFd, AsRawFd};
    use std::time::Duration;

    use mio::unix::SourceFd;
    use mio::{Interest, Registry, Token};
    use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};

    pub(super) struct Timer(TimerFd);

    impl Timer {
        pub(super) const WAKES_THE_POLL: bool = true;

        pub(super) fn new(registry: &Registry, token: Token) -> io::Result<Self> {
            let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
            let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
            let descriptor = timer.as_fd().as_raw_fd();
            registry.register(&mut SourceFd(&descriptor), token, Interest::READABLE)?;
            Ok(Self(timer))
        }

        pub(super) fn set(&mut self, left: Duration) -> io::Result<()> {
            // Zero would turn it off.
            let left = left.max(Duration::from_nanos(1));
            // It needn't be read: setting it again resets it.
            let once = Expiration::OneShot(left.into());
            Ok(self.0.set(once, TimerSetTimeFlags::empty())?)
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod kernel {
    use std::io;
    use std::time::Duration;

    use mio::{Registry, Token};

    /// There is none: the poll has to keep time itself.
    pub(super) struct Timer;

    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "elsewhere there is one")]
    impl Timer {
        pub(super) const WAKES_THE_POLL: bool = false;

        pub(super) const fn new(_: &Registry, _: Token) -> io::Result<Self> {
            Ok(Self)
        }

        pub(super) const fn set(&mut self, _: Duration) -> io::Result<()> {
            Ok(())
        }
    }
}
