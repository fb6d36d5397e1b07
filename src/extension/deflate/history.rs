use alloc::collections::VecDeque;

/// The last bytes that came out of a decompressor, as many as its peer may refer back to.
///
/// The decompressor has them too, but forgets them at a block with BFINAL set, where the data ends for
/// zlib. Under RFC 7692, section 7.2.3.4, it continues after that, with the same window.
#[derive(Debug, Default)]
pub(super) struct History {
    bytes: VecDeque<u8>,
    limit: usize,
}

impl History {
    /// Forgets everything, and remembers this many bytes from now on.
    pub(super) fn clear(&mut self, limit: usize) {
        self.bytes.clear();
        self.limit = limit;
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        let kept = bytes.get(bytes.len().saturating_sub(self.limit)..).unwrap_or_default();
        let excess = (self.bytes.len() + kept.len()).saturating_sub(self.limit);
        self.bytes.drain(..excess);
        self.bytes.extend(kept);
    }

    pub(super) fn bytes(&mut self) -> &[u8] {
        self.bytes.make_contiguous()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn the_last_bytes_up_to_the_limit_are_remembered_however_they_come() {
        let bytes: Vec<u8> = (0..=u8::MAX).collect();
        for limit in [0, 1, 7, 64, 256, 300] {
            let step = if cfg!(miri) { 17 } else { 1 };
            for piece_len in (1..=256).step_by(step) {
                let mut history = History::default();
                history.clear(limit);
                bytes.chunks(piece_len).for_each(|piece| history.push(piece));
                assert_eq!(history.bytes(), &bytes[256 - limit.min(256)..]);
            }
        }
    }
}
