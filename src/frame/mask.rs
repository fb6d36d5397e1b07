use alloc::vec::Vec;
use core::fmt;

use crate::copying;
#[cfg(all(feature = "std", target_arch = "x86_64"))]
use crate::frame::wide_mask::by_widest_registers;

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
    pub(super) const SIZE: usize = 4;

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
    #[expect(clippy::cast_possible_truncation, reason = "it is at most 3")]
    pub const fn skip(self, offset: usize) -> Self {
        let turned = u32::from_le_bytes(self.0).rotate_right(8 * (offset % 4) as u32);
        Self(turned.to_le_bytes())
    }

    /// Masks or unmasks `payload` in place; the two are the same operation.
    #[inline]
    pub fn apply(self, payload: &mut [u8]) {
        if payload.len() < LONG {
            self.apply_to_short(payload);
        } else {
            self.apply_to_long(payload);
        }
    }

    /// Appends `payload`, masked or unmasked, to `destination`.
    #[inline]
    pub fn append(self, payload: &[u8], destination: &mut Vec<u8>) {
        if payload.len() < SMALL_PIECE {
            self.append_short(payload, destination);
        } else {
            self.append_long(payload, destination);
        }
    }

    #[inline]
    fn append_short(self, payload: &[u8], destination: &mut Vec<u8>) {
        let start = destination.len();
        destination.extend_from_slice(payload);
        if let Some(copy) = destination.get_mut(start..) {
            self.apply_to_short(copy);
        }
    }

    /// In one pass, and nothing needs to be zeroed first.
    fn append_long(self, payload: &[u8], destination: &mut Vec<u8>) {
        destination.reserve(payload.len());
        if payload.len() < ALIGNED {
            self.append_widely(payload, destination);
        } else {
            self.append_aligned(payload, destination);
        }
    }

    /// The first few bytes by themselves, so that all others go to addresses that suit the registers.
    #[inline(never)]
    fn append_aligned(self, payload: &[u8], destination: &mut Vec<u8>) {
        let unaligned = destination.spare_capacity_mut().as_ptr().align_offset(WIDTH);
        let (start, aligned) = payload.split_at(unaligned.min(payload.len()));
        self.append_short(start, destination);
        self.skip(start.len()).append_widely(aligned, destination);
    }

    /// By the widest registers there are. Pieces have a multiple of four bytes, so that the key begins anew behind them.
    #[inline]
    fn append_widely(self, payload: &[u8], destination: &mut Vec<u8>) {
        let start = destination.len();
        by_widest_registers(Append { mask: self, payload, destination });
        let (_, end) = payload.split_at(destination.len() - start);
        if !end.is_empty() {
            self.append_short(end, destination);
        }
    }

    /// Word by word: whatever is set up for more would cost more than it gains.
    #[inline]
    fn apply_to_short(self, payload: &mut [u8]) {
        // The bytes behind the last whole word are masked as the end of a word of their own, which
        // overlaps with the one before it and so is looked at before that changes. One by one they
        // would take longer than all the rest of most messages.
        let at_end = self.skip(payload.len());
        if let Some(&last) = payload.last_chunk::<8>() {
            xor_words(payload, self.twice());
            if let Some(end) = payload.last_chunk_mut() {
                *end = xor_word(last, at_end.twice());
            }
        } else if let Some(&last) = payload.last_chunk::<4>() {
            if let Some(start) = payload.first_chunk_mut() {
                *start = xor_half(*start, self);
            }
            if let Some(end) = payload.last_chunk_mut() {
                *end = xor_half(last, at_end);
            }
        } else {
            for (byte, key) in payload.iter_mut().zip(self.0) {
                *byte ^= key;
            }
        }
    }

    /// By the widest registers there are.
    fn apply_to_long(self, payload: &mut [u8]) {
        by_widest_registers(Apply { mask: self, payload });
    }

    /// The key for eight bytes.
    #[inline]
    const fn twice(self) -> u64 {
        let once = u32::from_ne_bytes(self.0) as u64;
        once << 32 | once
    }
}

/// What is done by the widest registers that there are, as a type: its one function is always inlined, and so made of
/// the registers of whoever calls it.
pub(super) trait Operation {
    fn run(self);
}

/// Masks a payload block by block, from an address on that suits them.
///
/// What is before that, and what is behind the last whole block, is masked as a block of its own that overlaps with
/// the others: both are looked at before anything changes.
struct Apply<'p> {
    mask: MaskingKey,
    payload: &'p mut [u8],
}

impl Operation for Apply<'_> {
    #[inline(always)]
    fn run(self) {
        let Self { mask, payload } = self;
        let (Some(&first), Some(&last)) = (payload.first_chunk(), payload.last_chunk()) else {
            return mask.apply_to_short(payload);
        };
        let unaligned = payload.as_ptr().align_offset(WIDTH);
        let key = mask.skip(unaligned).twice();
        let (_, aligned) = payload.split_at_mut_checked(unaligned).unwrap_or_default();
        let (blocks, _) = aligned.split_at_mut(aligned.len() / WIDTH * WIDTH);
        xor_words(blocks, key);
        let (start, _) = payload.split_at_mut(WIDTH);
        start.copy_from_slice(&xor_block(first, mask.twice()));
        let at_end = mask.skip(payload.len());
        let (_, end) = payload.split_at_mut(payload.len() - WIDTH);
        end.copy_from_slice(&xor_block(last, at_end.twice()));
    }
}

/// Appends a masked copy of all but the last bytes, fewer than a small piece has, to a destination that has room for
/// them.
struct Append<'p> {
    mask: MaskingKey,
    payload: &'p [u8],
    destination: &'p mut Vec<u8>,
}

impl Operation for Append<'_> {
    #[inline(always)]
    fn run(self) {
        let Self { mask, payload, destination } = self;
        let rest = append_pieces::<PIECE>(payload, mask.twice(), destination);
        append_pieces::<SMALL_PIECE>(rest, mask.twice(), destination);
    }
}

/// Appends a masked copy of all but the last bytes, fewer than such a piece has, and gives those.
#[inline(always)]
fn append_pieces<'p, const SIZE: usize>(
    mut payload: &'p [u8],
    key: u64,
    destination: &mut Vec<u8>,
) -> &'p [u8] {
    while let Some((piece, rest)) = payload.split_first_chunk::<SIZE>() {
        // Never so. But where the compiler sees that no room is made, it needs not empty its registers for that.
        if destination.capacity() - destination.len() < SIZE {
            break;
        }
        let mut masked = *piece;
        xor_words(&mut masked, key);
        destination.extend_from_slice(&masked);
        payload = rest;
    }
    payload
}

/// Masks all but up to seven bytes at the end.
#[inline(always)]
fn xor_words(payload: &mut [u8], key: u64) {
    for word in payload.chunks_exact_mut(8) {
        if let Some(word) = word.first_chunk_mut() {
            *word = xor_word(*word, key);
        }
    }
}

#[inline(always)]
fn xor_block(mut block: [u8; WIDTH], key: u64) -> [u8; WIDTH] {
    xor_words(&mut block, key);
    block
}

#[inline]
const fn xor_word(word: [u8; 8], key: u64) -> [u8; 8] {
    (u64::from_ne_bytes(word) ^ key).to_ne_bytes()
}

#[inline]
const fn xor_half(half: [u8; 4], key: MaskingKey) -> [u8; 4] {
    (u32::from_ne_bytes(half) ^ u32::from_ne_bytes(key.0)).to_ne_bytes()
}

/// From this length on the widest registers gain more in place than it costs to set them up.
const LONG: usize = 512;

/// From this length on a copy gains more by a suitable address than it costs to come to one.
const ALIGNED: usize = 4 * 1024;

/// The width of those registers in bytes. A store that isn't aligned to it takes up to twice as long.
const WIDTH: usize = 32;

/// How much is masked on its way from one place to another, in registers as long as there are enough of them.
const PIECE: usize = 256;

/// The same, where there is no more for one of those. Less is copied first and then masked in place.
const SMALL_PIECE: usize = PIECE / 2;

/// Registers of 16 bytes are the widest that the compiler can rely on.
#[cfg(not(all(feature = "std", target_arch = "x86_64")))]
fn by_widest_registers(operation: impl Operation) {
    operation.run();
}

impl fmt::Debug for MaskingKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "MaskingKey({:08x})", u32::from_be_bytes(self.0))
    }
}

/// Appends a payload, masked if there is a key.
#[inline]
pub(crate) fn append_payload(mask: Option<MaskingKey>, payload: &[u8], destination: &mut Vec<u8>) {
    match mask {
        Some(key) => key.append(payload, destination),
        None => copying::append(payload, destination),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    const KEY: MaskingKey = MaskingKey::new([0x37, 0xFA, 0x21, 0x3D]);

    /// Section 5.3, literally: byte i of the payload with byte i modulo 4 of the key.
    fn masked_by_the_definition(key: MaskingKey, payload: &[u8]) -> Vec<u8> {
        payload.iter().enumerate().map(|(index, byte)| byte ^ key.0[index % 4]).collect()
    }

    fn payload(length: usize) -> Vec<u8> {
        (0..=u8::MAX).cycle().take(length).collect()
    }

    /// The portable way, which long payloads don't take on every machine.
    fn apply_portably(key: MaskingKey, payload: &mut [u8]) {
        key.apply_to_short(payload);
    }

    /// At every place relative to an aligned one, with the key at each of its bytes.
    fn is_masked_by(apply: fn(MaskingKey, &mut [u8]), length: usize) {
        for at in (0..2 * WIDTH).step_by(if cfg!(miri) { 27 } else { 1 }) {
            let key = KEY.skip(at / 3);
            let mut buffer = payload(at + length + 9);
            let expected = masked_by_the_definition(key, &buffer[at..at + length]);
            apply(key, &mut buffer[at..at + length]);
            assert_eq!(buffer[at..at + length], expected, "{length} bytes at {at}");
            let around = payload(at + length + 9);
            assert_eq!(buffer[..at], around[..at], "before {length} bytes at {at}");
            assert_eq!(buffer[at + length..], around[at + length..], "behind {length} at {at}");
        }
    }

    #[test]
    fn every_length_is_masked_as_section_5_3_defines_it() {
        let lengths = (0..300).chain(LONG - 2..LONG + 2 * WIDTH + 2).chain([4096, 4099]);
        for length in lengths.step_by(if cfg!(miri) { 97 } else { 1 }) {
            is_masked_by(MaskingKey::apply, length);
            is_masked_by(apply_portably, length);
        }
    }

    #[test]
    fn each_byte_of_the_key_may_come_first() {
        for offset in 0..9 {
            let mut expected = payload(64);
            KEY.apply(&mut expected);
            let mut rest = payload(64).split_off(offset);
            KEY.skip(offset).apply(&mut rest);
            assert_eq!(rest, expected[offset..], "{offset}");
        }
    }

    #[test]
    fn appending_masks_what_is_appended_and_nothing_else() {
        let around = |length| [length + 1, length, length - 1];
        let long = [PIECE + SMALL_PIECE, SMALL_PIECE, PIECE, 3 * PIECE, ALIGNED, 5 * ALIGNED];
        let lengths = long.into_iter().flat_map(around).chain(0..40);
        for length in lengths.step_by(if cfg!(miri) { 18 } else { 1 }) {
            for key in (0..4).map(|at| KEY.skip(at)) {
                let mut appended = vec![1, 2, 3];
                key.append(&payload(length), &mut appended);
                let (before, behind) = appended.split_at(3);
                assert_eq!(before, [1, 2, 3], "{length}");
                assert_eq!(behind, masked_by_the_definition(key, &payload(length)), "{length}");
            }
        }
    }

    #[test]
    fn masking_resumes_at_any_offset() {
        let expected = masked_by_the_definition(KEY, &payload(64));
        for cut in 0..=64 {
            let mut whole = payload(64);
            let (head, tail) = whole.split_at_mut(cut);
            KEY.apply(head);
            KEY.skip(cut).apply(tail);
            assert_eq!(whole, expected, "cut at {cut}");
        }
    }
}
