use alloc::string::String;
use alloc::vec::Vec;

use crate::frame::FramePiece;

/// Makes room for the next piece of a message.
///
/// Capacity follows what has arrived, never what was declared: it doubles, from a small constant on,
/// but not beyond the end of a message whose end is known.
pub(crate) trait Storage {
    fn make_room(&mut self, piece: &FramePiece<'_>);
}

impl Storage for Vec<u8> {
    #[inline]
    fn make_room(&mut self, piece: &FramePiece<'_>) {
        if self.capacity() - self.len() < piece.payload.len() {
            self.reserve_exact(room(self.len(), piece));
        }
    }
}

impl Storage for String {
    #[inline]
    fn make_room(&mut self, piece: &FramePiece<'_>) {
        // Up to three bytes of a character may be pending from an earlier piece.
        if self.capacity() - self.len() < piece.payload.len() + 3 {
            self.reserve_exact(room(self.len(), piece) + 3);
        }
    }
}

const LEAST_CAPACITY: usize = 4 * 1024;

/// How many bytes to have room for behind the `len` that are there.
fn room(len: usize, piece: &FramePiece<'_>) -> usize {
    let received = len.saturating_add(piece.payload.len());
    let generous = received.saturating_mul(2).max(LEAST_CAPACITY) - len;
    if piece.header.fin {
        let remaining = usize::try_from(piece.remaining).unwrap_or(usize::MAX);
        generous.min(piece.payload.len().saturating_add(remaining))
    } else {
        generous
    }
}
