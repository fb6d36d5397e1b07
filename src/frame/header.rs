use alloc::vec::Vec;

use crate::error::ProtocolError;
use crate::frame::mask::MaskingKey;
use crate::frame::opcode::Opcode;
use crate::frame::rsv::Rsv;
use crate::frame::rules::HeaderRules;
use crate::frame::word_key::append_block;

/// The head of a frame: everything before its payload (RFC 6455, section 5.2).
///
/// ```text
///   0                   1                   2                   3
///  +-+-+-+-+-------+-+-------------+-------------------------------+
///  |F|R|R|R| opcode|M| length      | 16 or 64 bits of length, if   |
///  |I|S|S|S|  (4)  |A|  (7)        | the 7 bits are 126 or 127     |
///  |N|V|V|V|       |S|             |                               |
///  | |1|2|3|       |K|             |                               |
///  +-+-+-+-+-------+-+-------------+-------------------------------+
///  | masking key, if MASK is set   | payload ...                   |
///  +-------------------------------+-------------------------------+
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHeader {
    /// Whether this is the last fragment of a message.
    pub fin: bool,
    /// The reserved bits.
    pub rsv: Rsv,
    /// What the frame is.
    pub opcode: Opcode,
    /// The masking key of a frame that a client sent.
    pub mask: Option<MaskingKey>,
    /// The length of the payload in bytes, at most 2^63 − 1.
    pub payload_len: u64,
}

impl FrameHeader {
    /// The most bytes a header takes.
    pub const MAX_SIZE: usize = 14;

    /// The most bytes the payload of a control frame may have (section 5.5).
    pub const MAX_CONTROL_PAYLOAD: usize = 125;

    /// Decodes the header at the start of `input`, and returns it with its size in bytes.
    ///
    /// Returns `None` if the header is incomplete. Reserved bits and masking are reported, not checked:
    /// whether they are right depends on the negotiated extensions and the sender's role.
    ///
    /// ```
    /// use sansocket::frame::{FrameHeader, Opcode};
    ///
    /// let (header, size) = FrameHeader::decode(&[0x81, 0x05, b'H', b'e'])?.expect("complete");
    /// assert_eq!((header.opcode, header.payload_len, size), (Opcode::Text, 5, 2));
    /// assert_eq!(FrameHeader::decode(&[0x81])?, None);
    /// # Ok::<(), sansocket::ProtocolError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails on a reserved opcode, a control frame that is fragmented or announces over 125 bytes, a
    /// length that is not in its shortest form, or one of 2^63 or more. It fails as soon as the byte
    /// that shows it is there; for a length not in its shortest form, once all of it is there.
    pub fn decode(input: &[u8]) -> Result<Option<(Self, usize)>, ProtocolError> {
        HeaderRules::ANY.decode(input)
    }

    /// Encodes the header for the wire, with its length in the shortest form.
    ///
    /// ```
    /// use sansocket::frame::{FrameHeader, Opcode, Rsv};
    ///
    /// let header = FrameHeader {
    ///     fin: true,
    ///     rsv: Rsv::NONE,
    ///     opcode: Opcode::Binary,
    ///     mask: None,
    ///     payload_len: 256,
    /// };
    /// assert_eq!(header.encode().as_ref(), [0x82, 0x7E, 0x01, 0x00]);
    /// ```
    #[inline]
    pub fn encode(&self) -> EncodedHeader {
        let first_byte = FirstByte::new(self.fin, self.rsv, self.opcode);
        EncodedHeader::new(first_byte, self.mask, self.payload_len)
    }
}

/// All that a header says except mask and length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FirstByte(u8);

impl FirstByte {
    #[inline]
    pub(crate) const fn new(fin: bool, rsv: Rsv, opcode: Opcode) -> Self {
        let fin = if fin { FIN } else { 0 };
        Self(fin | rsv.bits() | opcode.bits())
    }

    /// The first byte of a frame that is not a fragment, with no reserved bit.
    #[inline]
    pub(crate) const fn whole(opcode: Opcode) -> Self {
        Self::new(true, Rsv::NONE, opcode)
    }
}

/// The bit of the first byte that says that a frame is the last of its message.
pub(super) const FIN: u8 = 0x80;

/// The bit of the second byte that says that there is a masking key.
pub(super) const MASK: u8 = 0x80;

/// What the 7 bits of the length are if the length follows in 16 or 64 bits.
pub(super) const LENGTH_IN_16_BITS: u8 = 0x7E;
pub(super) const LENGTH_IN_64_BITS: u8 = 0x7F;

/// The bytes of an encoded [`FrameHeader`].
#[derive(Debug, Clone, Copy)]
pub struct EncodedHeader {
    bytes: [u8; Self::ROOM],
    len: usize,
}

impl EncodedHeader {
    /// How much room [`append_to`](Self::append_to) needs, whatever the header's size.
    pub(crate) const ROOM: usize = 16;

    /// No header at all.
    pub(crate) const EMPTY: Self = Self { bytes: [0; Self::ROOM], len: 0 };

    /// Assembles the header as two numbers whose lowest bytes go first, so that it stays in registers.
    #[inline]
    pub(crate) fn new(first: FirstByte, mask: Option<MaskingKey>, payload_len: u64) -> Self {
        let (masked, key, key_len) = match mask {
            Some(key) => (MASK, u64::from(key.number()), MaskingKey::SIZE),
            None => (0, 0, 0),
        };
        // §5.2: the length goes into the fewest bytes that hold it.
        let (second, low, high, len) = match u16::try_from(payload_len) {
            Ok(short) if short < LENGTH_IN_16_BITS.into() => (short.to_le_bytes()[0], key, 0, 2),
            Ok(medium) => (LENGTH_IN_16_BITS, u64::from(medium.swap_bytes()) | key << 16, 0, 4),
            Err(_) => {
                let long = payload_len.swap_bytes();
                (LENGTH_IN_64_BITS, long, long >> 48 | key << 16, 10)
            }
        };
        let low = u64::from(first.0) | u64::from(masked | second) << 8 | low << 16;
        let bytes = u128::from(high) << 64 | u128::from(low);
        Self { bytes: bytes.to_le_bytes(), len: len + key_len }
    }

    #[inline]
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// The bytes after the first `count`.
    #[inline]
    pub(crate) fn behind(&self, count: usize) -> &[u8] {
        self.bytes.get(count..self.len).unwrap_or_default()
    }

    /// Appends the bytes to a destination that has [room](Self::ROOM), by a copy of fixed size: one
    /// instruction instead of a call.
    #[inline]
    pub(crate) fn append_to(&self, destination: &mut Vec<u8>) {
        let end = destination.len() + self.len;
        append_block(&self.bytes, destination);
        destination.truncate(end);
    }
}

impl AsRef<[u8]> for EncodedHeader {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        self.behind(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers() -> impl Iterator<Item = FrameHeader> {
        let lengths = [0, 1, 125, 126, 127, 65_535, 65_536, u64::from(u32::MAX) + 1, (1 << 63) - 1];
        let opcodes = [Opcode::Continuation, Opcode::Text, Opcode::Binary, Opcode::Ping];
        let masks = [None, Some(MaskingKey::new([1, 2, 3, 4]))];
        lengths.into_iter().flat_map(move |payload_len| {
            opcodes.into_iter().flat_map(move |opcode| {
                masks.into_iter().map(move |mask| FrameHeader {
                    fin: opcode != Opcode::Continuation,
                    rsv: if opcode == Opcode::Text { Rsv::RSV1 } else { Rsv::NONE },
                    opcode,
                    mask,
                    payload_len: if opcode.is_control() { payload_len % 126 } else { payload_len },
                })
            })
        })
    }

    #[test]
    fn decoding_inverts_encoding_and_every_shorter_input_is_incomplete() {
        for header in headers() {
            let encoded = header.encode();
            let bytes = encoded.as_ref();
            assert_eq!(FrameHeader::decode(bytes), Ok(Some((header, bytes.len()))));
            for cut in 0..bytes.len() {
                assert_eq!(FrameHeader::decode(&bytes[..cut]), Ok(None), "{header:?} at {cut}");
            }
        }
    }

    #[test]
    fn lengths_that_fit_a_shorter_form_are_refused() {
        let refused = Err(ProtocolError::NonMinimalLength);
        for length in 0..126_u16 {
            let [high, low] = length.to_be_bytes();
            assert_eq!(FrameHeader::decode(&[0x82, 126, high, low]), refused);
        }
        for length in [0, 125, 126, 65_535_u64] {
            let bytes: Vec<u8> = [0x82, 127].into_iter().chain(length.to_be_bytes()).collect();
            assert_eq!(FrameHeader::decode(&bytes), refused);
        }
    }

    #[test]
    fn a_length_with_the_top_bit_is_refused() {
        for length in [1_u64 << 63, u64::MAX] {
            let bytes: Vec<u8> = [0x82, 127].into_iter().chain(length.to_be_bytes()).collect();
            assert_eq!(FrameHeader::decode(&bytes), Err(ProtocolError::LengthTopBit));
        }
    }

    #[test]
    fn reserved_opcodes_are_refused_at_the_first_byte() {
        for opcode in (3..=7).chain(11..=15) {
            for fin in [0, 0x80] {
                let refused = Err(ProtocolError::ReservedOpcode(opcode));
                assert_eq!(FrameHeader::decode(&[fin | opcode]), refused);
            }
        }
    }

    #[test]
    fn control_frames_are_short_and_whole() {
        for opcode in 8..=10 {
            assert_eq!(FrameHeader::decode(&[opcode]), Err(ProtocolError::FragmentedControlFrame));
            for length in [0x7E, 0x7F, 0xFE, 0xFF] {
                let refused = Err(ProtocolError::ControlFrameTooLong);
                assert_eq!(FrameHeader::decode(&[0x80 | opcode, length]), refused);
            }
        }
    }
}
