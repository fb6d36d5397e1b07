//! Decoding and encoding a header are inverses.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use sansocket::frame::{FrameHeader, MaskingKey, Opcode, Rsv};

use crate::laws::frame_header::{decode_then_encode, encode_then_decode};

/// A header that may be sent, with any reserved bits.
fn header() -> impl Strategy<Value = FrameHeader> {
    let opcode = (0..16_u8).prop_filter_map("a reserved opcode", Opcode::from_bits);
    let payload_len = prop_oneof![0..200_u64, 65_500..65_600_u64, 0..1_u64 << 63];
    let mask = option::of(any::<[u8; 4]>().prop_map(MaskingKey::new));
    (any::<u8>(), opcode, mask, payload_len).prop_map(|(bits, opcode, mask, payload_len)| {
        let is_control = opcode.is_control();
        FrameHeader {
            fin: is_control || bits & 0x80 != 0,
            rsv: Rsv::from_first_byte(bits),
            opcode,
            mask,
            payload_len: if is_control { payload_len % 126 } else { payload_len },
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 5 } else { 256 }))]

    #[test]
    fn what_was_encoded_is_decoded(header in header()) {
        encode_then_decode(header);
    }

    #[test]
    fn what_was_decoded_is_encoded(header in header(), behind in vec(any::<u8>(), 0..4)) {
        decode_then_encode(&[header.encode().as_ref(), &behind].concat());
    }

    #[test]
    fn what_is_wrong_stays_wrong(bytes in vec(any::<u8>(), 0..16)) {
        decode_then_encode(&bytes);
    }
}
