//! Masking by registers that only some processors have, found out when the program runs.
//!
//! The one file with `unsafe` code: a function that is compiled for such a processor may be called on
//! no other. What it does is the same safe code as everywhere.
#![expect(unsafe_code, reason = "a function for some processors only can't be called without")]

use crate::frame::mask::Operation;

/// Does this, with the widest registers that there are.
#[inline]
pub(super) fn by_widest_registers(operation: impl Operation) {
    // The answer is found once and remembered by `std`.
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2, which is all that the function asks for.
        unsafe { by_avx2(operation) }
    } else {
        operation.run();
    }
}

/// The same, of which the compiler makes registers of 32 bytes here: it is compiled once for each operation,
/// which becomes a part of it.
///
/// # Safety
///
/// The processor has to have AVX2. Nothing else is asked for: the body is safe code.
#[target_feature(enable = "avx2")]
unsafe fn by_avx2(operation: impl Operation) {
    operation.run();
}
