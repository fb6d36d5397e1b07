//! What is outgoing is the same bytes however it is taken.

use std::io::IoSlice;

use bytes::Buf;
use proptest::collection::vec;
use proptest::prelude::*;
use sansocket::{Connection, MessageKind};

use crate::laws::payload;
use crate::laws::reference::Reader;
use crate::laws::setup::Setup;
use crate::laws::transcript::{Seen, write};
use crate::strategies::{kind, payload_size, role, sizes};

fn messages() -> impl Strategy<Value = Vec<(MessageKind, usize)>> {
    vec((kind(), payload_size()), 0..8)
}

/// Takes up to this many bytes as a vectored write would.
fn write_vectored(connection: &mut Connection, count: usize) -> Vec<u8> {
    let outgoing = connection.outgoing();
    let mut slices = [IoSlice::new(&[]); 3];
    let used = outgoing.chunks_vectored(&mut slices);
    let mut bytes: Vec<_> = slices[..used].iter().flat_map(|slice| slice.iter()).copied().collect();
    bytes.truncate(count);
    outgoing.advance(bytes.len());
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn drained_in_steps_it_is_as_drained_whole(
        role in role(), messages in messages(), steps in sizes(),
    ) {
        let [mut whole, mut stepwise, mut vectored] = [(); 3].map(|()| Setup::new(role).connection());
        let (mut in_steps, mut in_slices) = (Vec::new(), Vec::new());
        let mut sizes = steps.iter().copied().cycle();
        for (salt, (kind, size)) in messages.iter().enumerate() {
            let message = payload::message(*kind, *size, salt);
            whole.send(message.clone()).unwrap();
            stepwise.send(message.clone()).unwrap();
            vectored.send(message).unwrap();
            let step = sizes.next().unwrap_or(0) * 50;
            in_steps.extend(write(&mut stepwise, step));
            in_slices.extend(write_vectored(&mut vectored, step));
        }
        in_steps.extend(write(&mut stepwise, usize::MAX));
        while vectored.outgoing().has_remaining() {
            in_slices.extend(write_vectored(&mut vectored, usize::MAX));
        }
        let remaining = whole.outgoing().remaining();
        let whole = write(&mut whole, usize::MAX);
        prop_assert_eq!(whole.len(), remaining);
        prop_assert!(whole == in_steps && whole == in_slices);
    }

    #[test]
    fn what_was_sent_is_what_the_reference_reads(role in role(), messages in messages()) {
        let setup = Setup::new(role);
        let mut connection = setup.connection();
        let mut expected = Vec::new();
        for (salt, (kind, size)) in messages.iter().enumerate() {
            let message = payload::message(*kind, *size, salt);
            expected.push(Seen::message(&message));
            connection.send(message).unwrap();
        }
        let mut reader = Reader::of_output(setup);
        prop_assert_eq!(reader.read(&write(&mut connection, usize::MAX)), Ok(()));
        prop_assert!(reader.is_between_frames() && reader.seen == expected);
    }
}
