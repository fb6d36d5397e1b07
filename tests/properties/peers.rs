//! Connections under any operations, by themselves and with each other.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use sansocket::{CloseCode, Role};

use crate::laws::connection::{self, stays_within_the_protocol};
use crate::laws::round_trip::{self, two_peers};
use crate::laws::script::pieces;
use crate::laws::setup::Setup;
use crate::strategies::{
    Fault, OPERATIONS, conversation, input, kind, payload_size, role, setup, sizes,
};

/// What may wait before more is refused.
pub(crate) fn max_outgoing_size() -> impl Strategy<Value = usize> {
    prop_oneof![2 => Just(1 << 20), 1 => 0..3000_usize]
}

fn number() -> impl Strategy<Value = u16> {
    prop_oneof![any::<u16>(), 1000..1016_u16]
}

/// What the application and the transport do.
pub(crate) fn local_operation() -> impl Strategy<Value = connection::Operation> {
    use connection::Operation::{
        Close, Drain, Eof, Finish, Lend, LendStorage, Ping, Pong, ReclaimStorage, Send, Write,
    };
    prop_oneof![
        8 => (kind(), payload_size()).prop_map(|(kind, size)| Send(kind, size)),
        4 => (kind(), 0..10_000_usize, 0..10_000_usize)
            .prop_map(|(kind, size, count)| Lend(kind, size, count)),
        4 => (kind(), payload_size()).prop_map(|(kind, size)| Write(kind, size)),
        4 => (kind(), payload_size()).prop_map(|(kind, size)| Finish(kind, size)),
        2 => (0..130_usize).prop_map(Ping),
        2 => Just(Pong),
        1 => number().prop_map(Close),
        8 => (0..300_usize).prop_map(Drain),
        2 => Just(Drain(usize::MAX)),
        2 => Just(LendStorage),
        2 => Just(ReclaimStorage),
        1 => Just(Eof),
    ]
}

/// The local operations, and among them what a peer sends, cut anywhere.
fn operations() -> impl Strategy<Value = (Role, Vec<connection::Operation>)> {
    let local = vec(local_operation(), OPERATIONS);
    let remote = (conversation(), option::of(Fault::any()), sizes());
    let order = vec(any::<bool>(), 1..16);
    (role(), local, remote, order).prop_map(|(role, local, (frames, fault, sizes), order)| {
        let bytes = match fault {
            Some(fault) => fault.input(frames, role),
            None => input(&frames, role),
        };
        let mut remote = pieces(&bytes, &sizes).into_iter();
        let mut operations = Vec::new();
        let mut order = order.into_iter().cycle();
        for operation in local {
            if order.next() == Some(true) {
                let piece = remote.next().map(<[u8]>::to_vec);
                operations.extend(piece.map(connection::Operation::Receive));
            }
            operations.push(operation);
        }
        operations.extend(remote.map(|piece| connection::Operation::Receive(piece.to_vec())));
        (role, operations)
    })
}

fn operation() -> impl Strategy<Value = round_trip::Operation> {
    use round_trip::Operation::{Close, Finish, Ping, Send, Transfer, Write};
    prop_oneof![
        8 => (kind(), payload_size()).prop_map(|(kind, size)| Send(kind, size)),
        4 => (kind(), payload_size()).prop_map(|(kind, size)| Write(kind, size)),
        4 => (kind(), payload_size()).prop_map(|(kind, size)| Finish(kind, size)),
        2 => any::<u8>().prop_map(Ping),
        1 => number().prop_filter_map("a code", CloseCode::new).prop_map(Close),
        12 => (0..300_usize).prop_map(Transfer),
        2 => Just(Transfer(usize::MAX)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_connection_stays_within_the_protocol(
        (role, operations) in operations(), setup in setup(), max_outgoing_size in max_outgoing_size(),
    ) {
        let setup = Setup { role, max_outgoing_size, ..setup };
        stays_within_the_protocol(setup, &operations);
    }

    #[test]
    fn two_peers_understand_each_other_and_end_together(
        operations in vec((role(), operation()), OPERATIONS),
        setup in setup(), max_outgoing_size in max_outgoing_size(),
    ) {
        two_peers(Setup { max_outgoing_size, ..setup }, &operations);
    }
}
