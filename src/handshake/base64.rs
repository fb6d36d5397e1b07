//! Base64 (RFC 4648, section 4), with its padding.
//!
//! This is the only file that names the base64 crate.

use base64::{
    Engine, alphabet,
    engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD},
};

/// Accepts what [`STANDARD`] accepts, but ignores unused bits.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// Returns the text that stands for these bytes.
pub(super) fn encode(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

/// Writes the text that stands for these bytes into `text`, which has to have room for it.
pub(super) fn encode_into(text: &mut [u8], bytes: impl AsRef<[u8]>) {
    // This can't fail if there is room.
    let _ = STANDARD.encode_slice(bytes, text);
}

/// Returns how many bytes this text stands for, if it is padded base64.
///
/// Unused bits may be set (section 3.5).
pub(super) fn decoded_len<const TEXT: usize>(text: [u8; TEXT]) -> Option<usize> {
    // The decoder needs room for as much as a text of this length can hold.
    let mut bytes = [0; TEXT];
    LENIENT.decode_slice(text, &mut bytes).ok()
}
