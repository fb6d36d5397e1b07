//! Base64 (RFC 4648, section 4), with its padding.
//!
//! The one file that names the base64 crate.

use base64::{
    Engine, alphabet,
    engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD},
};

/// Takes what [`STANDARD`] takes, and no notice of the bits that carry nothing.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// The text that stands for these bytes.
pub(super) fn encode(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

/// Writes the text that stands for these bytes, for which there has to be room.
pub(super) fn encode_into(text: &mut [u8], bytes: impl AsRef<[u8]>) {
    // What there is room for can't fail.
    let _ = STANDARD.encode_slice(bytes, text);
}

/// How many bytes this text stands for, if it is base64 with its padding. The bits that carry nothing may be set
/// (section 3.5).
pub(super) fn decoded_len<const TEXT: usize>(text: [u8; TEXT]) -> Option<usize> {
    // The decoder wants room for as much as a text of this length can hold.
    let mut bytes = [0; TEXT];
    LENIENT.decode_slice(text, &mut bytes).ok()
}
