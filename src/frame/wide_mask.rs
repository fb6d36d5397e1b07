//! Masking by registers that only some processors have, found out when the program runs.
//!
//! The one file with `unsafe` code: a function that is compiled for such a processor may be called on
//! no other. What it does is the same safe loop as everywhere.
#![expect(unsafe_code, reason = "a function for some processors only can't be called without")]

use crate::frame::mask;

/// Masks all but up to seven bytes at the end.
pub(super) fn xor_words(payload: &mut [u8], key: u64) {
    // The answer is found once and remembered by `std`.
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2, which is all that the function asks for.
        unsafe { xor_words_by_avx2(payload, key) }
    } else {
        mask::xor_words(payload, key);
    }
}

/// The same loop, of which the compiler makes registers of 32 bytes here.
///
/// # Safety
///
/// The processor has to have AVX2. Nothing else is asked for: the body is safe code.
#[target_feature(enable = "avx2")]
unsafe fn xor_words_by_avx2(payload: &mut [u8], key: u64) {
    mask::xor_words(payload, key);
}
