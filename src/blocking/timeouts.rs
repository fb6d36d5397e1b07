use std::time::Duration;

use crate::connection::{Keepalive, Timers};

/// How long each kind of waiting may take.
///
/// ```
/// use std::time::Duration;
/// use sansocket::blocking::Timeouts;
///
/// let timeouts = Timeouts::default()
///     .handshake(Duration::from_secs(3))
///     .read(Some(Duration::from_secs(30)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    pub(super) connect: Duration,
    pub(super) handshake: Duration,
    pub(super) read: Option<Duration>,
    pub(super) write: Option<Duration>,
    pub(super) close: Duration,
    idle: Option<Duration>,
    keepalive: Option<Keepalive>,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            handshake: Duration::from_secs(10),
            read: None,
            write: Some(Duration::from_secs(60)),
            close: Duration::from_secs(5),
            idle: None,
            keepalive: None,
        }
    }
}

impl Timeouts {
    /// How long a client may take to connect, including all the addresses of the host, a proxy's answer and
    /// all redirections; 10 seconds by default. Looking up the addresses is up to the system and not counted.
    #[must_use]
    pub const fn connect(mut self, timeout: Duration) -> Self {
        self.connect = timeout;
        self
    }

    /// How long the opening handshake may take as a whole, however slowly the peer's bytes trickle in; 10
    /// seconds by default.
    #[must_use]
    pub const fn handshake(mut self, timeout: Duration) -> Self {
        self.handshake = timeout;
        self
    }

    /// How long a read for messages may wait for bytes; for ever by default. A read that exceeds this fails
    /// with [`Error::ReadTimedOut`](super::Error::ReadTimedOut), and the next goes on where it stopped. A
    /// timeout of zero takes what is there.
    #[must_use]
    pub const fn read(mut self, timeout: Option<Duration>) -> Self {
        self.read = timeout;
        self
    }

    /// How long a write may wait for the peer to take bytes; 60 seconds by default. It counts anew whenever the
    /// peer has taken some, so that a long message may take several times as long; over TLS, with each 64 KiB that
    /// it has taken. With [`Duration::ZERO`],
    /// opening a connection on a [`Socket`](super::Socket) fails with
    /// [`InvalidInput`](std::io::ErrorKind::InvalidInput).
    #[must_use]
    pub const fn write(mut self, timeout: Option<Duration>) -> Self {
        self.write = timeout;
        self
    }

    /// How long closing may take, from the first Close frame to the end of the transport; 5 seconds by default. If
    /// the peer of a split connection ends its direction without a Close frame, what is queued is still written:
    /// this is then how long it may take nothing.
    #[must_use]
    pub const fn close(mut self, timeout: Duration) -> Self {
        self.close = timeout;
        self
    }

    /// How long a connection may go without a message in either direction before it is closed with 1001; for
    /// ever by default. Reading then ends with [`Error::IdleTimedOut`](super::Error::IdleTimedOut).
    #[must_use]
    pub const fn idle(mut self, timeout: Option<Duration>) -> Self {
        self.idle = timeout;
        self
    }

    /// How a peer that has fallen silent is detected; not at all by default. Reading then ends with
    /// [`Error::PongTimedOut`](super::Error::PongTimedOut).
    ///
    /// The Pings go out while this end reads, from the thread that reads. Over TLS, bytes have arrived once their
    /// record has, of up to 16 KiB.
    ///
    /// ```
    /// use sansocket::Keepalive;
    /// use sansocket::blocking::Timeouts;
    ///
    /// let timeouts = Timeouts::default().keepalive(Some(Keepalive::default()));
    /// ```
    #[must_use]
    pub const fn keepalive(mut self, keepalive: Option<Keepalive>) -> Self {
        self.keepalive = keepalive;
        self
    }

    /// The timeouts that the connection handles by itself when it is told the time.
    pub(super) fn timers(&self) -> Timers {
        Timers::default().keepalive(self.keepalive).idle(self.idle).close(Some(self.close))
    }

    /// How often a reader checks whether another thread has begun to close: the end is late by no more than a
    /// quarter of its timeout, where that is worth waking up for.
    pub(super) fn close_check_interval(&self) -> Duration {
        const LEAST: Duration = Duration::from_millis(20);
        LEAST.max(self.close / 4)
    }
}
