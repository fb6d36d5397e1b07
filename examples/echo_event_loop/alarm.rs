use std::io;
use std::time::{Duration, Instant};

use mio::{Registry, Token};

/// Ends a wait of the poll when its time has come.
///
/// A timeout of the wait itself would do. But the kernel sets that up and takes it down again each time, which
/// takes longer than all that is done here with a short message. So where there is a timer that stays set from
/// one wait to the next, it is that.
pub(crate) struct Alarm(kernel::Timer);

impl Alarm {
    /// An alarm that isn't set, and raises events with this token.
    ///
    /// # Errors
    ///
    /// Those of the system calls.
    pub(crate) fn new(registry: &Registry, token: Token) -> io::Result<Self> {
        kernel::Timer::new(registry, token).map(Self)
    }

    /// Sets it to this time, and to no other any more.
    ///
    /// # Errors
    ///
    /// Those of the system call.
    pub(crate) fn set(&mut self, time: Instant, now: Instant) -> io::Result<()> {
        self.0.set(time, now)
    }

    /// How long the poll may wait now, as far as it has to know.
    pub(crate) fn timeout(&self, now: Instant) -> Option<Duration> {
        self.0.timeout(now)
    }
}

#[cfg(target_os = "linux")]
mod kernel {
    use std::io;
    use std::os::fd::{AsFd, AsRawFd};
    use std::time::{Duration, Instant};

    use mio::unix::SourceFd;
    use mio::{Interest, Registry, Token};
    use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};

    pub(super) struct Timer(TimerFd);

    impl Timer {
        pub(super) fn new(registry: &Registry, token: Token) -> io::Result<Self> {
            let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
            let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
            let descriptor = timer.as_fd().as_raw_fd();
            registry.register(&mut SourceFd(&descriptor), token, Interest::READABLE)?;
            Ok(Self(timer))
        }

        pub(super) fn set(&mut self, time: Instant, now: Instant) -> io::Result<()> {
            // None at all would turn it off.
            let left = time.saturating_duration_since(now).max(Duration::from_nanos(1));
            // It need not be read: to set it again resets it.
            let once = Expiration::OneShot(left.into());
            Ok(self.0.set(once, TimerSetTimeFlags::empty())?)
        }

        #[expect(clippy::unused_self, reason = "elsewhere the poll has to look after it")]
        pub(super) const fn timeout(&self, _: Instant) -> Option<Duration> {
            None
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod kernel {
    use std::io;
    use std::time::{Duration, Instant};

    use mio::{Registry, Token};

    /// There is none. The poll has to look after it.
    #[derive(Default)]
    pub(super) struct Timer(Option<Instant>);

    impl Timer {
        pub(super) fn new(_: &Registry, _: Token) -> io::Result<Self> {
            Ok(Self::default())
        }

        pub(super) fn set(&mut self, time: Instant, _: Instant) -> io::Result<()> {
            self.0 = Some(time);
            Ok(())
        }

        pub(super) fn timeout(&self, now: Instant) -> Option<Duration> {
            self.0.map(|time| time.saturating_duration_since(now))
        }
    }
}
