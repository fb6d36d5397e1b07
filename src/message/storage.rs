use alloc::string::String;
use alloc::vec::Vec;

use crate::frame::FramePiece;

/// Makes room for the next bytes of a message.
///
/// Capacity follows what has arrived, never what was declared: it doubles, from a small constant on,
/// but not beyond the end of a message whose end is known.
pub(crate) trait Storage {
    /// Makes room for `additional` bytes, where no more than `expected` are still to come with them.
    fn make_room(&mut self, additional: usize, expected: u64);

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
}

impl Storage for String {
    #[inline]
    fn make_room(&mut self, additional: usize, expected: u64) {
        // Up to three bytes of a character may be pending from an earlier piece.
        if self.capacity() - self.len() < additional + 3 {
            self.reserve_exact(room(self.len(), additional, expected) + 3);
        }
    }
}

const LEAST_CAPACITY: usize = 4 * 1024;

/// How many bytes to have room for behind the `len` that are there.
fn room(len: usize, additional: usize, expected: u64) -> usize {
    let received = len.saturating_add(additional);
    let generous = received.saturating_mul(2).max(LEAST_CAPACITY) - len;
    generous.min(usize::try_from(expected).unwrap_or(usize::MAX)).max(additional)
}
