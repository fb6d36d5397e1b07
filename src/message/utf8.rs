use core::str;

use crate::error::ProtocolError;

/// Checks a text that arrives in pieces, cut anywhere.
///
/// The bytes of a character that isn't complete yet are kept; each piece is checked to its last byte,
/// so that a text fails at the first byte after which it can no longer become valid (RFC 6455,
/// section 8.1).
#[derive(Debug, Default)]
pub(crate) struct Utf8Validator {
    /// The bytes so far of an incomplete character, at the front of the array.
    pending: [u8; 4],
    pending_len: u8,
}

/// The complete characters that a piece of text added.
pub(crate) enum Complete<'input> {
    /// This part of the piece.
    Text(&'input str),
    /// The character that an earlier piece began.
    Character(char),
}

impl Utf8Validator {
    /// How many bytes the incomplete character still needs; `usize::MAX` when there is none.
    ///
    /// No longer piece may be pushed, so that a character that straddles two pieces comes out by
    /// itself.
    #[inline]
    pub(crate) fn at_most(&self) -> usize {
        match self.pending.first() {
            Some(&lead) if self.pending_len > 0 => {
                encoded_len(lead).saturating_sub(usize::from(self.pending_len)).max(1)
            }
            _ => usize::MAX,
        }
    }

    /// Takes the next piece, of no more than [`at_most`](Self::at_most) bytes.
    #[inline]
    pub(crate) fn push<'input>(
        &mut self,
        piece: &'input [u8],
    ) -> Result<Complete<'input>, ProtocolError> {
        if self.pending_len > 0 {
            return self.continue_character(piece);
        }
        let incomplete = incomplete_suffix_len(piece);
        let (text, suffix) = piece.split_at(piece.len() - incomplete);
        let text = validate(text)?;
        self.continue_character(suffix)?;
        Ok(Complete::Text(text))
    }

    /// Ends the text, which must not be inside a character.
    pub(crate) fn finish(&self) -> Result<(), ProtocolError> {
        if self.pending_len == 0 { Ok(()) } else { Err(ProtocolError::InvalidUtf8) }
    }

    fn continue_character<'input>(
        &mut self,
        bytes: &[u8],
    ) -> Result<Complete<'input>, ProtocolError> {
        for &byte in bytes {
            let length = usize::from(self.pending_len);
            // A fifth byte would find no slot, but a fourth always ends in one of the arms below.
            if let Some(slot) = self.pending.get_mut(length) {
                *slot = byte;
                self.pending_len += 1;
            }
            let pending = self.pending.get(..=length).unwrap_or_default();
            match str::from_utf8(pending) {
                Ok(character) => {
                    self.pending_len = 0;
                    return match character.chars().next() {
                        Some(character) => Ok(Complete::Character(character)),
                        None => Ok(Complete::Text("")),
                    };
                }
                Err(error) if error.error_len().is_none() => {}
                Err(_) => return Err(ProtocolError::InvalidUtf8),
            }
        }
        Ok(Complete::Text(""))
    }
}

/// Returns the bytes as text, if they are valid by themselves. The one place that names the SIMD validator.
#[inline]
pub(crate) fn validate(bytes: &[u8]) -> Result<&str, ProtocolError> {
    simdutf8::basic::from_utf8(bytes).map_err(|_| ProtocolError::InvalidUtf8)
}

/// Returns the text before a character whose last byte is missing, if the bytes are valid so far.
#[cfg(feature = "blocking")]
pub(crate) fn complete_text(bytes: &[u8]) -> Result<&str, ProtocolError> {
    let mut validator = Utf8Validator::default();
    match validator.push(bytes)? {
        Complete::Text(text) => Ok(text),
        Complete::Character(_) => Ok(""),
    }
}

/// How many bytes at the end belong to a character whose last byte is missing.
#[inline]
fn incomplete_suffix_len(bytes: &[u8]) -> usize {
    for (index, &byte) in bytes.iter().rev().take(3).enumerate() {
        let is_continuation = byte & 0xC0 == 0x80;
        if !is_continuation {
            let length = index + 1;
            return if encoded_len(byte) > length { length } else { 0 };
        }
    }
    0
}

/// The length that the first byte of a character indicates.
#[inline]
const fn encoded_len(lead: u8) -> usize {
    match lead {
        0xF0.. => 4,
        0xE0.. => 3,
        0xC0.. => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;
    use alloc::vec::Vec;

    /// Feeds the bytes in pieces of `piece_len`; returns the text that came out, or how many bytes had
    /// been looked at when it failed.
    fn feed(bytes: &[u8], piece_len: usize) -> Result<String, usize> {
        let mut validator = Utf8Validator::default();
        let mut text = String::new();
        let mut fed = 0;
        for mut piece in bytes.chunks(piece_len) {
            while !piece.is_empty() {
                let (head, rest) = piece.split_at(piece.len().min(validator.at_most()));
                fed += head.len();
                piece = rest;
                match validator.push(head).map_err(|_| fed)? {
                    Complete::Text(part) => text.push_str(part),
                    Complete::Character(character) => text.push(character),
                }
            }
        }
        validator.finish().map_err(|_| fed)?;
        Ok(text)
    }

    #[test]
    fn text_cut_anywhere_comes_out_whole() {
        let text = "aé€😀κόσμε\u{7FF}\u{800}\u{FFFF}\u{10000}\u{10FFFF}\0z";
        for piece_len in 1..=text.len() {
            assert_eq!(feed(text.as_bytes(), piece_len).as_deref(), Ok(text), "{piece_len}");
        }
    }

    #[test]
    fn the_first_byte_that_cannot_be_continued_fails() {
        // For each, the byte, counted from one, after which no continuation is valid.
        let cases: [(&[u8], usize); 12] = [
            (b"a\x80", 2),
            (b"\xC0\x80", 1),
            (b"\xC1", 1),
            (b"\xC3(", 2),
            (b"\xE0\x9F\xBF", 2),
            (b"\xE2\x82(", 3),
            (b"\xED\xA0\x80", 2),
            (b"\xF0\x8F\xBF\xBF", 2),
            (b"\xF4\x90\x80\x80", 2),
            (b"\xF5\x80\x80\x80", 1),
            (b"\xFF", 1),
            (b"\xF0\x9F\x98z", 4),
        ];
        for (bytes, fails_at) in cases {
            assert_eq!(feed(bytes, 1), Err(fails_at), "{bytes:x?}");
            for piece_len in 2..=bytes.len() {
                assert!(feed(bytes, piece_len).is_err(), "{bytes:x?} by {piece_len}");
            }
        }
    }

    #[test]
    fn every_pair_of_bytes_is_judged_like_the_standard_library() {
        let step = if cfg!(miri) { 509 } else { 1 };
        for pair in (0..=u16::MAX).step_by(step) {
            let bytes = pair.to_be_bytes();
            let expected = str::from_utf8(&bytes).ok();
            assert_eq!(feed(&bytes, 1).ok().as_deref(), expected, "{bytes:x?}");
            assert_eq!(feed(&bytes, 2).ok().as_deref(), expected, "{bytes:x?}");
        }
    }

    #[test]
    fn a_text_that_ends_inside_a_character_fails() {
        for character in ["é", "€", "😀"] {
            for cut in 1..character.len() {
                let bytes: Vec<u8> = character.bytes().take(cut).collect();
                assert_eq!(feed(&bytes, 4), Err(cut));
            }
        }
    }
}
