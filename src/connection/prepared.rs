#[cfg(feature = "deflate")]
use alloc::sync::Arc;

#[cfg(feature = "deflate")]
use crate::extension::SharedCompression;
use crate::message::Message;

/// A message that is prepared once and sent on any number of connections.
///
/// Its payload is shared: a server queues one of 4 KiB or more without copying it, however many
/// connections it goes to; a shorter one is copied next to its header, which costs less. A client
/// has to mask it anew for each (RFC 6455, section 5.3).
///
/// Where messages are compressed, this one is compressed once for all connections with the same window,
/// level and memory level, by the first that sends it, and refers to nothing before it. With context
/// takeover, later messages can still refer to it and to what came before: each connection's compressor
/// takes note of it, which costs a fraction of compressing it. Clones share the compressed form.
///
/// ```
/// use sansocket::{Config, Connection, PreparedMessage, Role};
///
/// let news = PreparedMessage::new("all of this, to everybody");
/// let mut connections = [(); 3].map(|()| Connection::new(Role::Server, Config::default()));
/// for connection in &mut connections {
///     connection.send_prepared(&news)?;
/// }
/// # Ok::<(), sansocket::SendError>(())
/// ```
#[derive(Debug, Clone)]
pub struct PreparedMessage {
    message: Message<'static>,
    #[cfg(feature = "deflate")]
    compression: Arc<SharedCompression>,
}

impl PreparedMessage {
    /// Prepares a message; copies it if it borrows its bytes.
    pub fn new<'m>(message: impl Into<Message<'m>>) -> Self {
        Self {
            message: message.into().into_shared(),
            #[cfg(feature = "deflate")]
            compression: Arc::default(),
        }
    }

    /// Returns the message.
    pub const fn message(&self) -> &Message<'static> {
        &self.message
    }

    #[cfg(feature = "deflate")]
    pub(crate) fn compression(&self) -> &SharedCompression {
        &self.compression
    }
}

impl PartialEq for PreparedMessage {
    fn eq(&self, other: &Self) -> bool {
        self.message == other.message
    }
}

impl Eq for PreparedMessage {}
