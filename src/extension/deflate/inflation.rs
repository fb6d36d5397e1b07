use alloc::boxed::Box;
use alloc::sync::Arc;
use core::mem;

use crate::error::ProtocolError;
use crate::extension::deflate::agreed::AgreedDeflate;
use crate::extension::deflate::parameters::{ContextTakeover, SenderParameters};
use crate::extension::deflate::pool::Pool;
use crate::extension::deflate::zlib::Decompressor;
use crate::frame::{FrameHeader, Opcode, Rsv};
use crate::message::Assembler;
use crate::role::Role;

/// Decompresses what the peer sends (RFC 7692, sections 6.2 and 7.2.2).
#[derive(Debug, Default)]
pub(crate) enum Inflation {
    /// The extension isn't in use.
    #[default]
    Off,
    /// Between two messages, with nothing to remember.
    Idle { pool: Arc<Pool>, sender: SenderParameters },
    /// Inside a compressed message, or between two, the second of which may refer to the first.
    Open(Box<Open>),
}

#[derive(Debug)]
pub(crate) struct Open {
    pool: Arc<Pool>,
    sender: SenderParameters,
    decompressor: Decompressor,
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    InsideMessage,
    BetweenMessages,
}

/// How many bytes are inflated at a time, on the stack.
const STEP: usize = 4 * 1024;

impl Inflation {
    pub(crate) fn new(sender: Role, agreed: &AgreedDeflate) -> Self {
        Self::Idle { pool: agreed.pool(), sender: agreed.parameters().sender(sender) }
    }

    #[inline]
    pub(crate) const fn is_off(&self) -> bool {
        matches!(self, Self::Off)
    }

    /// Whether the payload of a frame with this header is compressed.
    ///
    /// §6.1: RSV1 on the first fragment marks them all. Control frames are not affected.
    pub(crate) fn concerns(&self, header: &FrameHeader) -> bool {
        match header.opcode {
            Opcode::Text | Opcode::Binary => header.rsv.contains(Rsv::RSV1),
            Opcode::Continuation => {
                matches!(self, Self::Open(open) if open.place == Place::InsideMessage)
            }
            Opcode::Close | Opcode::Ping | Opcode::Pong => false,
        }
    }

    /// Begins a message, or continues it in a further frame.
    pub(crate) fn start(&mut self) {
        *self = match mem::take(self) {
            Self::Idle { pool, sender } => {
                let decompressor = pool.decompressor(sender.window());
                Self::Open(Box::new(Open {
                    pool,
                    sender,
                    decompressor,
                    place: Place::InsideMessage,
                }))
            }
            Self::Open(mut open) => {
                open.place = Place::InsideMessage;
                Self::Open(open)
            }
            Self::Off => Self::Off,
        };
    }

    /// Inflates a piece of the message into the assembler, all of it or until the assembler wants to
    /// hand out what it has. Returns how many bytes were used.
    pub(crate) fn push(
        &mut self,
        piece: &[u8],
        messages: &mut Assembler,
    ) -> Result<usize, ProtocolError> {
        let Self::Open(open) = self else {
            return Ok(0);
        };
        let mut buffer = [0; STEP];
        let mut used = 0;
        loop {
            // No more than one byte over the message's limit is ever made.
            let room = usize::try_from(messages.room()).unwrap_or(usize::MAX);
            let room = room.saturating_add(1).min(STEP);
            let output = buffer.get_mut(..room).unwrap_or_default();
            let input = piece.get(used..).unwrap_or_default();
            let (step, outcome) = open.decompressor.step(input, output);
            used += step.used;
            messages.push_inflated(output.get(..step.made).unwrap_or_default())?;
            outcome?;
            if step.made < room {
                if used == piece.len() {
                    return Ok(used);
                }
                if step.used + step.made == 0 {
                    return Err(ProtocolError::CorruptCompression);
                }
            } else if used < piece.len() && messages.is_chunk_full() {
                return Ok(used);
            }
        }
    }

    /// Ends the message.
    pub(crate) fn finish(&mut self) -> Result<(), ProtocolError> {
        *self = match mem::take(self) {
            Self::Open(mut open) => {
                open.decompressor.finish()?;
                match open.sender.context_takeover {
                    ContextTakeover::Yes => {
                        open.place = Place::BetweenMessages;
                        Self::Open(open)
                    }
                    ContextTakeover::No => {
                        let Open { pool, sender, decompressor, .. } = *open;
                        pool.give_back_decompressor(decompressor);
                        Self::Idle { pool, sender }
                    }
                }
            }
            not_begun => not_begun,
        };
        Ok(())
    }
}
