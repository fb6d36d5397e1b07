use crate::connection::Event;
use crate::message::{Chunk, Message, MessageKind};

/// Joins messages that are delivered in chunks, for callers that want them whole.
#[derive(Debug, Default)]
pub(super) struct Joining(Option<Begun>);

/// What has arrived of a message.
#[derive(Debug)]
enum Begun {
    Text(String),
    Binary(Vec<u8>),
}

impl Joining {
    /// Returns the event, or the message that it completes; `None` for a chunk that doesn't complete one.
    pub(super) fn join<'input>(&mut self, event: Event<'input>) -> Option<Event<'input>> {
        match event {
            Event::Chunk(chunk) => self.push(chunk).map(Event::Message),
            event => Some(event),
        }
    }

    /// Takes what has arrived of a message as its first chunk, for a caller that reads on piece by piece.
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
        // If the beginning isn't here, it was taken by itself, and nobody wanted the rest.
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
