use alloc::vec::Vec;
use core::fmt;

use crate::copying;
#[cfg(all(feature = "std", target_arch = "x86_64"))]
use crate::frame::wide_mask::by_widest_registers;
use crate::frame::word_key::WordKey;

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
/// // The same again, cut in two: the key continues where the first part ended.
/// let (head, tail) = payload.split_at_mut(3);
/// key.apply(head);
/// key.skip(3).apply(tail);
/// assert_eq!(&payload, b"Hello");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MaskingKey([u8; 4]);

impl MaskingKey {
    pub(crate) const SIZE: usize = 4;

    /// Creates a key of these bytes, as they appear in the frame header.
    pub const fn new(bytes: [u8; 4]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes as they appear in the frame header.
    pub const fn bytes(self) -> [u8; 4] {
        self.0
    }

    /// Returns the key as a number whose lowest byte goes first.
    #[inline]
    pub(super) const fn number(self) -> u32 {
        u32::from_le_bytes(self.0)
    }

    /// Returns the key for the part of the payload that begins `offset` bytes further on.
    #[inline]
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "it is at most 3")]
    pub const fn skip(self, offset: usize) -> Self {
        let turned = self.number().rotate_right(8 * (offset % 4) as u32);
        Self(turned.to_le_bytes())
    }

    /// Masks or unmasks `payload` in place; the two are the same operation.
    #[inline]
    pub fn apply(self, payload: &mut [u8]) {
        match payload.len() {
            // Most messages that come in great numbers have such a length.
            8..=16 => WordKey::new(self).apply_to_ends::<8>(payload),
            ..LONG => self.apply_to_short(payload),
            _ => self.apply_to_long(payload),
        }
    }

    /// Appends `payload`, masked or unmasked, to `destination`.
    #[inline]
    pub fn append(self, payload: &[u8], destination: &mut Vec<u8>) {
        destination.reserve(payload.len());
        self.append_in_room(payload, destination);
    }

    /// Does the same for a destination that has room for it.
    #[inline]
    fn append_in_room(self, payload: &[u8], destination: &mut Vec<u8>) {
        match payload.len() {
            0..SMALL_BLOCK => self.append_short(payload, destination),
            SMALL_BLOCK..ALIGNED => self.append_long(payload, destination),
            _ => self.append_aligned(payload, destination),
        }
    }

    #[inline(never)]
    fn apply_to_short(self, payload: &mut [u8]) {
        WordKey::new(self).apply_to_short(payload);
    }

    fn apply_to_long(self, payload: &mut [u8]) {
        by_widest_registers(Apply { key: WordKey::new(self), payload });
    }

    #[inline(never)]
    fn append_short(self, payload: &[u8], destination: &mut Vec<u8>) {
        WordKey::new(self).append_short(payload, destination);
    }

    /// Appends in one pass with the widest registers there are, and needn't zero anything first.
    fn append_long(self, payload: &[u8], destination: &mut Vec<u8>) {
        let start = destination.len();
        by_widest_registers(Append { key: WordKey::new(self), payload, destination });
        // The length of blocks is a multiple of four, so that the key starts over after them.
        let (_, end) = payload.split_at(destination.len() - start);
        if !end.is_empty() {
            self.append_short(end, destination);
        }
    }

    /// Appends the first few bytes by themselves, so that all others go to addresses that suit the
    /// registers.
    #[inline(never)]
    fn append_aligned(self, payload: &[u8], destination: &mut Vec<u8>) {
        let unaligned = destination.spare_capacity_mut().as_ptr().align_offset(WIDTH);
        let (start, aligned) = payload.split_at(unaligned.min(payload.len()));
        self.append_short(start, destination);
        self.skip(start.len()).append_long(aligned, destination);
    }
}

/// What is done with the widest registers there are, as a type: its one function is always inlined, and so
/// uses the registers that its caller is compiled for.
pub(super) trait Operation {
    fn run(self);
}

/// Masks a payload of at least [`WIDTH`] bytes block by block, from an address that suits the registers;
/// the bytes before that, and those after the last whole block, are each masked as a block of their own.
struct Apply<'p> {
    key: WordKey,
    payload: &'p mut [u8],
}

impl Operation for Apply<'_> {
    #[inline(always)]
    fn run(self) {
        let Self { key, payload } = self;
        key.apply_around::<WIDTH>(payload, |payload| {
            // Wherever the aligned part begins, what is before it is masked with the first block.
            let unaligned = payload.as_ptr().align_offset(WIDTH) % WIDTH;
            let (_, aligned) = payload.split_at_mut_checked(unaligned).unwrap_or_default();
            let (blocks, _) = aligned.split_at_mut(aligned.len() / WIDTH * WIDTH);
            key.skip(unaligned).apply_to_whole_words(blocks);
        });
    }
}

/// Appends a masked copy of all but the last bytes, fewer than a small block has, to a destination that has
/// room for it.
struct Append<'p> {
    key: WordKey,
    payload: &'p [u8],
    destination: &'p mut Vec<u8>,
}

impl Operation for Append<'_> {
    #[inline(always)]
    fn run(self) {
        let Self { key, payload, destination } = self;
        let rest = key.append_blocks::<BLOCK>(payload, destination);
        key.append_blocks::<SMALL_BLOCK>(rest, destination);
    }
}

/// From this length on, the widest registers gain more in place than it costs to set them up.
const LONG: usize = 512;

/// From this length on, a copy gains more from a suitable address than it costs to get to one.
const ALIGNED: usize = 4 * 1024;

/// The width of those registers in bytes. A store that isn't aligned to it takes up to twice as long.
const WIDTH: usize = 32;

/// How much is masked at once on its way from one place to another, in registers if there are enough.
const BLOCK: usize = 256;

/// The same, where too little is left for one of those.
const SMALL_BLOCK: usize = BLOCK / 2;

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

/// Appends a payload to a destination that has room for it, masked if there is a key.
#[inline(always)]
pub(crate) fn append_payload(mask: Option<MaskingKey>, payload: &[u8], destination: &mut Vec<u8>) {
    match mask {
        Some(key) => key.append_in_room(payload, destination),
        None if payload.len() < SMALL_BLOCK => WordKey::NONE.append_short(payload, destination),
        None => append_long_copy(payload, destination),
    }
}

/// Kept apart from the above, which thus calls nothing for short payloads and needn't save any register.
#[inline(never)]
fn append_long_copy(payload: &[u8], destination: &mut Vec<u8>) {
    copying::append(payload, destination);
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

    /// All short lengths, and those at which the way of masking changes; under Miri, only the latter.
    fn lengths() -> Vec<usize> {
        if cfg!(miri) {
            let limits = [4, 8, 16, 32, 64, 128, LONG, LONG + WIDTH];
            limits.into_iter().flat_map(|limit| limit - 2..limit + 3).collect()
        } else {
            (0..300).chain(LONG - 2..LONG + 2 * WIDTH + 2).chain([4096, 4099]).collect()
        }
    }

    /// The portable way, which long payloads don't take on every machine.
    fn apply_portably(key: MaskingKey, payload: &mut [u8]) {
        key.apply_to_short(payload);
    }

    /// Checks every place relative to an aligned one, with the key at each of its bytes.
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
        for length in lengths() {
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
        let long = [BLOCK + SMALL_BLOCK, SMALL_BLOCK, BLOCK, 3 * BLOCK, ALIGNED, 5 * ALIGNED];
        let long = long.into_iter().flat_map(around).step_by(if cfg!(miri) { 18 } else { 1 });
        for length in long.chain(lengths()) {
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
