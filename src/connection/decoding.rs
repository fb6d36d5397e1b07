use crate::config::Config;
use crate::connection::close_frame::CloseFrame;
use crate::connection::control::ControlAssembler;
use crate::connection::event::Event;
use crate::error::ProtocolError;
use crate::frame::{FrameDecoder, FramePiece, Opcode};
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
        // What most messages are is dealt with by itself, so that the compiler sees a short path.
        if let Some(frame) = self.frames.next_whole_frame(input, self.messages.at_most())? {
            let event = self.push(frame)?;
            if event.is_some() {
                return Ok(event);
            }
        }
        self.next_event_from_pieces(input)
    }

    /// Gives up what has arrived of a message or control frame: no more of it will be taken.
    pub(crate) fn discard(&mut self) {
        self.messages.discard();
        self.controls = ControlAssembler::default();
    }

    fn next_event_from_pieces<'input>(
        &mut self,
        input: &mut &'input mut [u8],
    ) -> Result<Option<Event<'input>>, ProtocolError> {
        while let Some(piece) = self.frames.next_piece(input, self.messages.at_most())? {
            let event = self.push(piece)?;
            if event.is_some() {
                return Ok(event);
            }
        }
        Ok(None)
    }

    #[inline]
    fn push<'input>(
        &mut self,
        piece: FramePiece<'input>,
    ) -> Result<Option<Event<'input>>, ProtocolError> {
        let opcode = piece.header.opcode;
        if !opcode.is_control() {
            return self.messages.push(piece);
        }
        let Some(payload) = self.controls.push(piece) else {
            return Ok(None);
        };
        Ok(Some(match opcode {
            Opcode::Ping => Event::Ping(payload),
            Opcode::Pong => Event::Pong(payload),
            _ => Event::Close(CloseFrame::decode(payload)?),
        }))
    }
}
