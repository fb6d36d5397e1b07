use crate::message::message::Message;

/// A piece of a message, handed out as it arrives ([`Delivery::Chunks`](crate::Delivery::Chunks)).
///
/// Pieces follow the bytes, not the frames: where the peer put its fragment boundaries makes no
/// difference to the message (RFC 6455, section 5.4). Each piece of a text is itself valid text, cut
/// between characters. A piece is empty only if it is the last.
///
/// ```
/// use sansocket::{Chunk, Config, Connection, Delivery, Event, Message, Role};
///
/// let config = Config::default().delivery(Delivery::Chunks);
/// let mut client = Connection::new(Role::Client, config);
/// // A text of five bytes, of which two have arrived.
/// let mut input = *b"\x81\x05He";
/// let piece = Message::from("He");
/// let event = Event::Chunk(Chunk { piece, first: true, last: false });
/// assert_eq!(client.next_event(&mut &mut input[..])?, Some(event));
/// # Ok::<(), sansocket::ProtocolError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk<'a> {
    /// The piece, of the same kind as the whole message.
    pub piece: Message<'a>,
    /// Whether the message begins with this piece.
    pub first: bool,
    /// Whether the message ends with this piece.
    pub last: bool,
}

impl Chunk<'_> {
    /// Converts the chunk into one that owns its bytes.
    pub fn into_owned(self) -> Chunk<'static> {
        Chunk { piece: self.piece.into_owned(), first: self.first, last: self.last }
    }
}
