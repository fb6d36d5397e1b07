use crate::connection::Event;
use crate::message::{Chunk, Message, MessageKind};

/// Makes whole messages of those that are delivered in chunks, for who wants them whole.
#[derive(Debug, Default)]
pub(super) struct Joining(Option<Begun>);

/// What has arrived of a message.
#[derive(Debug)]
enum Begun {
    Text(String),
    Binary(Vec<u8>),
}

impl Joining {
    /// The event, or the message that it completes; `None` for a chunk that others will follow.
    pub(super) fn join<'input>(&mut self, event: Event<'input>) -> Option<Event<'input>> {
        match event {
            Event::Chunk(chunk) => self.push(chunk).map(Event::Message),
            event => Some(event),
        }
    }

    /// What has arrived of a message, as the chunk that it begins with: whoever goes on takes it bit by bit.
    pub(super) fn take(&mut self) -> Option<Chunk<'static>> {
        let piece = self.0.take()?.into_message();
        Some(Chunk { piece, first: true, last: false })
    }

    fn push<'input>(&mut self, chunk: Chunk<'input>) -> Option<Message<'input>> {
        let Chunk { piece, first, last } = chunk;
        if first && last {
            return Some(piece);
        }
        if first {
            self.0 = Some(Begun::new(piece.kind()));
        }
        // If it has no beginning, that was taken by itself, and nobody wanted the rest.
        self.0.as_mut()?.push(&piece);
        if last { self.0.take().map(Begun::into_message) } else { None }
    }
}

impl Begun {
    const fn new(kind: MessageKind) -> Self {
        match kind {
            MessageKind::Text => Self::Text(String::new()),
            MessageKind::Binary => Self::Binary(Vec::new()),
        }
    }

    /// Adds a piece, which is of the same kind.
    fn push(&mut self, piece: &Message<'_>) {
        match self {
            Self::Text(text) => text.push_str(piece.as_text().unwrap_or_default()),
            Self::Binary(bytes) => bytes.extend_from_slice(piece.as_bytes()),
        }
    }

    fn into_message(self) -> Message<'static> {
        match self {
            Self::Text(text) => text.into(),
            Self::Binary(bytes) => bytes.into(),
        }
    }
}
