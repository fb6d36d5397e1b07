//! Copies of long byte strings, block by block.
//!
//! A C library may leave copies of more than about 2 KiB to one instruction, which on some processors takes
//! several times as long when the two places lie unluckily within their pages; after a frame header they
//! mostly do. Shorter copies go through registers, wherever they lie.

use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

/// How much is copied at a time.
const BLOCK: usize = 2 * 1024;

/// Appends bytes.
#[inline]
pub(crate) fn append(bytes: &[u8], destination: &mut Vec<u8>) {
    if bytes.len() <= BLOCK {
        destination.extend_from_slice(bytes);
    } else {
        append_blocks(bytes, destination);
    }
}

fn append_blocks(bytes: &[u8], destination: &mut Vec<u8>) {
    for block in bytes.chunks(BLOCK) {
        destination.extend_from_slice(block);
    }
}

/// Appends text.
pub(crate) fn append_text(text: &str, destination: &mut String) {
    let mut rest = text;
    while rest.len() > BLOCK {
        // A character has at most four bytes.
        let Some((block, more)) =
            (BLOCK - 3..=BLOCK).rev().find_map(|at| rest.split_at_checked(at))
        else {
            break;
        };
        destination.push_str(block);
        rest = more;
    }
    destination.push_str(rest);
}

/// Copies bytes to new storage, with no spare room.
#[inline]
pub(crate) fn to_vec(bytes: &[u8]) -> Vec<u8> {
    let mut copy = Vec::with_capacity(bytes.len());
    append(bytes, &mut copy);
    copy
}

/// Copies bytes to the spare storage if they fit, or else to new storage.
#[inline]
pub(crate) fn to_vec_in(bytes: &[u8], spare: &mut Vec<u8>) -> Vec<u8> {
    if spare.capacity() < bytes.len() {
        return to_vec(bytes);
    }
    spare.clear();
    append(bytes, spare);
    mem::take(spare)
}

/// Copies text to the spare storage if it fits, or else to new storage.
#[inline]
pub(crate) fn to_string_in(text: &str, spare: &mut Vec<u8>) -> String {
    if spare.capacity() < text.len() {
        return to_string(text);
    }
    spare.clear();
    // It is empty, so it is valid UTF-8.
    let mut copy = String::from_utf8(mem::take(spare)).unwrap_or_default();
    append_text(text, &mut copy);
    copy
}

/// Copies text to new storage, with no spare room.
pub(crate) fn to_string(text: &str) -> String {
    let mut copy = String::with_capacity(text.len());
    append_text(text, &mut copy);
    copy
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTHS: [usize; 7] = [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 5 * BLOCK + 7];

    #[test]
    fn bytes_are_appended_whole_and_in_order() {
        for length in LENGTHS {
            let bytes: Vec<u8> = (0..=250).cycle().take(length).collect();
            let mut appended = b"before".to_vec();
            append(&bytes, &mut appended);
            assert_eq!(appended, [b"before", &bytes[..]].concat());
            let copy = to_vec(&bytes);
            assert_eq!((&copy, copy.capacity()), (&bytes, length));
        }
    }

    #[test]
    fn text_is_cut_between_characters_wherever_they_lie() {
        for character in ["a", "\u{E9}", "\u{20AC}", "\u{1F600}"] {
            for (start, length) in (0..4).flat_map(|start| LENGTHS.map(|length| (start, length))) {
                let text = "x".repeat(start) + &character.repeat(length / character.len());
                let mut appended = String::from("before");
                append_text(&text, &mut appended);
                assert_eq!(appended, String::from("before") + &text);
                let copy = to_string(&text);
                assert_eq!((&copy, copy.capacity()), (&text, text.len()));
            }
        }
    }
}
