//! Two halves make up the connection they were split from, wherever they are and whenever one is told of
//! the other.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::laws::connection::Operation;
use crate::laws::halves::{
    Step, any_cut_is_the_same, told_at_once_they_are_the_whole, told_late_they_keep_to_the_protocol,
};
use crate::laws::script::pieces;
use crate::laws::setup::Setup;
use crate::peers::{local_operation, max_outgoing_size};
use crate::strategies::{Fault, conversation, input, setup, sizes};

/// What happens between two reads.
fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => local_operation().prop_map(Step::Do),
        1 => Just(Step::Do(Operation::WriteError)),
        2 => (0..4_usize).prop_map(Step::Tell),
        2 => Just(Step::Reunite),
    ]
}

/// What a peer sends, cut anywhere, and what happens between the reads.
fn steps() -> impl Strategy<Value = (Setup, Vec<Step>)> {
    let remote = (conversation(), option::of(Fault::any()), sizes());
    let local = vec(vec(step(), 0..6), 0..20);
    (setup(), max_outgoing_size(), remote, local).prop_map(|(setup, size, remote, local)| {
        let setup = Setup { max_outgoing_size: size, ..setup };
        let (frames, fault, sizes) = remote;
        let bytes = match fault {
            Some(fault) => fault.input(frames, setup.role),
            None => input(&frames, setup.role),
        };
        let mut local = local.into_iter();
        let mut steps = Vec::new();
        for read in pieces(&bytes, &sizes) {
            steps.push(Step::Do(Operation::Receive(read.to_vec())));
            steps.extend(local.next().into_iter().flatten());
        }
        steps.extend(local.flatten());
        (setup, steps)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn halves_do_and_say_what_the_whole_does((setup, steps) in steps()) {
        told_at_once_they_are_the_whole(setup, &steps);
    }

    #[test]
    fn halves_that_are_told_late_keep_to_the_protocol((setup, steps) in steps()) {
        told_late_they_keep_to_the_protocol(setup, &steps);
    }

    #[test]
    fn halves_understand_any_cut_as_the_whole_does_the_whole(
        setup in setup(), frames in conversation(), fault in option::of(Fault::any()), sizes in sizes(),
    ) {
        let bytes = match fault {
            Some(fault) => fault.input(frames, setup.role),
            None => input(&frames, setup.role),
        };
        any_cut_is_the_same(setup, &bytes, &sizes);
    }
}
