use crate::config::Config;
use crate::connection::close_frame::CloseFrame;
use crate::connection::control::ControlAssembler;
use crate::connection::event::Event;
use crate::connection::whole_frame::WholeFrame;
use crate::error::ProtocolError;
#[cfg(feature = "deflate")]
use crate::extension::{AgreedDeflate, Inflation};
#[cfg(feature = "deflate")]
use crate::frame::FrameHeader;
use crate::frame::{FrameDecoder, FramePiece, Opcode};
use crate::message::{self, Assembler};
use crate::role::Role;

/// Turns bytes into events.
#[derive(Debug)]
pub(crate) struct Decoding {
    frames: FrameDecoder,
    messages: Assembler,
    controls: ControlAssembler,
    #[cfg(feature = "deflate")]
    inflation: Inflation,
}

impl Decoding {
    pub(crate) fn new(sender: Role, config: &Config) -> Self {
        Self {
            frames: FrameDecoder::new(sender, config.frame_limit()),
            messages: Assembler::new(config),
            controls: ControlAssembler::default(),
            #[cfg(feature = "deflate")]
            inflation: Inflation::default(),
        }
    }

    /// Reads compressed messages from now on.
    #[cfg(feature = "deflate")]
    pub(crate) fn inflate(&mut self, sender: Role, agreed: &AgreedDeflate) {
        self.frames.expect_compression();
        self.inflation = Inflation::new(sender, agreed);
    }

    /// Takes the next event; returns `None` when the input is used up.
    #[inline]
    pub(crate) fn next_event<'input>(
        &mut self,
        input: &mut &'input mut [u8],
    ) -> Result<Option<Event<'input>>, ProtocolError> {
        #[cfg(feature = "deflate")]
        if !self.inflation.is_off() {
            return self.next_event_inflating(input);
        }
        loop {
            let at_most = self.messages.at_most();
            // Most fragments lie whole in the input.
            let piece = match self.frames.next_data_frame(input, at_most as u64) {
                Some(frame) => frame,
                None => match self.frames.next_piece(input, |_| at_most)? {
                    Some(piece) => piece,
                    None => return Ok(None),
                },
            };
            if let Some(event) = self.push(piece)? {
                return Ok(Some(event));
            }
        }
    }

    /// Takes the next frame, if it lies whole in the input and is an event by itself; otherwise leaves
    /// the input unchanged.
    ///
    /// Kept apart from everything less simple, so that the compiler sees a short path.
    #[inline(always)]
    pub(crate) fn next_whole_frame<'input>(
        &self,
        input: &mut &'input mut [u8],
    ) -> Result<Option<WholeFrame<'input>>, ProtocolError> {
        #[cfg(feature = "deflate")]
        if !self.inflation.is_off() {
            return Ok(None);
        }
        let Some(at_most) = self.messages.whole_at_most() else {
            return Ok(None);
        };
        let Some((opcode, payload)) = self.frames.next_lone_frame(input, at_most) else {
            return Ok(None);
        };
        let payload = payload.unmask();
        Ok(Some(match opcode {
            Opcode::Text => WholeFrame::Text(message::validate(payload)?),
            Opcode::Ping => WholeFrame::Ping(payload),
            Opcode::Pong => WholeFrame::Pong(payload),
            // Others aren't returned.
            _ => WholeFrame::Binary(payload),
        }))
    }

    /// Discards what has arrived of a message or control frame: no more of it will be taken.
    pub(crate) fn discard(&mut self) {
        self.messages.discard();
        self.controls = ControlAssembler::default();
        #[cfg(feature = "deflate")]
        {
            self.inflation = Inflation::Off;
        }
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

/// Once compression is agreed on, any message may be compressed or not.
#[cfg(feature = "deflate")]
impl Decoding {
    fn next_event_inflating<'input>(
        &mut self,
        input: &mut &'input mut [u8],
    ) -> Result<Option<Event<'input>>, ProtocolError> {
        loop {
            let inside = self.frames.rest().is_some_and(|rest| self.inflation.concerns(rest));
            let event = if inside {
                if input.is_empty() {
                    return Ok(None);
                }
                self.inflate_payload(input)?
            } else {
                let Self { frames, messages, inflation, .. } = self;
                // The payload of a compressed frame stays in the input for now.
                let at_most = |header: &FrameHeader| {
                    if inflation.concerns(header) { 0 } else { messages.at_most() }
                };
                let Some(piece) = frames.next_piece(input, at_most)? else {
                    return Ok(None);
                };
                if self.inflation.concerns(&piece.header) {
                    self.start_inflated(&piece)?
                } else {
                    self.push(piece)?
                }
            };
            if event.is_some() {
                return Ok(event);
            }
        }
    }

    fn start_inflated<'input>(
        &mut self,
        frame: &FramePiece<'_>,
    ) -> Result<Option<Event<'input>>, ProtocolError> {
        self.messages.start_inflated(frame.header.opcode)?;
        self.inflation.start();
        if frame.header.fin && frame.remaining == 0 { self.finish_inflated() } else { Ok(None) }
    }

    fn inflate_payload<'input>(
        &mut self,
        input: &mut &'input mut [u8],
    ) -> Result<Option<Event<'input>>, ProtocolError> {
        let Self { frames, messages, inflation, .. } = self;
        let lent = frames.lend_payload(input, LENT, |piece| inflation.push(piece, messages))?;
        match lent {
            Some((header, 0)) if header.fin => self.finish_inflated(),
            _ => Ok(self.messages.take_chunk()),
        }
    }

    fn finish_inflated<'input>(&mut self) -> Result<Option<Event<'input>>, ProtocolError> {
        self.inflation.finish()?;
        self.messages.finish_inflated()
    }
}

/// How many bytes of a compressed payload are looked at together. They may become many more than
/// one chunk holds, and are then masked and unmasked again for each.
#[cfg(feature = "deflate")]
const LENT: usize = 16 * 1024;
