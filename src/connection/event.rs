use crate::connection::close_frame::CloseFrame;
use crate::connection::control::ControlPayload;
use crate::message::{Chunk, Message};

/// What the peer did.
///
/// It borrows the input, never the connection, so what was received can be sent back at once. What it calls for is
/// already queued by a [`Connection`](crate::Connection); of [halves](crate::Connection::split), the sending one
/// [answers](crate::SendingHalf::answer) it.
///
/// ```
/// use sansocket::{Connection, Event, SendError};
///
/// /// Returns whether the peer is still there.
/// fn handle(event: Event<'_>, connection: &mut Connection) -> Result<bool, SendError> {
///     match event {
///         Event::Message(message) => connection.send(message)?,
///         Event::Chunk(chunk) => println!("{} bytes of a message", chunk.piece.len()),
///         Event::Close(frame) => {
///             println!("the peer says goodbye: {frame:?}");
///             return Ok(false);
///         }
///         // What the protocol demands in return is already queued.
///         Event::Ping(_) | Event::Pong(_) => {}
///         // Kinds that a later version adds.
///         _ => {}
///     }
///     Ok(true)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'input> {
    /// A whole message ([`Delivery::Messages`](crate::Delivery::Messages)).
    Message(Message<'input>),
    /// A piece of a message ([`Delivery::Chunks`](crate::Delivery::Chunks)).
    Chunk(Chunk<'input>),
    /// A Ping. A [`Connection`](crate::Connection) has already queued the Pong (RFC 6455, section 5.5.2), if the
    /// transport still takes any; while 4 KiB of Pongs wait, only the latest Ping is answered (section 5.5.3).
    Ping(ControlPayload<'input>),
    /// A Pong, solicited or not (section 5.5.3).
    Pong(ControlPayload<'input>),
    /// The peer's Close frame; `None` if its body was empty. It is the last event. A
    /// [`Connection`](crate::Connection) has already queued the reply (section 5.5.1), unless a Close frame was sent
    /// before or the transport takes no more.
    Close(Option<CloseFrame<'input>>),
}

impl Event<'_> {
    /// Converts the event into one that owns its bytes and can outlive the input.
    pub fn into_owned(self) -> Event<'static> {
        match self {
            Self::Message(message) => Event::Message(message.into_owned()),
            Self::Chunk(chunk) => Event::Chunk(chunk.into_owned()),
            Self::Ping(payload) => Event::Ping(payload.into_owned()),
            Self::Pong(payload) => Event::Pong(payload.into_owned()),
            Self::Close(frame) => Event::Close(frame.map(CloseFrame::into_owned)),
        }
    }
}

impl<'input> From<Message<'input>> for Event<'input> {
    #[inline]
    fn from(message: Message<'input>) -> Self {
        Self::Message(message)
    }
}

impl<'input> From<Chunk<'input>> for Event<'input> {
    #[inline]
    fn from(chunk: Chunk<'input>) -> Self {
        Self::Chunk(chunk)
    }
}
