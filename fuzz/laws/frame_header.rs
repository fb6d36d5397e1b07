//! Decoding and encoding a header are inverses, and a shorter input only ever says less.

use sansocket::ProtocolError;
use sansocket::frame::{FrameHeader, MaskingKey, Opcode, Rsv};

use super::script::Script;

/// The input is a header, and also what one is made from.
pub fn law(data: &[u8]) {
    decode_then_encode(data);
    if let Some(header) = header(&mut Script(data)) {
        encode_then_decode(header);
    }
}

/// What decoding took is what encoding gives; an incomplete header is neither complete nor wrong; a
/// wrong one stays wrong in the same way.
pub fn decode_then_encode(bytes: &[u8]) {
    let outcome = FrameHeader::decode(bytes);
    if let Ok(Some((header, size))) = outcome {
        assert_eq!(header.encode().as_ref(), &bytes[..size]);
        assert!(header.payload_len >> 63 == 0);
        assert!(!header.opcode.is_control() || header.fin && header.payload_len <= 125);
    }
    let mut error: Option<ProtocolError> = None;
    for cut in 0..=bytes.len() {
        match (FrameHeader::decode(&bytes[..cut]), error) {
            (Err(new), None) => error = Some(new),
            (shorter, Some(error)) => assert_eq!(shorter, Err(error)),
            (Ok(None), None) => {
                assert!(cut < FrameHeader::MAX_SIZE);
                assert!(cut < bytes.len() || outcome == Ok(None));
            }
            (Ok(Some((header, size))), None) => {
                assert!(size <= cut);
                assert_eq!(outcome, Ok(Some((header, size))));
            }
        }
    }
    assert_eq!(error, outcome.err());
}

/// A header that may be sent comes back as it was.
pub fn encode_then_decode(header: FrameHeader) {
    let encoded = header.encode();
    let size = encoded.as_ref().len();
    assert_eq!(FrameHeader::decode(encoded.as_ref()), Ok(Some((header, size))));
}

fn header(script: &mut Script<'_>) -> Option<FrameHeader> {
    let bits = script.byte();
    let opcode = Opcode::from_bits(bits & 0x0F)?;
    let masked = script.byte() & 1 == 1;
    let mask = script.bytes(4).try_into().map_or([0; 4], |key: &[u8; 4]| *key);
    let payload_len = script.bytes(8).iter().fold(0, |length, &byte| length << 8 | u64::from(byte));
    Some(FrameHeader {
        fin: bits & 0x80 != 0 || opcode.is_control(),
        rsv: Rsv::from_first_byte(bits),
        opcode,
        mask: masked.then_some(MaskingKey::new(mask)),
        payload_len: if opcode.is_control() { payload_len % 126 } else { payload_len >> 1 },
    })
}
