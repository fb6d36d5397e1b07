//! The outgoing bytes are the same however they are taken.

use std::io::IoSlice;

use bytes::Buf;
use proptest::collection::vec;
use proptest::prelude::*;
use sansocket::{Connection, MessageKind};

use crate::laws::payload;
use crate::laws::reference::{Frame, PING, Reader};
use crate::laws::setup::Setup;
use crate::laws::transcript::{Seen, drain, write};
use crate::strategies::{input, kind, payload_size, role, sizes};

fn messages() -> impl Strategy<Value = Vec<(MessageKind, usize)>> {
    vec((kind(), payload_size()), 0..8)
}

/// Takes up to this many bytes as a vectored write of this many slices would.
fn write_vectored<const SLICES: usize>(outgoing: &mut impl Buf, count: usize) -> Vec<u8> {
    let mut slices = [IoSlice::new(&[]); SLICES];
    let used = outgoing.chunks_vectored(&mut slices);
    let mut bytes: Vec<_> = slices[..used].iter().flat_map(|slice| slice.iter()).copied().collect();
    assert!(used == SLICES || bytes.len() == outgoing.remaining(), "a slice is left unused");
    bytes.truncate(count);
    outgoing.advance(bytes.len());
    bytes
}

/// What happens to a queue that one thread writes from while others append to it.
#[derive(Debug, Clone)]
enum Step {
    Send(MessageKind, usize),
    Ping,
    /// A Ping arrives, and is answered.
    Receive,
    /// This many chunks are taken to be written.
    Share(usize),
    /// This many bytes of them were.
    Written(usize),
    /// What is queued next goes into the caller's storage.
    LendStorage,
    ReclaimStorage,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (kind(), payload_size()).prop_map(|(kind, size)| Step::Send(kind, size)),
        2 => Just(Step::Ping),
        8 => Just(Step::Receive),
        4 => (0..5_usize).prop_map(Step::Share),
        4 => prop_oneof![0..300_usize, Just(usize::MAX)].prop_map(Step::Written),
        3 => Just(Step::LendStorage),
        3 => Just(Step::ReclaimStorage),
    ]
}

/// Takes this many bytes, and says only then that they were written.
fn write_exactly(connection: &mut Connection, count: usize) -> Vec<u8> {
    let bytes = write_vectored::<64>(connection.outgoing(), count);
    assert_eq!(bytes.len(), count, "too few slices");
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn shared_while_more_is_queued_it_is_the_same(
        role in role(), steps in vec(step(), 0..200),
    ) {
        let [mut sharing, mut lending] = [(); 2].map(|()| Setup::new(role).connection());
        let ping = input(&[Frame::whole(PING, vec![7; 125])], role);
        let (mut shared, mut lent) = (Vec::new(), Vec::new());
        let mut chunks = Vec::new();
        let mut storage = Vec::new();
        for (salt, step) in steps.iter().enumerate() {
            for connection in [&mut sharing, &mut lending] {
                match step {
                    Step::Send(kind, size) => {
                        let _ = connection.send(payload::message(*kind, *size, salt));
                    }
                    Step::Ping => drop(connection.ping(b"hello")),
                    Step::Receive => {
                        connection.next_event(&mut &mut ping.clone()[..]).unwrap();
                    }
                    _ => {}
                }
            }
            match step {
                Step::Share(most) => {
                    chunks = sharing.outgoing().share(*most);
                    prop_assert!(chunks.iter().all(|chunk| !chunk.is_empty()));
                    let is_all = chunks.concat().len() == sharing.outgoing().remaining();
                    prop_assert!(is_all || chunks.len() == *most, "fewer chunks than there are");
                }
                Step::Written(count) => {
                    let mut bytes = chunks.concat();
                    chunks.clear();
                    bytes.truncate(*count);
                    sharing.outgoing().advance(bytes.len());
                    lent.extend(write_exactly(&mut lending, bytes.len()));
                    shared.extend(bytes);
                }
                Step::LendStorage => sharing.outgoing().lend_storage(&mut storage),
                Step::ReclaimStorage => {
                    sharing.outgoing().reclaim_storage(&mut storage);
                    prop_assert!(storage.capacity() <= 64 * 1024);
                }
                _ => {}
            }
            prop_assert_eq!(sharing.outgoing().remaining(), lending.outgoing().remaining());
        }
        shared.extend(write(&mut sharing, usize::MAX));
        lent.extend(write(&mut lending, usize::MAX));
        prop_assert!(shared == lent);
    }

    #[test]
    fn lent_it_is_the_same_as_sent_and_a_pong_does_not_come_between(
        role in role(), steps in vec((kind(), 3000..150_000_usize, 0..200_000_usize, 0..60_usize), 0..12),
    ) {
        let [mut sent, mut lent, mut vectored] = [(); 3].map(|()| Setup::new(role).connection());
        let ping = input(&[Frame::whole(PING, vec![7; 125])], role);
        let (mut by_sending, mut by_chunks, mut by_vectors) = (Vec::new(), Vec::new(), Vec::new());
        for (salt, &(kind, size, count, pings)) in steps.iter().enumerate() {
            let message = payload::message(kind, size, salt);
            for connection in [&mut sent, &mut lent, &mut vectored] {
                // Sometimes more than the backlog of Pongs holds, so that one is deferred.
                for _ in 0..pings {
                    connection.next_event(&mut &mut ping.clone()[..]).unwrap();
                }
            }
            let shown = payload::either_way(&message, salt);
            let mut lending = vectored.lend(shown.clone()).unwrap();
            let mut in_vectors = write_vectored::<3>(&mut lending, count);
            // What is masked part by part shows no more than one part at a time.
            while lending.has_remaining() && in_vectors.len() < count {
                let left = count - in_vectors.len();
                in_vectors.extend(write_vectored::<3>(&mut lending, left));
            }
            drop(lending);
            // The others are told at once, too, what was written: a Pong may follow it.
            sent.send(shown.clone()).unwrap();
            by_sending.extend(write_exactly(&mut sent, in_vectors.len()));
            let mut lending = lent.lend(shown).unwrap();
            by_chunks.extend(drain(&mut lending, in_vectors.len()));
            drop(lending);
            by_vectors.extend(in_vectors);
            prop_assert_eq!(sent.outgoing().remaining(), lent.outgoing().remaining());
            prop_assert_eq!(sent.outgoing().remaining(), vectored.outgoing().remaining());
        }
        by_sending.extend(write(&mut sent, usize::MAX));
        by_chunks.extend(write(&mut lent, usize::MAX));
        by_vectors.extend(write(&mut vectored, usize::MAX));
        prop_assert!(by_sending == by_chunks && by_sending == by_vectors);
    }

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
            in_slices.extend(write_vectored::<3>(vectored.outgoing(), step));
        }
        in_steps.extend(write(&mut stepwise, usize::MAX));
        while vectored.outgoing().has_remaining() {
            in_slices.extend(write_vectored::<3>(vectored.outgoing(), usize::MAX));
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
