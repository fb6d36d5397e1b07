use alloc::vec::Vec;
use core::fmt;

/// The four bytes with which a client masks the payload of one frame (RFC 6455, section 5.3).
///
/// ```
/// use sansocket::frame::MaskingKey;
///
/// let key = MaskingKey::new([0x37, 0xfa, 0x21, 0x3d]);
/// let mut payload = *b"Hello";
/// key.apply(&mut payload);
/// assert_eq!(payload, [0x7f, 0x9f, 0x4d, 0x51, 0x58]);
///
/// // The same again, cut in two: the key goes on where the first part ended.
/// let (head, tail) = payload.split_at_mut(3);
/// key.apply(head);
/// key.skip(3).apply(tail);
/// assert_eq!(&payload, b"Hello");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MaskingKey([u8; 4]);

impl MaskingKey {
    /// The key of these bytes, as they stand in the frame header.
    pub const fn new(bytes: [u8; 4]) -> Self {
        Self(bytes)
    }

    /// The bytes as they stand in the frame header.
    pub const fn bytes(self) -> [u8; 4] {
        self.0
    }

    /// The key for the part of the payload that begins `offset` bytes further on.
    #[inline]
    #[must_use]
    pub fn skip(self, offset: usize) -> Self {
        let mut bytes = self.0;
        bytes.rotate_left(offset % 4);
        Self(bytes)
    }

    /// Masks or unmasks `payload` in place; the two are the same operation.
    #[inline]
    pub fn apply(self, payload: &mut [u8]) {
        let [a, b, c, d] = self.0;
        let key = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
        let mut words = payload.chunks_exact_mut(8);
        for word in &mut words {
            if let Ok(bytes) = <&mut [u8; 8]>::try_from(word) {
                *bytes = (u64::from_ne_bytes(*bytes) ^ key).to_ne_bytes();
            }
        }
        // At most seven bytes: no remainder of a wide block is left to a slow loop, because most
        // messages are not longer than one.
        for (byte, key) in words.into_remainder().iter_mut().zip(self.0.iter().cycle()) {
            *byte ^= key;
        }
    }

    /// Appends `payload`, masked or unmasked, to `destination`.
    #[inline]
    pub fn append(self, payload: &[u8], destination: &mut Vec<u8>) {
        // A block is masked while it is still in the first-level cache, so that memory is passed
        // over once; and nothing needs to be zeroed first.
        for block in payload.chunks(BLOCK) {
            let start = destination.len();
            destination.extend_from_slice(block);
            if let Some(copy) = destination.get_mut(start..) {
                self.apply(copy);
            }
        }
    }
}

/// A multiple of the key's length, so that each block begins where the key begins.
const BLOCK: usize = 8 * 1024;

impl fmt::Debug for MaskingKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "MaskingKey({:08x})", u32::from_be_bytes(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    const KEY: MaskingKey = MaskingKey::new([0x37, 0xFA, 0x21, 0x3D]);

    /// Section 5.3, literally: byte i of the payload with byte i modulo 4 of the key.
    fn masked_by_the_definition(payload: &[u8]) -> Vec<u8> {
        payload.iter().enumerate().map(|(index, byte)| byte ^ KEY.0[index % 4]).collect()
    }

    fn payload(length: usize) -> Vec<u8> {
        (0..=u8::MAX).cycle().take(length).collect()
    }

    #[test]
    fn every_length_is_masked_as_section_5_3_defines_it() {
        for length in (0..300).chain([BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5]) {
            let expected = masked_by_the_definition(&payload(length));
            let mut in_place = payload(length);
            KEY.apply(&mut in_place);
            assert_eq!(in_place, expected, "in place, {length}");
            let mut appended = vec![1, 2, 3];
            KEY.append(&payload(length), &mut appended);
            assert_eq!(&appended[3..], expected, "appended, {length}");
        }
    }

    #[test]
    fn masking_resumes_at_any_offset() {
        let expected = masked_by_the_definition(&payload(64));
        for cut in 0..=64 {
            let mut whole = payload(64);
            let (head, tail) = whole.split_at_mut(cut);
            KEY.apply(head);
            KEY.skip(cut).apply(tail);
            assert_eq!(whole, expected, "cut at {cut}");
        }
    }
}
