//! Payloads whose bytes say where they belong.

use sansocket::{Message, MessageKind};

use super::script::Script;

/// Sizes around which something changes: the length forms, the segments of the outgoing queue, the
/// payload that is queued without a copy, the blocks of masking.
const NOTABLE: [usize; 12] =
    [256, 300, 1000, 1024, 4091, 4092, 4096, 8191, 8193, 65_522, 65_523, 65_536];

/// A size: mostly small, one of [`NOTABLE`] for the highest values of the byte.
pub fn size(script: &mut Script<'_>) -> usize {
    let byte = usize::from(script.byte());
    byte.checked_sub(256 - NOTABLE.len()).map_or(byte, |index| NOTABLE[index])
}

/// The same message, borrowed or shared.
pub fn either_way<'m>(message: &'m Message<'_>, salt: usize) -> Message<'m> {
    match message {
        message if salt & 1 == 0 => message.clone(),
        Message::Text(text) => Message::from(&**text),
        Message::Binary(payload) => Message::from(&**payload),
    }
}

/// A message of about this size that differs from those of another `salt`.
pub fn message(kind: MessageKind, size: usize, salt: usize) -> Message<'static> {
    match kind {
        MessageKind::Text if salt % 4 == 3 => Message::from(twice_the_same(size, salt)),
        MessageKind::Text => Message::from(text(size, salt)),
        MessageKind::Binary if salt % 4 == 3 => {
            Message::from(twice_the_same(size, salt).into_bytes())
        }
        MessageKind::Binary => Message::from(binary(size, salt)),
    }
}

/// Noise of half the size, twice: what can be referred back to is that far away.
fn twice_the_same(size: usize, salt: usize) -> String {
    let mut state = u32::try_from(salt).unwrap();
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b' ' + state.to_be_bytes()[0] % 95)
    });
    let noise: String = noise.take(size.div_ceil(2)).collect();
    let mut text = noise.repeat(2);
    text.truncate(size);
    text
}

/// A text of at most this many bytes, and at least three fewer, with characters of each length.
fn text(size: usize, salt: usize) -> String {
    const PERIOD: &str = "aé€😀bcдef\u{FFFF}g\u{10FFFF}h";
    let (start, _) = PERIOD.char_indices().nth(salt % 13).unwrap();
    let mut text = PERIOD.repeat(1 + (start + size) / PERIOD.len());
    text.drain(..start);
    text.truncate((0..=size).rev().find(|&end| text.is_char_boundary(end)).unwrap());
    text
}

fn binary(size: usize, salt: usize) -> Vec<u8> {
    // A period of 251 fits no block, segment or masking key.
    let period: Vec<_> = (0..251).collect();
    let start = salt % period.len();
    period.repeat(1 + (start + size) / period.len())[start..start + size].to_vec()
}

/// The kind that the lowest bit stands for.
pub const fn kind(bits: u8) -> MessageKind {
    if bits & 1 == 0 { MessageKind::Text } else { MessageKind::Binary }
}
