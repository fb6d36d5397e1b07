//! Masking with registers that only some processors have, as detected at run time.
//!
//! This is the one file with `unsafe` code: a function that is compiled for such a processor may be
//! called on no other. What it does is the same safe code as everywhere.
#![expect(unsafe_code, reason = "a function for some processors only can't be called without")]

use crate::frame::mask::Operation;

/// Runs the operation with the widest registers there are.
#[inline]
pub(super) fn by_widest_registers(operation: impl Operation) {
    // `std` finds the answer once and remembers it.
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2, which is all that the function requires.
        unsafe { by_avx2(operation) }
    } else {
        operation.run();
    }
}

/// Runs the operation with registers of 32 bytes: this is compiled once for each operation, which is
/// inlined into it.
///
/// # Safety
///
/// The processor must have AVX2. Nothing else is required: the body is safe code.
#[target_feature(enable = "avx2")]
unsafe fn by_avx2(operation: impl Operation) {
    operation.run();
}
