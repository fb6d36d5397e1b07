use crate::message::Message;

/// A message that is prepared once and sent on any number of connections.
///
/// Its payload is shared: a server queues it without copying it, however many connections it goes
/// to. A client has to mask it anew for each (RFC 6455, section 5.3).
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreparedMessage(Message<'static>);

impl PreparedMessage {
    /// Prepares a message; copies it if it borrows its bytes.
    pub fn new<'m>(message: impl Into<Message<'m>>) -> Self {
        Self(message.into().into_owned())
    }

    /// The message.
    pub const fn message(&self) -> &Message<'static> {
        &self.0
    }
}
