/// Random numbers that repeat with the same seed: `SplitMix64`, by Steele, Lea and Flood.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Another sequence, for somebody else.
    pub(crate) const fn fork(&mut self) -> Self {
        Self(self.next())
    }

    /// A number less than `end`, which is not 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        // The remainder prefers small numbers by less than can be noticed.
        usize::try_from(self.next() % end as u64).unwrap_or_default()
    }

    pub(crate) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    pub(crate) fn fill(&mut self, bytes: &mut [u8]) {
        for room in bytes.chunks_mut(8) {
            for (slot, byte) in room.iter_mut().zip(self.next().to_ne_bytes()) {
                *slot = byte;
            }
        }
    }

    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }
}
