use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

use crate::config::{Config, Delivery};
use crate::error::ProtocolError;
use crate::frame::{FramePiece, Opcode};
use crate::message::chunk::Chunk;
use crate::message::message::{Message, MessageKind};
use crate::message::payload::Payload;
use crate::message::storage::Storage;
use crate::message::text::Text;
use crate::message::utf8::{self, Complete, Utf8Validator};

/// Joins the pieces of data frames to messages (RFC 6455, section 5.4).
///
/// A fragment leaves nothing behind but its bytes, so what a message costs doesn't depend on how
/// many fragments it has.
#[derive(Debug)]
pub(crate) struct Assembler {
    max_message_size: u64,
    delivery: Delivery,
    open: Option<OpenMessage>,
}

/// A message of which not everything has arrived.
#[derive(Debug)]
struct OpenMessage {
    /// The sum of what its frames announced so far.
    size: u64,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Text { text: String, validator: Utf8Validator },
    Binary(Vec<u8>),
    TextChunks { validator: Utf8Validator, position: Position },
    BinaryChunks(Position),
}

/// Whether a chunk of the message was handed out already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Position {
    Start,
    Inside,
}

/// What a message, or a piece of one, is handed out as.
pub(crate) trait Delivered<'input>: From<Message<'input>> + From<Chunk<'input>> {}

impl<'input, D: From<Message<'input>> + From<Chunk<'input>>> Delivered<'input> for D {}

impl Assembler {
    pub(crate) fn new(config: &Config) -> Self {
        let Config { max_message_size, delivery, .. } = *config;
        Self { max_message_size, delivery, open: None }
    }

    /// How many bytes the next piece may have.
    #[inline]
    pub(crate) fn at_most(&self) -> usize {
        match &self.open {
            Some(OpenMessage {
                body: Body::Text { validator, .. } | Body::TextChunks { validator, .. },
                ..
            }) => validator.at_most(),
            _ => usize::MAX,
        }
    }

    /// Takes the next piece of a data frame.
    #[inline]
    pub(crate) fn push<'input, D: Delivered<'input>>(
        &mut self,
        piece: FramePiece<'input>,
    ) -> Result<Option<D>, ProtocolError> {
        if !piece.starts_frame {
            return self.extend(piece);
        }
        let kind = match (piece.header.opcode, &self.open) {
            (Opcode::Continuation, Some(_)) => return self.start_continuation(piece),
            // §5.4: a continuation frame needs a message to continue.
            (Opcode::Continuation, None) => return Err(ProtocolError::UnexpectedContinuation),
            // §5.4: fragments of one message are not interleaved with another message.
            (_, Some(_)) => return Err(ProtocolError::ExpectedContinuation),
            (Opcode::Text, None) => MessageKind::Text,
            (_, None) => MessageKind::Binary,
        };
        let size = piece.header.payload_len;
        self.check_size(size)?;
        if piece.header.fin && piece.is_whole_frame() {
            return whole(kind, self.delivery, piece).map(Some);
        }
        let body = Body::new(kind, self.delivery);
        self.open = Some(OpenMessage { size, body });
        self.extend(piece)
    }

    /// Gives up the message of which not everything has arrived.
    pub(crate) fn discard(&mut self) {
        self.open = None;
    }

    fn start_continuation<'input, D: Delivered<'input>>(
        &mut self,
        piece: FramePiece<'input>,
    ) -> Result<Option<D>, ProtocolError> {
        if let Some(open) = &mut self.open {
            open.size = open.size.saturating_add(piece.header.payload_len);
            let size = open.size;
            self.check_size(size)?;
        }
        self.extend(piece)
    }

    /// §10.4: the limit holds over all fragments, by what the headers announce.
    #[inline]
    fn check_size(&self, size: u64) -> Result<(), ProtocolError> {
        let limit = self.max_message_size;
        if size > limit { Err(ProtocolError::MessageTooLarge { size, limit }) } else { Ok(()) }
    }

    fn extend<'input, D: Delivered<'input>>(
        &mut self,
        piece: FramePiece<'input>,
    ) -> Result<Option<D>, ProtocolError> {
        let Some(open) = &mut self.open else {
            return Ok(None);
        };
        let last = piece.header.fin && piece.remaining == 0;
        let delivered = open.body.extend(piece, last)?;
        if last {
            self.open = None;
        }
        Ok(delivered)
    }
}

/// A message that lies whole in the input: nothing is copied, nothing kept.
#[inline]
fn whole<'input, D: Delivered<'input>>(
    kind: MessageKind,
    delivery: Delivery,
    piece: FramePiece<'input>,
) -> Result<D, ProtocolError> {
    let payload = piece.payload.unmask();
    let message = match kind {
        MessageKind::Text => Message::Text(utf8::validate(payload)?.into()),
        MessageKind::Binary => Message::Binary(payload.into()),
    };
    Ok(match delivery {
        Delivery::Messages => message.into(),
        Delivery::Chunks => Chunk { piece: message, first: true, last: true }.into(),
    })
}

impl Body {
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

    fn extend<'input, D: Delivered<'input>>(
        &mut self,
        piece: FramePiece<'input>,
        last: bool,
    ) -> Result<Option<D>, ProtocolError> {
        match self {
            Self::Text { text, validator } => {
                if piece.payload.len() > 0 {
                    text.make_room(&piece);
                }
                match validator.push(piece.payload.unmask())? {
                    Complete::Text(part) => text.push_str(part),
                    Complete::Character(character) => text.push(character),
                }
                if !last {
                    return Ok(None);
                }
                validator.finish()?;
                let text = Text::from(mem::take(text));
                Ok(Some(Message::Text(text).into()))
            }
            Self::Binary(bytes) => {
                if piece.payload.len() > 0 {
                    bytes.make_room(&piece);
                }
                piece.payload.unmask_into(bytes);
                if !last {
                    return Ok(None);
                }
                let payload = Payload::from(mem::take(bytes));
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
    /// The chunk, unless it would say nothing.
    fn chunk<'input, D: Delivered<'input>>(
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
