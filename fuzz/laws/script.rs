//! Structure out of bytes.

/// The bytes of a fuzzer's input, read from the front. After the end there are zeros.
#[derive(Debug, Clone, Copy)]
pub struct Script<'a>(pub &'a [u8]);

impl<'a> Script<'a> {
    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or_default()
    }

    /// The next bytes, fewer at the end.
    pub fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// How to cut what follows: a count of three bits, and the sizes of as many pieces, of which the
    /// first comes again after the last.
    pub fn cuts(&mut self) -> Vec<usize> {
        let count = usize::from(self.byte() % 8);
        self.bytes(count).iter().map(|&size| usize::from(size)).collect()
    }
}

/// The bytes in pieces of these sizes, again and again. A size of 0 counts as 1; without any size the
/// bytes stay whole.
pub fn pieces<'a>(bytes: &'a [u8], sizes: &[usize]) -> Vec<&'a [u8]> {
    let mut rest = bytes;
    let mut pieces = Vec::new();
    let mut sizes = sizes.iter().cycle();
    while !rest.is_empty() {
        let size = sizes.next().map_or(rest.len(), |&size| size.clamp(1, rest.len()));
        let (piece, behind) = rest.split_at(size);
        pieces.push(piece);
        rest = behind;
    }
    pieces
}
