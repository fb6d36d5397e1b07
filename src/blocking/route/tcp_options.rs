use std::time::Duration;

/// What a client sets on its TCP socket before it connects.
///
/// Where none of this is enough, connect a socket by other means and hand it to
/// [`Client::connect_on`](crate::blocking::Client::connect_on).
///
/// ```no_run
/// use std::time::Duration;
/// use sansocket::blocking::{Client, TcpOptions};
///
/// let tcp = TcpOptions::default()
///     .keepalive(Duration::from_secs(60))
///     .receive_buffer_size(1 << 20);
/// let socket = Client::new("ws://localhost:9001/")?.tcp(tcp).connect()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TcpOptions {
    pub(super) small_writes: SmallWrites,
    pub(super) keepalive: Option<Duration>,
    pub(super) send_buffer_size: Option<usize>,
    pub(super) receive_buffer_size: Option<usize>,
}

/// What becomes of a write that doesn't fill a segment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum SmallWrites {
    /// It is sent at once.
    #[default]
    Sent,
    /// It waits while the peer owes an acknowledgement.
    Gathered,
}

impl TcpOptions {
    /// Lets TCP gather small writes while an acknowledgement is outstanding (Nagle's algorithm), instead of
    /// sending each at once. By default `TCP_NODELAY` is on: this crate already gathers what it writes.
    #[doc(alias = "nodelay")]
    #[must_use]
    pub const fn nagle(mut self) -> Self {
        self.small_writes = SmallWrites::Gathered;
        self
    }

    /// Makes TCP probe the peer when nothing has arrived for this long, in whole seconds and at least one;
    /// off by default. How often it probes, and when it gives up, is up to the system.
    #[must_use]
    pub const fn keepalive(mut self, idle: Duration) -> Self {
        self.keepalive = Some(idle);
        self
    }

    /// How many unacknowledged bytes the system keeps, as a hint to it.
    #[must_use]
    pub const fn send_buffer_size(mut self, bytes: usize) -> Self {
        self.send_buffer_size = Some(bytes);
        self
    }

    /// How many unread bytes the system keeps, as a hint to it.
    #[must_use]
    pub const fn receive_buffer_size(mut self, bytes: usize) -> Self {
        self.receive_buffer_size = Some(bytes);
        self
    }
}
