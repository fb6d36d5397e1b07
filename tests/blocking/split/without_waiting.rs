//! Sending to a peer that must hold up nobody.

use std::io::Write;
use std::sync::mpsc::channel;
use std::thread;

use sansocket::blocking::{Error, Timeouts};
use sansocket::frame::Opcode;
use sansocket::{Config, Message, MessageKind, PreparedMessage, UsageError};

use super::{long, split, split_with};
use crate::bounded::bounded;
use crate::either_role::{ROLES, to};

/// Less than a long message.
const CAPACITY: usize = 2000;

/// One that ends no call before the test is given up.
fn patient() -> Timeouts {
    Timeouts::default().write(None)
}

#[test]
fn what_the_peer_takes_at_once_arrives_without_a_flush() {
    bounded(|| {
        for role in ROLES {
            let (_reader, writer, mut peer) = split(role, CAPACITY, patient());
            writer.try_send("one").unwrap();
            peer.expect_frame(Opcode::Text, b"one");
            writer.try_send_prepared(&PreparedMessage::new("two")).unwrap();
            peer.expect_frame(Opcode::Text, b"two");
        }
    });
}

#[test]
fn a_peer_that_takes_nothing_is_not_waited_for_and_the_message_comes_back_when_too_much_waits() {
    bounded(|| {
        for role in ROLES {
            let config = Config::default().max_outgoing_size(300_000);
            let (mut reader, writer, mut peer) = split_with(role, CAPACITY, patient(), config);
            let mut taken = 0_u8;
            let refused = loop {
                match writer.try_send(long(taken)) {
                    Ok(()) => taken += 1,
                    Err(error) => break error,
                }
            };
            assert_matches!(refused, Error::BufferFull(message) if message == Message::from(long(taken)));
            assert!(taken >= 3, "{taken}");
            let prepared = writer.try_send_prepared(&PreparedMessage::new(long(taken)));
            assert_matches!(prepared, Err(Error::BufferFull(_)));

            // All that was taken goes out once the peer reads, whoever writes it.
            let reading = thread::spawn(move || reader.read());
            for index in 0..taken {
                peer.expect_frame(Opcode::Binary, &long(index));
            }
            peer.send(to(role, Opcode::Text, b"thanks"));
            assert_eq!(reading.join().unwrap().unwrap(), Some("thanks".into()));
        }
    });
}

#[test]
fn a_writer_that_waits_for_the_peer_holds_up_nobody_else() {
    bounded(|| {
        for role in ROLES {
            let (_reader, writer, mut peer) = split(role, CAPACITY, patient());
            let waiting = writer.clone();
            let waiting = thread::spawn(move || waiting.send(long(1)));
            peer.receive_byte();
            writer.try_send("behind it").unwrap();
            writer.abort();
            drop(peer);
            assert_matches!(waiting.join().unwrap(), Err(Error::Io(_) | Error::Lost));
        }
    });
}

#[test]
fn nothing_goes_between_the_fragments_of_another_message() {
    bounded(|| {
        for role in ROLES {
            let (_reader, writer, mut peer) = split(role, CAPACITY, patient());
            let mut message = writer.message(MessageKind::Binary);
            // Nothing of it has been queued.
            writer.try_send("before").unwrap();
            message.write_all(b"first").unwrap();
            message.flush().unwrap();
            let refused = writer.try_send("between");
            assert_matches!(refused, Err(Error::Usage(UsageError::MessageUnfinished)));
            message.finish().unwrap();
            writer.try_send("after").unwrap();
            peer.expect_frame(Opcode::Text, b"before");
            assert_eq!(peer.receive_fragment(), (false, Opcode::Binary, b"first".to_vec()));
            assert_eq!(peer.receive_fragment(), (true, Opcode::Continuation, Vec::new()));
            peer.expect_frame(Opcode::Text, b"after");
        }
    });
}

#[test]
fn a_connection_that_is_aborted_ends_at_once_for_its_reader_its_writers_and_its_peer() {
    bounded(|| {
        for role in ROLES {
            let (mut reader, writer, mut peer) = split(role, CAPACITY, patient());
            let (read, has_read) = channel();
            thread::spawn(move || read.send(reader.read()).unwrap());
            writer.abort();
            assert_matches!(has_read.recv().unwrap(), Err(Error::Lost | Error::Io(_)));
            assert_matches!(writer.try_send("late"), Err(Error::Usage(UsageError::NotOpen)));
            peer.expect_eof();
        }
    });
}
