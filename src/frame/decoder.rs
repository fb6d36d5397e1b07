use alloc::vec::Vec;
use core::mem;

use crate::copying;
use crate::error::ProtocolError;
use crate::frame::header::FrameHeader;
use crate::frame::mask::MaskingKey;
use crate::frame::opcode::Opcode;
use crate::frame::rsv::Rsv;
use crate::frame::rules::{HeaderRules, PlainHeader};
use crate::role::Role;

/// Cuts the bytes from the peer into pieces of frames.
///
/// It remembers a partial header and the place inside a payload, so the input is always consumed to
/// its end and the caller has nothing to carry over.
#[derive(Debug)]
pub(crate) struct FrameDecoder {
    rules: HeaderRules,
    max_frame_size: u64,
    state: State,
}

#[derive(Debug)]
enum State {
    BetweenFrames,
    /// Inside a header, of which these bytes have arrived.
    Header(PartialHeader),
    /// Inside a payload: what is left, as if it were a frame of its own, with the length of the rest
    /// and the masking key rotated to where the rest begins.
    Payload(FrameHeader),
}

/// Some bytes of a frame, still masked, with the header of the frame or of what was left of it.
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
        Self { rules: HeaderRules::for_sender(sender), max_frame_size, state: State::BetweenFrames }
    }

    /// Takes RSV1 to mark a compressed message from now on (RFC 7692, section 6).
    #[cfg(feature = "deflate")]
    pub(crate) fn expect_compression(&mut self) {
        self.rules = self.rules.with_compression();
    }

    /// Takes the next frame, if it is an event by itself, has a plain header, lies whole in the input and has
    /// at most `at_most` payload bytes; otherwise leaves the input unchanged.
    ///
    /// Nothing about such a frame has to be remembered. [`next_piece`](Self::next_piece) deals with any
    /// other, and with whatever is wrong.
    #[inline(always)]
    pub(crate) fn next_lone_frame<'input>(
        &self,
        input: &mut &'input mut [u8],
        at_most: u64,
    ) -> Option<(Opcode, MaskedPayload<'input>)> {
        let (header, payload) = self.next_plain_frame(input, at_most, PlainHeader::alone)?;
        Some((header.opcode, payload))
    }

    /// Does the same for a message or a fragment of one.
    #[inline(always)]
    pub(crate) fn next_data_frame<'input>(
        &self,
        input: &mut &'input mut [u8],
        at_most: u64,
    ) -> Option<FramePiece<'input>> {
        let (header, payload) = self.next_plain_frame(input, at_most, PlainHeader::data)?;
        let PlainHeader { fin, opcode, payload_len, .. } = header;
        let (mask, payload_len) = (payload.key, payload_len.into());
        let header = FrameHeader { fin, rsv: Rsv::NONE, opcode, mask, payload_len };
        Some(FramePiece { header, starts_frame: true, remaining: 0, payload })
    }

    #[inline(always)]
    fn next_plain_frame<'input>(
        &self,
        input: &mut &'input mut [u8],
        at_most: u64,
        kind: impl FnOnce(u8) -> Option<Opcode>,
    ) -> Option<(PlainHeader, MaskedPayload<'input>)> {
        let State::BetweenFrames = self.state else {
            return None;
        };
        let at_most = at_most.min(self.max_frame_size);
        // Compiled once for masked frames and once for unmasked ones.
        match self.rules.sender()? {
            Role::Client => take_plain_frame::<true>(input, at_most, kind),
            Role::Server => take_plain_frame::<false>(input, at_most, kind),
        }
    }

    /// Takes the next piece; returns `None` when the input is used up.
    ///
    /// Given the header of the frame, or of what is left of it, `at_most` decides how many payload bytes
    /// the piece may have.
    #[inline]
    pub(crate) fn next_piece<'input>(
        &mut self,
        input: &mut &'input mut [u8],
        at_most: impl FnOnce(&FrameHeader) -> usize,
    ) -> Result<Option<FramePiece<'input>>, ProtocolError> {
        let (mut header, starts_frame) = match &self.state {
            State::BetweenFrames | State::Header(_) => {
                let Some(header) = self.next_header(input)? else {
                    return Ok(None);
                };
                self.check_size(&header)?;
                (header, true)
            }
            State::Payload(_) if input.is_empty() => return Ok(None),
            State::Payload(rest) => (*rest, false),
        };

        let at_most = at_most(&header);
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
            self.state = State::BetweenFrames;
        }
        Ok(Some(piece))
    }

    /// What is left of the frame that the input is inside, as if it were a frame of its own.
    #[cfg(feature = "deflate")]
    pub(crate) const fn rest(&self) -> Option<&FrameHeader> {
        match &self.state {
            State::BetweenFrames | State::Header(_) => None,
            State::Payload(rest) => Some(rest),
        }
    }

    /// Shows `examine` what the input holds of the payload it is inside, at most `at_most` bytes,
    /// unmasked. What `examine` reports as used is taken from the input; the rest stays as it was.
    ///
    /// Returns the header of what was left before, and how many bytes of the frame follow.
    #[cfg(feature = "deflate")]
    pub(crate) fn lend_payload(
        &mut self,
        input: &mut &mut [u8],
        at_most: usize,
        examine: impl FnOnce(&[u8]) -> Result<usize, ProtocolError>,
    ) -> Result<Option<(FrameHeader, u64)>, ProtocolError> {
        let State::Payload(rest) = self.state else {
            return Ok(None);
        };
        let left = usize::try_from(rest.payload_len).unwrap_or(usize::MAX);
        let window = input.get_mut(..left.min(input.len()).min(at_most)).unwrap_or_default();
        if let Some(key) = rest.mask {
            key.apply(window);
        }
        let used = examine(window)?;
        if let (Some(key), Some(unused)) = (rest.mask, window.get_mut(used..)) {
            key.skip(used).apply(unused);
        }
        let piece = self.next_piece(input, |_| used)?;
        Ok(piece.map(|piece| (rest, piece.remaining)))
    }

    /// Returns the next header, once the input completes it. Takes its bytes from the input.
    #[inline]
    fn next_header(&mut self, input: &mut &mut [u8]) -> Result<Option<FrameHeader>, ProtocolError> {
        if let State::BetweenFrames = self.state {
            if let Some((header, size)) = self.rules.decode(input)? {
                take(input, size);
                return Ok(Some(header));
            }
        }
        self.resume_header(input)
    }

    fn resume_header(
        &mut self,
        input: &mut &mut [u8],
    ) -> Result<Option<FrameHeader>, ProtocolError> {
        let mut partial = match mem::replace(&mut self.state, State::BetweenFrames) {
            State::Header(partial) => partial,
            State::BetweenFrames | State::Payload(_) => PartialHeader::default(),
        };
        let header = partial.complete(self.rules, input)?;
        if header.is_none() && partial.len > 0 {
            self.state = State::Header(partial);
        }
        Ok(header)
    }

    /// §10.4: checks what the header announces, before any of it is waited for.
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
            None => copying::append(self.bytes, destination),
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
    /// Returns the header, once the input completes it. Takes its bytes from the input.
    fn complete(
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
            Ok(Some(header))
        } else {
            // A header never needs more than `MAX_SIZE` bytes, so the input ended first.
            take(input, len - known);
            self.len = u8::try_from(len).unwrap_or_default();
            Ok(None)
        }
    }
}

/// Takes the next frame from the input, if it is one that
/// [`next_plain_frame`](FrameDecoder::next_plain_frame) wants.
#[inline(always)]
fn take_plain_frame<'input, const MASKED: bool>(
    input: &mut &'input mut [u8],
    at_most: u64,
    kind: impl FnOnce(u8) -> Option<Opcode>,
) -> Option<(PlainHeader, MaskedPayload<'input>)> {
    let header = PlainHeader::decode(input, MASKED, kind)?;
    let size = header.size + usize::from(header.payload_len);
    if u64::from(header.payload_len) > at_most || size > input.len() {
        return None;
    }
    let (head, bytes) = take(input, size).split_at_mut_checked(header.size)?;
    let key = if MASKED { Some(MaskingKey::new(*head.last_chunk()?)) } else { None };
    Some((header, MaskedPayload { bytes, key }))
}

/// Splits the first `count` bytes off the cursor.
#[inline]
fn take<'input>(input: &mut &'input mut [u8], count: usize) -> &'input mut [u8] {
    let (taken, rest) = mem::take(input).split_at_mut_checked(count).unwrap_or_default();
    *input = rest;
    taken
}
