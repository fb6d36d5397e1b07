use crate::error::ProtocolError;
use crate::frame::header::{FIN, FrameHeader, LENGTH_IN_16_BITS, LENGTH_IN_64_BITS, MASK};
use crate::frame::mask::MaskingKey;
use crate::frame::opcode::Opcode;
use crate::frame::rsv::Rsv;
use crate::role::Role;

/// The rules a frame header must keep, checked byte by byte as it is decoded.
///
/// This is the one place for the rules of sections 5.1, 5.2 and 5.5 that a header alone can break. Each
/// is checked at the byte that shows it, so the verdict doesn't depend on how the bytes were cut.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeaderRules {
    sender: Option<Role>,
    reserved: ReservedBits,
}

/// A header with no reserved bit and a length of 7 or 16 bits, like nearly all: it is decoded with a
/// fraction of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PlainHeader {
    pub(crate) fin: bool,
    pub(crate) opcode: Opcode,
    /// How many bytes the header has.
    pub(crate) size: usize,
    pub(crate) payload_len: u16,
}

/// Which reserved bits may be set.
#[derive(Debug, Clone, Copy)]
enum ReservedBits {
    /// All: the caller knows which extensions there are.
    NotJudged,
    /// None: no extension owns one.
    Clear,
    /// RFC 7692, §6: RSV1, on the first frame of a message, which is then compressed.
    #[cfg(feature = "deflate")]
    Compression,
}

impl HeaderRules {
    /// Holds a header to what is true of any sender and any extension.
    pub(crate) const ANY: Self = Self { sender: None, reserved: ReservedBits::NotJudged };

    /// Holds a header to what `sender` may send, with no extension that owns a reserved bit.
    pub(crate) const fn for_sender(sender: Role) -> Self {
        Self { sender: Some(sender), reserved: ReservedBits::Clear }
    }

    /// The same, but RSV1 marks a compressed message.
    #[cfg(feature = "deflate")]
    pub(crate) const fn with_compression(self) -> Self {
        Self { sender: self.sender, reserved: ReservedBits::Compression }
    }

    /// Decodes the header at the start of `input`, with its size; returns `None` while it is incomplete.
    #[inline]
    pub(crate) fn decode(
        self,
        input: &[u8],
    ) -> Result<Option<(FrameHeader, usize)>, ProtocolError> {
        // As many bytes as the longest header has, so that none is looked for in vain. If the input has
        // fewer, zeros, which break no rule, stand in for the others.
        let padded;
        let (bytes, present): (&[u8; FrameHeader::MAX_SIZE], _) =
            if let Some(bytes) = input.first_chunk() {
                (bytes, FrameHeader::MAX_SIZE)
            } else {
                padded = padded_with_zeros(input);
                (&padded, input.len())
            };
        let [first, second, rest @ ..] = bytes;
        if present < 1 {
            return Ok(None);
        }
        let (fin, rsv, opcode) = self.first_byte(*first)?;
        if present < 2 {
            return Ok(None);
        }
        let (masked, short_length) = self.second_byte(opcode, *second)?;
        let Some((payload_len, length_size)) = length(short_length, rest, present - 2)? else {
            return Ok(None);
        };
        let mut size = 2 + length_size;
        let key = rest.get(length_size..).and_then(<[u8]>::first_chunk);
        let mask = key.filter(|_| masked).map(|key| MaskingKey::new(*key));
        if masked {
            size += MaskingKey::SIZE;
        }
        if size > present {
            return Ok(None);
        }
        Ok(Some((FrameHeader { fin, rsv, opcode, mask, payload_len }, size)))
    }

    /// Who sends the headers, if that is known.
    #[inline]
    pub(crate) const fn sender(self) -> Option<Role> {
        self.sender
    }

    #[inline]
    fn first_byte(self, byte: u8) -> Result<(bool, Rsv, Opcode), ProtocolError> {
        let (fin, rsv, bits) = (byte & FIN != 0, Rsv::from_first_byte(byte), byte & 0x0F);
        // §5.2: a reserved bit is an error unless a negotiated extension gives it a meaning.
        if rsv != Rsv::NONE && !self.reserved.allow(rsv, bits) {
            return Err(ProtocolError::ReservedBits);
        }
        // §5.2: an unknown opcode fails the connection.
        let opcode = Opcode::from_bits(bits).ok_or(ProtocolError::ReservedOpcode(bits))?;
        // §5.5: control frames may come between fragments but are never fragments themselves.
        if opcode.is_control() && !fin {
            return Err(ProtocolError::FragmentedControlFrame);
        }
        Ok((fin, rsv, opcode))
    }

    #[inline]
    fn second_byte(self, opcode: Opcode, byte: u8) -> Result<(bool, u8), ProtocolError> {
        let (masked, short_length) = (byte & MASK != 0, byte & !MASK);
        // §5.1: a client masks every frame, a server none.
        match self.sender {
            Some(Role::Client) if !masked => return Err(ProtocolError::UnmaskedFrame),
            Some(Role::Server) if masked => return Err(ProtocolError::MaskedFrame),
            _ => {}
        }
        // §5.5: a control payload has at most 125 bytes, so its length needs no longer form.
        if opcode.is_control() && usize::from(short_length) > FrameHeader::MAX_CONTROL_PAYLOAD {
            return Err(ProtocolError::ControlFrameTooLong);
        }
        Ok((masked, short_length))
    }
}

impl ReservedBits {
    /// Whether a frame with these opcode bits may have these reserved bits set.
    #[cfg_attr(
        not(feature = "deflate"),
        expect(unused_variables, reason = "no extension is there")
    )]
    fn allow(self, rsv: Rsv, opcode: u8) -> bool {
        match self {
            Self::NotJudged => true,
            Self::Clear => false,
            // RFC 7692, §6.1: set on the first fragment, and neither on the others nor on a control
            // frame.
            #[cfg(feature = "deflate")]
            Self::Compression => {
                rsv == Rsv::RSV1
                    && matches!(Opcode::from_bits(opcode), Some(Opcode::Text | Opcode::Binary))
            }
        }
    }
}

impl PlainHeader {
    /// Decodes the header at the start of `input`, if `kind` recognizes its first byte, it is masked or not
    /// as `masked` says, and it keeps the rules whatever they are. [`HeaderRules::decode`] deals with any
    /// other.
    #[inline(always)]
    pub(crate) fn decode(
        input: &[u8],
        masked: bool,
        kind: impl FnOnce(u8) -> Option<Opcode>,
    ) -> Option<Self> {
        let [first, second] = *input.first_chunk()?;
        let opcode = kind(first)?;
        let (mask_bit, key_size) = if masked { (MASK, MaskingKey::SIZE) } else { (0, 0) };
        let (payload_len, size) = match second ^ mask_bit {
            LENGTH_IN_16_BITS => {
                let [_, _, length @ ..] = *input.first_chunk::<4>()?;
                let length = u16::from_be_bytes(length);
                if opcode.is_control() || length < LENGTH_IN_16_BITS.into() {
                    return None;
                }
                (length, 4 + key_size)
            }
            length if length < LENGTH_IN_16_BITS => (length.into(), 2 + key_size),
            // Longer, or not masked as it should be.
            _ => return None,
        };
        Some(Self { fin: first & FIN != 0, opcode, size, payload_len })
    }

    /// Returns the opcode of a frame that is an event by itself: a message, a Ping or a Pong.
    #[inline(always)]
    pub(crate) fn alone(first: u8) -> Option<Opcode> {
        // With FIN set and no reserved bit, what is left is the opcode.
        let opcode = Opcode::from_bits(first ^ FIN)?;
        let is_alone = !matches!(opcode, Opcode::Continuation | Opcode::Close);
        is_alone.then_some(opcode)
    }

    /// Returns the opcode of a frame that is a message or a fragment of one.
    #[inline(always)]
    pub(crate) fn data(first: u8) -> Option<Opcode> {
        Opcode::from_bits(first & !FIN).filter(|opcode| !opcode.is_control())
    }
}

/// Pads the bytes, fewer than `N`, with zeros.
fn padded_with_zeros<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut padded = [0; N];
    padded.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    padded
}

/// Returns the payload length, and how many of the bytes after the first two it took; `None` while it is
/// incomplete. Only `present` of those bytes have arrived.
#[inline]
fn length(
    short: u8,
    bytes: &[u8; FrameHeader::MAX_SIZE - 2],
    present: usize,
) -> Result<Option<(u64, usize)>, ProtocolError> {
    let medium = [bytes[0], bytes[1]];
    let long = [bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]];
    let (length, size, least) = match short {
        LENGTH_IN_16_BITS => (u16::from_be_bytes(medium).into(), 2, LENGTH_IN_16_BITS.into()),
        // §5.2: the most significant bit of a 64-bit length must be 0.
        LENGTH_IN_64_BITS if long[0] & 0x80 != 0 => return Err(ProtocolError::LengthTopBit),
        LENGTH_IN_64_BITS => (u64::from_be_bytes(long), 8, 1 << 16),
        _ => return Ok(Some((short.into(), 0))),
    };
    if present < size {
        return Ok(None);
    }
    // §5.2: the minimal number of bytes must be used to encode the length.
    if length < least {
        return Err(ProtocolError::NonMinimalLength);
    }
    Ok(Some((length, size)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_bits_are_refused_at_the_first_byte() {
        for bits in 1..8_u8 {
            for sender in [Role::Client, Role::Server] {
                let refused = Err(ProtocolError::ReservedBits);
                assert_eq!(HeaderRules::for_sender(sender).decode(&[0x82 | bits << 4]), refused);
            }
        }
    }

    #[cfg(feature = "deflate")]
    #[test]
    fn rsv1_is_for_the_first_frame_of_a_message_and_the_others_are_for_none() {
        for sender in [Role::Client, Role::Server] {
            let rules = HeaderRules::for_sender(sender).with_compression();
            for first in 0x10..=0x7F_u8 {
                let allowed = matches!(first, 0x41 | 0x42);
                let refused = rules.decode(&[0x80 | first]) == Err(ProtocolError::ReservedBits);
                assert_eq!(refused, !allowed && first & 0x70 != 0, "{first:x}");
            }
        }
    }

    #[test]
    fn a_plain_header_is_what_the_rules_say_that_it_is() {
        let every = if cfg!(miri) { 977 } else { 1 };
        for [first, second] in (0..=u16::MAX).step_by(every).map(u16::to_be_bytes) {
            let medium = [[0, 125], [0, 126], [0, 127], [1, 0], [0xFF, 0xFF], [0, 0]];
            // Otherwise these bytes make no difference to it.
            let counts = second & 0x7F == LENGTH_IN_16_BITS;
            for [third, fourth] in medium.into_iter().skip(if counts { 0 } else { 5 }) {
                let bytes = [first, second, third, fourth, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
                for len in [0, 1, 2, 3, 4, 5, 6, 7, 8, bytes.len()] {
                    for sender in [Role::Client, Role::Server] {
                        is_plain_or_not(&bytes[..len], sender, PlainHeader::alone, |header| {
                            let is_fragment = !header.fin || header.opcode == Opcode::Continuation;
                            !is_fragment && header.opcode != Opcode::Close
                        });
                        is_plain_or_not(&bytes[..len], sender, PlainHeader::data, |header| {
                            !header.opcode.is_control()
                        });
                    }
                }
            }
        }
    }

    fn is_plain_or_not(
        input: &[u8],
        sender: Role,
        kind: impl FnOnce(u8) -> Option<Opcode>,
        is_such: impl FnOnce(&FrameHeader) -> bool,
    ) {
        let plain = PlainHeader::decode(input, sender == Role::Client, kind);
        match (HeaderRules::for_sender(sender).decode(input), plain) {
            (Ok(Some((header, size))), plain) => {
                let payload_len = u16::try_from(header.payload_len).ok();
                let FrameHeader { fin, opcode, .. } = header;
                let expected = payload_len
                    .filter(|_| is_such(&header))
                    .map(|payload_len| PlainHeader { fin, opcode, size, payload_len });
                assert_eq!(plain, expected, "{input:x?} of {sender:?}");
            }
            // A plain header is decoded before its masking key is there.
            (Ok(None), Some(plain)) => {
                assert!(input.len() < plain.size, "{input:x?} of {sender:?}");
            }
            (Ok(None), None) => {}
            (Err(_), plain) => assert_eq!(plain, None, "{input:x?} of {sender:?}"),
        }
    }

    #[test]
    fn masking_is_held_to_the_role_at_the_second_byte() {
        let refused = HeaderRules::for_sender(Role::Client).decode(&[0x82, 0x00]);
        assert_eq!(refused, Err(ProtocolError::UnmaskedFrame));
        let refused = HeaderRules::for_sender(Role::Server).decode(&[0x82, 0x80]);
        assert_eq!(refused, Err(ProtocolError::MaskedFrame));
    }
}
