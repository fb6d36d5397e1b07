use crate::config::Config;
use crate::connection::close_frame::CloseFrame;
use crate::connection::control::ControlAssembler;
use crate::connection::event::Event;
use crate::error::ProtocolError;
use crate::frame::{FrameDecoder, Opcode};
use crate::message::Assembler;
use crate::role::Role;

/// The half that turns bytes into events. It knows nothing of what is being sent.
#[derive(Debug)]
pub(crate) struct DecodingHalf {
    frames: FrameDecoder,
    messages: Assembler,
    controls: ControlAssembler,
}

impl DecodingHalf {
    pub(crate) fn new(sender: Role, config: &Config) -> Self {
        Self {
            frames: FrameDecoder::new(sender, config.max_frame_size),
            messages: Assembler::new(config),
            controls: ControlAssembler::default(),
        }
    }

    /// The next event, or `None` when the input is used up.
    #[inline]
    pub(crate) fn next_event<'input>(
        &mut self,
        input: &mut &'input mut [u8],
    ) -> Result<Option<Event<'input>>, ProtocolError> {
        while let Some(piece) = self.frames.next_piece(input, self.messages.at_most())? {
            let opcode = piece.header.opcode;
            let event = if opcode.is_control() {
                let Some(payload) = self.controls.push(piece) else {
                    continue;
                };
                match opcode {
                    Opcode::Ping => Event::Ping(payload),
                    Opcode::Pong => Event::Pong(payload),
                    _ => Event::Close(CloseFrame::decode(payload)?),
                }
            } else {
                match self.messages.push(piece)? {
                    Some(event) => event,
                    None => continue,
                }
            };
            return Ok(Some(event));
        }
        Ok(None)
    }
}
