use alloc::string::String;
use alloc::vec::Vec;

use crate::frame::FramePiece;

/// Makes room for the next bytes of a message.
///
/// Capacity follows what has arrived, never what was declared: from a small constant on, it is at most twice
/// that, and never more than the message needs if its end is known.
pub(crate) trait Storage {
    /// Makes room for `additional` bytes, when no more than `expected`, including them, are still to come.
    fn make_room(&mut self, additional: usize, expected: u64);

    /// Trims the storage of what is handed out. It may be kept for long, and if the content is short, most
    /// of it would be room that nobody needs.
    fn trimmed(self) -> Self;

    /// Makes room for a piece of a frame.
    #[inline]
    fn make_room_for(&mut self, piece: &FramePiece<'_>) {
        let length = piece.payload.len();
        let expected =
            if piece.header.fin { piece.remaining.saturating_add(length as u64) } else { u64::MAX };
        if length > 0 {
            self.make_room(length, expected);
        }
    }
}

impl Storage for Vec<u8> {
    #[inline]
    fn make_room(&mut self, additional: usize, expected: u64) {
        if self.capacity() - self.len() < additional {
            self.reserve_exact(room(self.len(), additional, expected));
        }
    }

    #[inline]
    fn trimmed(mut self) -> Self {
        if is_roomy(self.len(), self.capacity()) {
            self.shrink_to_fit();
        }
        self
    }
}

impl Storage for String {
    #[inline]
    fn make_room(&mut self, additional: usize, expected: u64) {
        // Up to three bytes of a character may be pending from an earlier piece.
        if self.capacity() - self.len() < additional + 3 {
            self.reserve_exact(room(self.len(), additional, expected) + 3);
        }
    }

    #[inline]
    fn trimmed(mut self) -> Self {
        if is_roomy(self.len(), self.capacity()) {
            self.shrink_to_fit();
        }
        self
    }
}

/// Whether most of the storage is unused.
const fn is_roomy(len: usize, capacity: usize) -> bool {
    len < capacity / 2
}

const LEAST_CAPACITY: usize = 4 * 1024;

/// How many bytes to have room for after the `len` that are there.
fn room(len: usize, additional: usize, expected: u64) -> usize {
    let received = len.saturating_add(additional);
    let generous = received.saturating_mul(2).max(LEAST_CAPACITY);
    let whole =
        usize::try_from(expected).map_or(usize::MAX, |expected| len.saturating_add(expected));
    if whole == usize::MAX {
        // Nobody knows its end.
        return generous - len;
    }
    // Growing from half of it to the whole, a message is copied less than if it grows just before its end;
    // likewise for the half, and so on.
    let mut capacity = whole;
    while capacity > generous {
        capacity = capacity.div_ceil(2);
    }
    capacity - len
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    /// How many bytes are copied while a message grows in reads of this size, and each capacity it has.
    fn grow(size: usize, read: usize) -> (usize, Vec<usize>) {
        let (mut len, mut copied, mut capacities) = (0, 0, vec![0]);
        while len < size {
            let additional = read.min(size - len);
            let capacity = capacities[capacities.len() - 1];
            if capacity < len + additional {
                let capacity = len + room(len, additional, (size - len) as u64);
                assert!(capacity >= len + additional, "there is room for what has come");
                assert!(capacity <= size, "and for no more than there is");
                assert!(capacity <= (2 * (len + additional)).max(LEAST_CAPACITY));
                capacities.push(capacity);
                copied += len;
            }
            len += additional;
        }
        (copied, capacities)
    }

    #[test]
    fn a_message_whose_end_is_known_is_copied_less_than_once_while_it_grows() {
        for size in [1, 4095, 4097, 100_000, 1 << 20, (1 << 20) + 1, 5_000_000] {
            for read in [1, 100, 4096, 65_535, 65_536, 1 << 20] {
                if cfg!(miri) && size / read > 1000 {
                    continue;
                }
                let (copied, capacities) = grow(size, read);
                assert!(copied <= size, "{size} bytes in reads of {read}: {copied}");
                assert_eq!(capacities.last(), Some(&size), "in reads of {read}");
            }
        }
    }

    #[test]
    fn one_whose_end_is_unknown_doubles() {
        for len in [0, 5000, 1 << 20] {
            let capacity = len + room(len, 10, u64::MAX);
            assert_eq!(capacity, (2 * (len + 10)).max(LEAST_CAPACITY));
        }
    }
}
