/// Limits and settings of one connection.
///
/// Every limit is finite unless it is raised (RFC 6455, section 10.4).
///
/// ```
/// use sansocket::{Config, Delivery};
///
/// let config = Config::default()
///     .max_message_size(64 * 1024)
///     .max_frame_size(64 * 1024)
///     .delivery(Delivery::Chunks);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    pub(crate) max_message_size: u64,
    /// `None` if it was not set.
    max_frame_size: Option<u64>,
    pub(crate) max_outgoing_size: usize,
    pub(crate) delivery: Delivery,
}

/// The most bytes a message or frame may have by default.
const DEFAULT_SIZE: u64 = 16 << 20;

impl Default for Config {
    fn default() -> Self {
        Self {
            max_message_size: DEFAULT_SIZE,
            max_frame_size: None,
            max_outgoing_size: 16 << 20,
            delivery: Delivery::Messages,
        }
    }
}

impl Config {
    /// Sets the most bytes a received message may have over all its fragments; 16 MiB by default.
    ///
    /// The limit applies to what the frame headers announce, before any of it has arrived; for a
    /// compressed message, to what comes out of it, while it is inflated. For messages of any length,
    /// which [`Delivery::Chunks`] can take, set it to `u64::MAX`.
    #[must_use]
    pub const fn max_message_size(mut self, bytes: u64) -> Self {
        self.max_message_size = bytes;
        self
    }

    /// Sets the most bytes the payload of one received data frame may have on the wire.
    ///
    /// The default is 16 MiB, or the limit of a [message](Self::max_message_size) if that is higher.
    /// Control frames never have more than 125 bytes.
    #[must_use]
    pub const fn max_frame_size(mut self, bytes: u64) -> Self {
        self.max_frame_size = Some(bytes);
        self
    }

    pub(crate) const fn frame_limit(&self) -> u64 {
        match self.max_frame_size {
            Some(bytes) => bytes,
            None if self.max_message_size > DEFAULT_SIZE => self.max_message_size,
            None => DEFAULT_SIZE,
        }
    }

    /// Refuses further messages once this many bytes wait to be written; 16 MiB by default.
    ///
    /// Below that, a message is taken however long it is, so the queue can exceed this by one message.
    /// While nothing waits, a message is always taken: a retry after draining the queue succeeds.
    #[must_use]
    pub const fn max_outgoing_size(mut self, bytes: usize) -> Self {
        self.max_outgoing_size = bytes;
        self
    }

    /// Sets how received messages are handed out; whole by default.
    #[must_use]
    pub const fn delivery(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }
}

/// How received messages are handed to the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Delivery {
    /// Each message whole, when its last byte has arrived.
    #[default]
    Messages,
    /// Each message in pieces, as its bytes arrive, in constant memory.
    ///
    /// Pieces may have been handed out before an error is found in what follows them. What hands out whole messages all
    /// the same, as `blocking::WebSocket::read` does, joins them in as much memory as the message is long.
    Chunks,
}
