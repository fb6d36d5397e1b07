use crate::connection::error::SendError;
use crate::connection::framing::Fragment;
use crate::connection::sending::SendingHalf;
use crate::message::Message;

/// Sends one message as a series of fragments (RFC 6455, section 5.4).
///
/// The first piece decides whether it is a text or a binary message. The connection keeps track of the
/// message, so this borrow can end between pieces: receive, ping, or close, and continue with
/// [`Connection::fragments`](crate::Connection::fragments).
///
/// ```
/// use sansocket::{Config, Connection, Role};
///
/// let mut connection = Connection::new(Role::Server, Config::default());
/// connection.fragments().write("Hel")?;
/// connection.fragments().finish("lo")?;
/// # Ok::<(), sansocket::SendError>(())
/// ```
#[derive(Debug)]
pub struct FragmentWriter<'connection>(&'connection mut SendingHalf);

impl<'connection> FragmentWriter<'connection> {
    pub(crate) const fn new(sending: &'connection mut SendingHalf) -> Self {
        Self(sending)
    }

    /// Queues a fragment that others will follow. Each piece of a text is itself valid text.
    ///
    /// # Errors
    ///
    /// As for [`Connection::send`](crate::Connection::send), and
    /// [`UsageError::OtherKind`](crate::UsageError::OtherKind) for a text piece in a binary message or the
    /// reverse.
    pub fn write<'m>(&mut self, piece: impl Into<Message<'m>>) -> Result<(), SendError> {
        self.0.send_fragment(piece.into(), Fragment::More)
    }

    /// Queues the last fragment; it may be empty.
    ///
    /// # Errors
    ///
    /// As for [`write`](Self::write). The message then stays open.
    pub fn finish<'m>(self, piece: impl Into<Message<'m>>) -> Result<(), SendError> {
        self.0.send_fragment(piece.into(), Fragment::Last)
    }
}
