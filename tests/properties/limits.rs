//! §10.4: a limit holds for what is announced, however it is divided into frames and pieces.

use proptest::prelude::*;
use sansocket::{CloseSignal, Delivery, ProtocolError};

use crate::laws::reference::BINARY;
use crate::laws::script::pieces;
use crate::laws::setup::Setup;
use crate::laws::transcript::Transcript;
use crate::strategies::{fragments, input, payload_size, setup, sizes};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_message_is_taken_exactly_up_to_the_limit(
        setup in setup(), size in payload_size(), over in -2..3_i64,
        fragmented in sizes(), cut in sizes(),
    ) {
        let limit = (size as u64).saturating_add_signed(-over);
        let setup = Setup { max_frame_size: u64::MAX, max_message_size: limit, ..setup };
        let bytes = input(&fragments(BINARY, &vec![7; size], &fragmented), setup.role);
        let transcript = Transcript::of(setup, &pieces(&bytes, &cut));
        if size as u64 <= limit {
            prop_assert_eq!(transcript.error, None);
            prop_assert_eq!(transcript.seen.len(), 1);
        } else {
            let Some(ProtocolError::MessageTooLarge { size, limit: named }) = transcript.error else {
                panic!("{:?}", transcript.error);
            };
            prop_assert!(size > limit && named == limit);
            prop_assert_eq!(transcript.status.unwrap().local.number(), 1009);
            prop_assert!(setup.delivery == Delivery::Chunks || transcript.seen.is_empty());
        }
    }

    #[test]
    fn a_frame_is_taken_exactly_up_to_the_limit(
        setup in setup(), size in payload_size(), over in -2..3_i64, cut in sizes(),
    ) {
        let limit = (size as u64).saturating_add_signed(-over);
        let setup = Setup { max_frame_size: limit, max_message_size: u64::MAX, ..setup };
        // The first frame is always within the limit.
        let frames = [fragments(BINARY, &[], &[]), fragments(BINARY, &vec![7; size], &[])].concat();
        let transcript = Transcript::of(setup, &pieces(&input(&frames, setup.role), &cut));
        let too_large = ProtocolError::FrameTooLarge { size: size as u64, limit };
        prop_assert_eq!(transcript.error, (size as u64 > limit).then_some(too_large));
        let local = transcript.status.map(|status| status.local);
        prop_assert_eq!(local, transcript.error.map(|error| CloseSignal::Code(error.close_code())));
    }
}
