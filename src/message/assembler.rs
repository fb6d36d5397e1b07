use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

use crate::config::{Config, Delivery};
use crate::copying;
use crate::error::ProtocolError;
use crate::frame::{FramePiece, Opcode};
use crate::message::chunk::Chunk;
use crate::message::message::{Message, MessageKind};
use crate::message::payload::Payload;
use crate::message::storage::Storage;
use crate::message::text::Text;
use crate::message::utf8::{self, Complete, Utf8Validator};

/// Joins the pieces of data frames into messages (RFC 6455, section 5.4).
///
/// A fragment leaves nothing behind but its bytes, so the cost of a message doesn't depend on how
/// many fragments it has.
#[derive(Debug)]
pub(crate) struct Assembler {
    max_message_size: u64,
    /// How many bytes the frames of the open message have announced so far, or, if it is compressed,
    /// how many came out of them.
    pub(super) size: u64,
    pub(super) body: Body,
}

/// What has arrived of the open message.
#[derive(Debug)]
pub(super) enum Body {
    /// No message is open. The next one is to be delivered this way.
    None(Delivery),
    Text {
        text: String,
        validator: Utf8Validator,
    },
    Binary(Vec<u8>),
    TextChunks {
        validator: Utf8Validator,
        position: Position,
    },
    BinaryChunks(Position),
    /// What was inflated, until it is complete or enough for a chunk.
    #[cfg(feature = "deflate")]
    InflatedText {
        text: String,
        validator: Utf8Validator,
        position: Position,
        delivery: Delivery,
    },
    #[cfg(feature = "deflate")]
    InflatedBinary {
        bytes: Vec<u8>,
        position: Position,
        delivery: Delivery,
    },
}

/// Whether a chunk of the message was handed out already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    Start,
    Inside,
}

/// What a message, or a piece of one, is handed out as.
pub(crate) trait Delivered<'input>: From<Message<'input>> + From<Chunk<'input>> {}

impl<'input, D: From<Message<'input>> + From<Chunk<'input>>> Delivered<'input> for D {}

impl Assembler {
    pub(crate) fn new(config: &Config) -> Self {
        let Config { max_message_size, delivery, .. } = *config;
        Self { max_message_size, size: 0, body: Body::None(delivery) }
    }

    /// How many bytes the next message may have if it is handed out whole; `None` inside another
    /// message, or where chunks are delivered.
    #[inline]
    pub(crate) const fn whole_at_most(&self) -> Option<u64> {
        match self.body {
            Body::None(Delivery::Messages) => Some(self.max_message_size),
            _ => None,
        }
    }

    /// How many bytes the next piece may have.
    #[inline]
    pub(crate) fn at_most(&self) -> usize {
        match &self.body {
            Body::Text { validator, .. } | Body::TextChunks { validator, .. } => {
                validator.at_most()
            }
            _ => usize::MAX,
        }
    }

    /// Takes the next piece of a data frame.
    #[inline]
    pub(crate) fn push<'input, D: Delivered<'input>>(
        &mut self,
        piece: FramePiece<'input>,
    ) -> Result<Option<D>, ProtocolError> {
        if piece.starts_frame {
            match self.begins(piece.header.opcode)? {
                Begins::Message(kind, delivery) => {
                    self.size = 0;
                    self.grow(piece.header.payload_len)?;
                    if piece.header.fin && piece.is_whole_frame() {
                        let message = whole(kind, piece.payload.unmask())?;
                        return Ok(Some(match delivery {
                            Delivery::Messages => message.into(),
                            Delivery::Chunks => {
                                Chunk { piece: message, first: true, last: true }.into()
                            }
                        }));
                    }
                    self.body = Body::new(kind, delivery);
                }
                Begins::Continuation => self.grow(piece.header.payload_len)?,
            }
        }
        let last = piece.header.fin && piece.remaining == 0;
        let delivered = self.body.extend(piece, last)?;
        if last {
            self.discard();
        }
        Ok(delivered)
    }

    /// Discards the open message, at its end or because no more of it will be taken.
    pub(crate) fn discard(&mut self) {
        self.body = Body::None(self.body.delivery());
    }

    /// What a data frame with this opcode begins.
    #[inline]
    pub(super) fn begins(&self, opcode: Opcode) -> Result<Begins, ProtocolError> {
        match (opcode, &self.body) {
            // §5.4: a continuation frame needs a message to continue.
            (Opcode::Continuation, Body::None(_)) => Err(ProtocolError::UnexpectedContinuation),
            (Opcode::Continuation, _) => Ok(Begins::Continuation),
            (Opcode::Text, Body::None(delivery)) => {
                Ok(Begins::Message(MessageKind::Text, *delivery))
            }
            (_, Body::None(delivery)) => Ok(Begins::Message(MessageKind::Binary, *delivery)),
            // §5.4: fragments of one message are not interleaved with another message.
            (_, _) => Err(ProtocolError::ExpectedContinuation),
        }
    }

    /// §10.4: the limit applies to all fragments together.
    #[inline]
    pub(super) fn grow(&mut self, additional: u64) -> Result<(), ProtocolError> {
        self.size = self.size.saturating_add(additional);
        let Self { size, max_message_size: limit, .. } = *self;
        if size > limit { Err(ProtocolError::MessageTooLarge { size, limit }) } else { Ok(()) }
    }

    /// How many more bytes the message may have.
    #[cfg(feature = "deflate")]
    pub(crate) const fn room(&self) -> u64 {
        self.max_message_size.saturating_sub(self.size)
    }
}

/// What a data frame begins.
pub(super) enum Begins {
    Message(MessageKind, Delivery),
    Continuation,
}

/// Makes a message that lies whole in the input: nothing is copied, nothing kept.
#[inline]
fn whole(kind: MessageKind, payload: &[u8]) -> Result<Message<'_>, ProtocolError> {
    Ok(match kind {
        MessageKind::Text => Message::Text(utf8::validate(payload)?.into()),
        MessageKind::Binary => Message::Binary(payload.into()),
    })
}

impl Body {
    /// How the message is delivered.
    #[inline]
    pub(super) const fn delivery(&self) -> Delivery {
        match self {
            Self::None(delivery) => *delivery,
            Self::Text { .. } | Self::Binary(_) => Delivery::Messages,
            Self::TextChunks { .. } | Self::BinaryChunks(_) => Delivery::Chunks,
            #[cfg(feature = "deflate")]
            Self::InflatedText { delivery, .. } | Self::InflatedBinary { delivery, .. } => {
                *delivery
            }
        }
    }

    fn new(kind: MessageKind, delivery: Delivery) -> Self {
        let validator = Utf8Validator::default();
        match (delivery, kind) {
            (Delivery::Messages, MessageKind::Text) => {
                Self::Text { text: String::new(), validator }
            }
            (Delivery::Messages, MessageKind::Binary) => Self::Binary(Vec::new()),
            (Delivery::Chunks, MessageKind::Text) => {
                Self::TextChunks { validator, position: Position::Start }
            }
            (Delivery::Chunks, MessageKind::Binary) => Self::BinaryChunks(Position::Start),
        }
    }

    #[inline(always)]
    fn extend<'input, D: Delivered<'input>>(
        &mut self,
        piece: FramePiece<'input>,
        last: bool,
    ) -> Result<Option<D>, ProtocolError> {
        match self {
            Self::None(_) => Ok(None),
            // The frames of a compressed message are taken apart elsewhere.
            #[cfg(feature = "deflate")]
            Self::InflatedText { .. } | Self::InflatedBinary { .. } => Ok(None),
            Self::Text { text, validator } => {
                text.make_room_for(&piece);
                match validator.push(piece.payload.unmask())? {
                    Complete::Text(part) => copying::append_text(part, text),
                    Complete::Character(character) => text.push(character),
                }
                if !last {
                    return Ok(None);
                }
                validator.finish()?;
                let text = Text::from(mem::take(text).trimmed());
                Ok(Some(Message::Text(text).into()))
            }
            Self::Binary(bytes) => {
                bytes.make_room_for(&piece);
                piece.payload.unmask_into(bytes);
                if !last {
                    return Ok(None);
                }
                let payload = Payload::from(mem::take(bytes).trimmed());
                Ok(Some(Message::Binary(payload).into()))
            }
            Self::TextChunks { validator, position } => {
                let text = match validator.push(piece.payload.unmask())? {
                    Complete::Text(part) => Text::from(part),
                    Complete::Character(character) => Text::from(String::from(character)),
                };
                if last {
                    validator.finish()?;
                }
                Ok(position.chunk(Message::Text(text), last))
            }
            Self::BinaryChunks(position) => {
                let payload = Payload::from(piece.payload.unmask());
                Ok(position.chunk(Message::Binary(payload), last))
            }
        }
    }
}

impl Position {
    /// Makes a chunk, unless it would carry nothing.
    pub(super) fn chunk<'input, D: Delivered<'input>>(
        &mut self,
        piece: Message<'input>,
        last: bool,
    ) -> Option<D> {
        if piece.is_empty() && !last {
            return None;
        }
        let first = mem::replace(self, Self::Inside) == Self::Start;
        Some(Chunk { piece, first, last }.into())
    }
}
