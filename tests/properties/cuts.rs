//! The bytes mean the same however they are cut, and the same to the reference.

use proptest::prelude::*;

use crate::laws::{decoder, differential};
use crate::strategies::{Fault, conversation, input, setup, sizes};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_cut_gives_the_same_events_and_replies(
        setup in setup(), frames in conversation(), sizes in sizes(),
    ) {
        decoder::any_cut_is_the_same(setup, &input(&frames, setup.role), &sizes);
    }

    #[test]
    fn any_cut_gives_the_same_error(
        setup in setup(), frames in conversation(), fault in Fault::any(), sizes in sizes(),
    ) {
        decoder::any_cut_is_the_same(setup, &fault.input(frames, setup.role), &sizes);
    }

    #[test]
    fn chunks_make_up_the_messages(
        setup in setup(), frames in conversation(), fault in Fault::any(), sizes in sizes(),
    ) {
        decoder::chunks_make_up_messages(setup, &input(&frames, setup.role), &sizes);
        decoder::chunks_make_up_messages(setup, &fault.input(frames, setup.role), &sizes);
    }

    #[test]
    fn what_is_correct_is_understood_as_the_reference_does(
        setup in setup(), frames in conversation(), sizes in sizes(),
    ) {
        differential::same_as_the_reference(setup, &input(&frames, setup.role), &sizes);
    }

    #[test]
    fn what_is_wrong_is_refused_as_the_reference_does(
        setup in setup(), frames in conversation(), fault in Fault::any(), sizes in sizes(),
    ) {
        differential::same_as_the_reference(setup, &fault.input(frames, setup.role), &sizes);
    }
}
