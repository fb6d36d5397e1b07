use std::time::Duration;

/// What a connection does by the clock: nothing, unless asked to.
///
/// The connection reads no clock. Its caller tells it the time, and learns how long to wait; see
/// [`Connection::handle_timeout`](crate::Connection::handle_timeout).
///
/// ```
/// use std::time::{Duration, Instant};
/// use sansocket::{Config, Connection, Keepalive, Role, Timers};
///
/// let timers = Timers::default()
///     .keepalive(Some(Keepalive::default()))
///     .close(Some(Duration::from_secs(5)));
/// let mut connection = Connection::new(Role::Server, Config::default()).with_timers(timers);
///
/// let now = Instant::now();
/// connection.handle_timeout(now)?;
/// assert_eq!(connection.poll_timeout(), Some(now + Duration::from_secs(20))); // the first Ping
/// # Ok::<(), sansocket::TimeoutError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timers {
    pub(super) keepalive: Option<Keepalive>,
    pub(super) idle: Option<Duration>,
    pub(super) close: Option<Duration>,
}

impl Timers {
    /// Sends Pings and expects answers; off by default.
    #[must_use]
    pub const fn keepalive(mut self, keepalive: Option<Keepalive>) -> Self {
        self.keepalive = keepalive;
        self
    }

    /// Closes the connection with 1001 after this long without a message; off by default.
    ///
    /// Messages in either direction count, Pings and Pongs do not. A message counts when it is queued, or
    /// has arrived: leave time for the longest one to get through.
    #[must_use]
    pub const fn idle(mut self, timeout: Option<Duration>) -> Self {
        self.idle = timeout;
        self
    }

    /// Limits the time from a Close frame to the end of the transport; unlimited by default.
    #[must_use]
    pub const fn close(mut self, timeout: Option<Duration>) -> Self {
        self.close = timeout;
        self
    }

    pub(super) const fn are_off(&self) -> bool {
        self.keepalive.is_none() && self.idle.is_none() && self.close.is_none()
    }
}

/// How a peer that has fallen silent is detected: by Pings (RFC 6455, section 5.5.2).
///
/// A Ping goes out when `interval` has passed since the previous one was answered. The peer is taken
/// to be gone when nothing at all has arrived from it for `timeout` after the Ping has left: a long
/// message, within whose frame no Pong can appear, is a sign of life too. While the Ping is still
/// queued, it is also a sign of life if the peer takes some of the bytes before it.
///
/// Before a peer is given up on, for this or for anything else overdue, it is listened to once more for a
/// moment, so that it isn't blamed for an application that was busy for long. A peer that keeps sending,
/// but never takes what it is sent, isn't detected this way: bound your writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keepalive {
    pub(super) interval: Duration,
    pub(super) timeout: Duration,
}

impl Keepalive {
    /// Pings at this interval, each to be answered within this timeout.
    pub const fn new(interval: Duration, timeout: Duration) -> Self {
        Self { interval, timeout }
    }
}

impl Default for Keepalive {
    /// A Ping every 20 seconds, with 20 seconds to answer it.
    fn default() -> Self {
        Self::new(Duration::from_secs(20), Duration::from_secs(20))
    }
}

/// What has taken too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimeoutError {
    /// Nothing arrived from the peer after a Ping, or while the Ping still waited to be written the peer neither sent nor
    /// took anything. The connection is lost: drop the transport.
    #[error("the peer did not answer a Ping in time")]
    Pong,
    /// There was no message for too long. The Close frame is queued: carry on until the end.
    #[error("no message was sent or received for too long")]
    Idle,
    /// The closing handshake didn't end. The connection is lost: drop the transport.
    #[error("the closing handshake did not end in time")]
    Close,
}
