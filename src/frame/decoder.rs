use alloc::vec::Vec;
use core::mem;

use crate::error::ProtocolError;
use crate::frame::header::FrameHeader;
use crate::frame::mask::MaskingKey;
use crate::frame::rules::HeaderRules;
use crate::role::Role;

/// Cuts the bytes from the peer into pieces of frames.
///
/// A partial header and the place inside a payload are remembered here, so the input is always
/// consumed to its end and the caller has nothing to carry over.
#[derive(Debug)]
pub(crate) struct FrameDecoder {
    rules: HeaderRules,
    max_frame_size: u64,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Between frames, or inside a header of which these bytes have arrived.
    Header(PartialHeader),
    /// Inside a payload: what is left, as if it were a frame of its own, its length that of the rest
    /// and its masking key turned to where the rest begins.
    Payload(FrameHeader),
}

/// Some bytes of a frame, still masked, together with the header of the frame or of what was left
/// of it.
#[derive(Debug)]
pub(crate) struct FramePiece<'input> {
    pub(crate) header: FrameHeader,
    /// Whether this is the first piece of its frame. It comes as soon as the header is complete,
    /// with an empty payload if no more has arrived.
    pub(crate) starts_frame: bool,
    /// How many bytes of the frame follow this piece.
    pub(crate) remaining: u64,
    pub(crate) payload: MaskedPayload<'input>,
}

/// Payload bytes as they arrived.
#[derive(Debug)]
pub(crate) struct MaskedPayload<'input> {
    bytes: &'input mut [u8],
    key: Option<MaskingKey>,
}

impl FrameDecoder {
    pub(crate) fn new(sender: Role, max_frame_size: u64) -> Self {
        Self {
            rules: HeaderRules::from(sender),
            max_frame_size,
            state: State::Header(PartialHeader::default()),
        }
    }

    /// The next frame, if it lies whole in the input and has at most `at_most` payload bytes;
    /// otherwise the input is left as it is.
    ///
    /// What most frames are: nothing about them has to be remembered.
    #[inline]
    pub(crate) fn next_whole_frame<'input>(
        &mut self,
        input: &mut &'input mut [u8],
        at_most: usize,
    ) -> Result<Option<FramePiece<'input>>, ProtocolError> {
        if !matches!(self.state, State::Header(PartialHeader { len: 0, .. })) {
            return Ok(None);
        }
        let Some((header, header_size)) = self.rules.decode(input)? else {
            return Ok(None);
        };
        self.check_size(&header)?;
        let length = usize::try_from(header.payload_len).unwrap_or(usize::MAX);
        if length > at_most.min(input.len() - header_size) {
            return Ok(None);
        }
        let frame = take(input, header_size + length);
        let bytes = frame.get_mut(header_size..).unwrap_or_default();
        let payload = MaskedPayload { bytes, key: header.mask };
        Ok(Some(FramePiece { header, starts_frame: true, remaining: 0, payload }))
    }

    /// The next piece, of at most `at_most` payload bytes; `None` when the input is used up.
    #[inline]
    pub(crate) fn next_piece<'input>(
        &mut self,
        input: &mut &'input mut [u8],
        at_most: usize,
    ) -> Result<Option<FramePiece<'input>>, ProtocolError> {
        let (mut header, starts_frame) = match &mut self.state {
            State::Header(partial) => {
                let Some(header) = partial.complete(self.rules, input)? else {
                    return Ok(None);
                };
                self.check_size(&header)?;
                (header, true)
            }
            State::Payload(_) if input.is_empty() => return Ok(None),
            State::Payload(rest) => (*rest, false),
        };

        let length = header.payload_len;
        let taken = usize::try_from(length).unwrap_or(usize::MAX).min(input.len()).min(at_most);
        let remaining = length - taken as u64;
        let payload = MaskedPayload { bytes: take(input, taken), key: header.mask };
        let piece = FramePiece { header, starts_frame, remaining, payload };
        if remaining > 0 {
            header.mask = header.mask.map(|key| key.skip(taken));
            header.payload_len = remaining;
            self.state = State::Payload(header);
        } else if !starts_frame {
            self.state = State::Header(PartialHeader::default());
        }
        Ok(Some(piece))
    }

    /// §10.4: judged by what the header announces, before any of it is waited for.
    #[inline]
    fn check_size(&self, header: &FrameHeader) -> Result<(), ProtocolError> {
        let (size, limit) = (header.payload_len, self.max_frame_size);
        if size > limit && !header.opcode.is_control() {
            Err(ProtocolError::FrameTooLarge { size, limit })
        } else {
            Ok(())
        }
    }
}

impl FramePiece<'_> {
    /// Whether this piece is a whole frame.
    #[inline]
    pub(crate) fn is_whole_frame(&self) -> bool {
        self.starts_frame && self.remaining == 0
    }
}

impl<'input> MaskedPayload<'input> {
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Unmasks in place.
    #[inline]
    pub(crate) fn unmask(self) -> &'input [u8] {
        if let Some(key) = self.key {
            key.apply(self.bytes);
        }
        self.bytes
    }

    /// Unmasks while copying.
    #[inline]
    pub(crate) fn unmask_into(self, destination: &mut Vec<u8>) {
        match self.key {
            Some(key) => key.append(self.bytes, destination),
            None => destination.extend_from_slice(self.bytes),
        }
    }
}

/// The bytes of a header that is not complete yet.
#[derive(Debug, Default)]
struct PartialHeader {
    bytes: [u8; FrameHeader::MAX_SIZE],
    len: u8,
}

impl PartialHeader {
    /// The header, once the input completes it. Takes from the input what belongs to the header.
    #[inline]
    fn complete(
        &mut self,
        rules: HeaderRules,
        input: &mut &mut [u8],
    ) -> Result<Option<FrameHeader>, ProtocolError> {
        if self.len == 0 {
            if let Some((header, size)) = rules.decode(input)? {
                take(input, size);
                return Ok(Some(header));
            }
        }
        self.resume(rules, input)
    }

    fn resume(
        &mut self,
        rules: HeaderRules,
        input: &mut &mut [u8],
    ) -> Result<Option<FrameHeader>, ProtocolError> {
        let known = usize::from(self.len);
        let mut len = known;
        for (slot, byte) in self.bytes.iter_mut().skip(known).zip(input.iter()) {
            *slot = *byte;
            len += 1;
        }
        let bytes = self.bytes.get(..len).unwrap_or_default();
        if let Some((header, size)) = rules.decode(bytes)? {
            take(input, size.saturating_sub(known));
            self.len = 0;
            Ok(Some(header))
        } else {
            // A header never needs more than `MAX_SIZE` bytes, so the input ended first.
            take(input, len - known);
            self.len = u8::try_from(len).unwrap_or_default();
            Ok(None)
        }
    }
}

/// Splits the first `count` bytes off the cursor.
#[inline]
fn take<'input>(input: &mut &'input mut [u8], count: usize) -> &'input mut [u8] {
    let (taken, rest) = mem::take(input).split_at_mut_checked(count).unwrap_or_default();
    *input = rest;
    taken
}
