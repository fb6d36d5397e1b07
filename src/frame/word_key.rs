use alloc::vec::Vec;

use crate::frame::mask::MaskingKey;

/// A masking key twice in a row, for eight bytes at a time: a number whose lowest byte goes first.
///
/// It masks blocks of a fixed size, which stay in registers on their way.
#[derive(Debug, Clone, Copy)]
pub(super) struct WordKey(u64);

impl WordKey {
    /// Leaves everything unchanged, which the compiler sees.
    pub(super) const NONE: Self = Self(0);

    #[inline]
    pub(super) const fn new(key: MaskingKey) -> Self {
        let once = key.number() as u64;
        Self(once << 32 | once)
    }

    /// Returns the key for a word that begins `offset` bytes further on. A word that ends there has the
    /// same key.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "it is less than a word has")]
    pub(super) const fn skip(self, offset: usize) -> Self {
        Self(self.0.rotate_right(8 * (offset % WORD) as u32))
    }

    /// Masks in place a payload that is too short for anything to be worth setting up.
    #[inline(always)]
    pub(super) fn apply_to_short(self, payload: &mut [u8]) {
        match payload.len() {
            0..4 => self.apply_to_bytes(payload),
            4..8 => self.apply_to_ends::<4>(payload),
            8..=16 => self.apply_to_ends::<8>(payload),
            17..=32 => self.apply_to_ends::<16>(payload),
            33..=64 => self.apply_to_ends::<32>(payload),
            65..=128 => self.apply_to_ends::<64>(payload),
            _ => self.apply_to_words(payload),
        }
    }

    /// Masks a payload of `SIZE` to twice as many bytes, as one block at its start and one at its end, which
    /// may overlap.
    #[inline(always)]
    pub(super) fn apply_to_ends<const SIZE: usize>(self, payload: &mut [u8]) {
        self.apply_around::<SIZE>(payload, |_| {});
    }

    fn apply_to_words(self, payload: &mut [u8]) {
        self.apply_around::<WORD>(payload, |payload| self.apply_to_whole_words(payload));
    }

    /// Masks a payload of at least `SIZE` bytes: one block at its start and one at its end by itself, and
    /// what lies between by `between`, which may change those blocks too, as they are read before that.
    #[inline(always)]
    pub(super) fn apply_around<const SIZE: usize>(
        self,
        payload: &mut [u8],
        between: impl FnOnce(&mut [u8]),
    ) {
        let (Some(&start), Some(&end)) =
            (payload.first_chunk::<SIZE>(), payload.last_chunk::<SIZE>())
        else {
            return;
        };
        between(payload);
        let at_end = self.skip(payload.len());
        if let Some(place) = payload.first_chunk_mut() {
            *place = self.masked(start);
        }
        if let Some(place) = payload.last_chunk_mut() {
            *place = at_end.masked(end);
        }
    }

    /// Masks all but up to seven bytes at the end.
    #[inline(always)]
    pub(super) fn apply_to_whole_words(self, payload: &mut [u8]) {
        for word in payload.chunks_exact_mut(WORD) {
            if let Some(word) = word.first_chunk_mut() {
                *word = (u64::from_le_bytes(*word) ^ self.0).to_le_bytes();
            }
        }
    }

    fn apply_to_bytes(self, payload: &mut [u8]) {
        for (byte, key) in payload.iter_mut().zip(self.0.to_le_bytes()) {
            *byte ^= key;
        }
    }

    /// Appends a masked copy of a payload of less than 128 bytes to a destination that has room for it.
    ///
    /// It is read in the same blocks in which it was unmasked, perhaps just now: a load that is wider than
    /// the store before it has to wait until that has left.
    #[inline(always)]
    pub(super) fn append_short(self, payload: &[u8], destination: &mut Vec<u8>) {
        match payload.len() {
            0..4 => self.append_bytes(payload, destination),
            4..8 => self.append_ends::<4>(payload, destination),
            8..=16 => self.append_ends::<8>(payload, destination),
            17..=32 => self.append_ends::<16>(payload, destination),
            33..=64 => self.append_ends::<32>(payload, destination),
            _ => self.append_ends::<64>(payload, destination),
        }
    }

    /// Appends a masked copy of a payload of `SIZE` to twice as many bytes, as one block at its start and one
    /// at its end, which may overlap.
    #[inline(always)]
    fn append_ends<const SIZE: usize>(self, payload: &[u8], destination: &mut Vec<u8>) {
        let (Some(&start), Some(&end)) =
            (payload.first_chunk::<SIZE>(), payload.last_chunk::<SIZE>())
        else {
            return;
        };
        let end_at = destination.len() + payload.len() - SIZE;
        append_block(&self.masked(start), destination);
        destination.truncate(end_at);
        append_block(&self.skip(payload.len()).masked(end), destination);
    }

    /// Appends a masked copy of all whole blocks to a destination that has room for it, and returns the bytes
    /// that are left.
    #[inline(always)]
    pub(super) fn append_blocks<'p, const SIZE: usize>(
        self,
        mut payload: &'p [u8],
        destination: &mut Vec<u8>,
    ) -> &'p [u8] {
        while let Some((block, rest)) = payload.split_first_chunk::<SIZE>() {
            append_block(&self.masked(*block), destination);
            payload = rest;
        }
        payload
    }

    #[inline(never)]
    fn append_bytes(self, payload: &[u8], destination: &mut Vec<u8>) {
        let masked = payload.iter().zip(self.0.to_le_bytes()).map(|(byte, key)| byte ^ key);
        destination.extend(masked);
    }

    /// Masks a block whose size is a power of two, at least four.
    #[inline(always)]
    pub(super) fn masked<const SIZE: usize>(self, mut block: [u8; SIZE]) -> [u8; SIZE] {
        self.apply_to_whole_words(&mut block);
        if SIZE < WORD {
            self.apply_to_bytes(&mut block);
        }
        block
    }
}

/// How many bytes are masked at once when nothing is set up for more.
const WORD: usize = 8;

/// Appends a block to a destination that has room for it.
///
/// The compiler, which doesn't know that there is room, would save all registers to make some, so it is
/// told what to do if there were none: nothing.
#[inline(always)]
pub(super) fn append_block<const SIZE: usize>(block: &[u8; SIZE], destination: &mut Vec<u8>) {
    let has_room = destination.capacity() - destination.len() >= SIZE;
    debug_assert!(has_room, "room was made for all of it");
    if has_room {
        destination.extend_from_slice(block);
    }
}
