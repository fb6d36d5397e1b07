//! Text as people write it, for all that measure what it costs.

/// This many bytes of UTF-8, of which about a third of the characters need more than one.
pub(crate) fn mixed_text(size: usize) -> String {
    let mut text = String::with_capacity(size);
    for character in "Grüße, κόσμε, 世界 and 😀. ".chars().cycle() {
        if text.len() + character.len_utf8() > size {
            break;
        }
        text.push(character);
    }
    text.extend(std::iter::repeat_n('.', size - text.len()));
    text
}
