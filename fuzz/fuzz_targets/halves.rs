#![no_main]
#![allow(missing_docs, reason = "the law has the documentation")]

libfuzzer_sys::fuzz_target!(|data: &[u8]| laws::halves::law(data));
