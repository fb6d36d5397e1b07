//! Masking undoes itself, and does not care where the payload is split.

use proptest::collection::vec;
use proptest::prelude::*;
use sansocket::frame::MaskingKey;

use crate::laws::script::pieces;
use crate::strategies::sizes;

/// The longest payload in bytes.
const LONGEST: usize = if cfg!(miri) { 500 } else { 20_000 };

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 4 } else { 128 }))]

    #[test]
    fn each_byte_is_masked_with_its_own_byte_of_the_key(
        key in any::<[u8; 4]>(), payload in vec(any::<u8>(), 0..300),
    ) {
        let mut masked = payload.clone();
        MaskingKey::new(key).apply(&mut masked);
        for (index, byte) in masked.iter().enumerate() {
            prop_assert_eq!(*byte, payload[index] ^ key[index % 4]);
        }
        MaskingKey::new(key).apply(&mut masked);
        prop_assert_eq!(masked, payload);
    }

    #[test]
    fn split_anywhere_it_is_as_it_is_whole(
        key in any::<[u8; 4]>(), payload in vec(any::<u8>(), 0..LONGEST), sizes in sizes(),
    ) {
        let key = MaskingKey::new(key);
        let mut whole = payload.clone();
        key.apply(&mut whole);
        let (mut in_place, mut copied, mut offset) = (Vec::new(), vec![b'x'], 0);
        for piece in pieces(&payload, &sizes) {
            let mut piece_in_place = piece.to_vec();
            key.skip(offset).apply(&mut piece_in_place);
            in_place.extend(piece_in_place);
            key.skip(offset).append(piece, &mut copied);
            offset += piece.len();
        }
        prop_assert_eq!(&in_place, &whole);
        prop_assert_eq!(&copied[1..], &whole);
    }
}
