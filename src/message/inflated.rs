use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

use crate::config::Delivery;
use crate::copying;
use crate::error::ProtocolError;
use crate::frame::Opcode;
use crate::message::assembler::{Assembler, Begins, Body, Delivered, Position};
use crate::message::message::{Message, MessageKind};
use crate::message::payload::Payload;
use crate::message::storage::Storage;
use crate::message::text::Text;
use crate::message::utf8::{Complete, Utf8Validator};

/// How many bytes are gathered for a chunk, unless the message ends sooner.
///
/// A chunk may have some more: what was still in the decompressor when the input was used up.
const CHUNK: usize = 16 * 1024;

/// Assembles messages that are compressed on the wire: what comes out of their frames is pushed
/// separately, and a frame on the wire may become any number of bytes.
impl Assembler {
    /// Takes the header of a frame.
    pub(crate) fn start_inflated(&mut self, opcode: Opcode) -> Result<(), ProtocolError> {
        if let Begins::Message(kind, delivery) = self.begins(opcode)? {
            self.size = 0;
            let position = Position::Start;
            self.body = match kind {
                MessageKind::Text => Body::InflatedText {
                    text: String::new(),
                    validator: Utf8Validator::default(),
                    position,
                    delivery,
                },
                MessageKind::Binary => {
                    Body::InflatedBinary { bytes: Vec::new(), position, delivery }
                }
            };
        }
        Ok(())
    }

    /// Takes bytes that came out of the decompressor. It need not make more than one for which there is no
    /// [room](Self::room).
    pub(crate) fn push_inflated(&mut self, piece: &[u8]) -> Result<(), ProtocolError> {
        let room = self.room();
        // What is too many isn't checked, but what is before it is, as if it had come alone.
        let fitting = usize::try_from(room).unwrap_or(usize::MAX).min(piece.len());
        self.keep_inflated(piece.get(..fitting).unwrap_or_default(), room)?;
        self.grow(piece.len() as u64)
    }

    fn keep_inflated(&mut self, mut piece: &[u8], room: u64) -> Result<(), ProtocolError> {
        match &mut self.body {
            Body::InflatedText { text, validator, .. } if !piece.is_empty() => {
                text.make_room(piece.len(), room);
                while !piece.is_empty() {
                    let (front, rest) = piece.split_at(piece.len().min(validator.at_most()));
                    piece = rest;
                    match validator.push(front)? {
                        Complete::Text(part) => copying::append_text(part, text),
                        Complete::Character(character) => text.push(character),
                    }
                }
            }
            Body::InflatedBinary { bytes, .. } if !piece.is_empty() => {
                bytes.make_room(piece.len(), room);
                copying::append(piece, bytes);
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether a chunk should be [taken](Self::take_chunk) before more is pushed.
    pub(crate) fn is_chunk_full(&self) -> bool {
        match &self.body {
            Body::InflatedText { text, delivery: Delivery::Chunks, .. } => text.len() >= CHUNK,
            Body::InflatedBinary { bytes, delivery: Delivery::Chunks, .. } => bytes.len() >= CHUNK,
            _ => false,
        }
    }

    /// Takes what has arrived of a message that is delivered in chunks.
    pub(crate) fn take_chunk<'input, D: Delivered<'input>>(&mut self) -> Option<D> {
        match &mut self.body {
            Body::InflatedText { text, position, delivery: Delivery::Chunks, .. } => {
                position.chunk(Message::Text(Text::from(mem::take(text).trimmed())), false)
            }
            Body::InflatedBinary { bytes, position, delivery: Delivery::Chunks } => {
                position.chunk(Message::Binary(Payload::from(mem::take(bytes).trimmed())), false)
            }
            _ => None,
        }
    }

    /// Ends the message.
    pub(crate) fn finish_inflated<'input, D: Delivered<'input>>(
        &mut self,
    ) -> Result<Option<D>, ProtocolError> {
        let next = Body::None(self.body.delivery());
        let (message, mut position, delivery) = match mem::replace(&mut self.body, next) {
            Body::InflatedText { text, validator, position, delivery } => {
                validator.finish()?;
                (Message::Text(Text::from(text.trimmed())), position, delivery)
            }
            Body::InflatedBinary { bytes, position, delivery } => {
                (Message::Binary(Payload::from(bytes.trimmed())), position, delivery)
            }
            _ => return Ok(None),
        };
        Ok(match delivery {
            Delivery::Messages => Some(message.into()),
            Delivery::Chunks => position.chunk(message, true),
        })
    }
}
