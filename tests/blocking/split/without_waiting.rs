//! Sending to a peer that must hold up nobody.

use std::io::Write;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use sansocket::blocking::{CloneSocket, Error, Timeouts};
use sansocket::frame::Opcode;
use sansocket::{Config, Message, MessageKind, PreparedMessage, UsageError};

use super::held::split_held;
use super::{long, split, split_with};
use crate::bounded::bounded;
use crate::either_role::{ROLES, open_over, to};
use crate::faulty_stream::{Call, Fault};
use crate::pipe::pipe;

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
fn a_peer_that_has_caught_up_is_sent_to_again() {
    bounded(|| {
        for role in ROLES {
            // So short that one call can write all that waits.
            let short = [7; 100];
            let config = Config::default().max_outgoing_size(1000);
            let (_reader, writer, mut peer) = split_with(role, CAPACITY, patient(), config);
            while writer.try_send(&short).is_ok() {}
            // All that fits into the transport, and nobody has looked whether there is room again.
            for _ in 0..15 {
                peer.expect_frame(Opcode::Binary, &short);
            }
            writer.try_send("welcome back").unwrap();
        }
    });
}

#[test]
fn a_peer_that_is_behind_costs_no_further_tries() {
    bounded(|| {
        for role in ROLES {
            let (ours, theirs) = pipe(CAPACITY);
            let calls = ours.try_clone().unwrap();
            let (socket, _peer) = open_over(role, (ours, theirs), patient(), Config::default());
            let (_reader, writer) = socket.split().unwrap();
            writer.try_send(long(0)).unwrap();
            // That one may have ended for want of time. By now the peer is known to take nothing.
            writer.try_send("behind it").unwrap();
            calls.arm(Fault::Nothing, usize::MAX);
            writer.try_send("and so is this").unwrap();
            writer.try_send_prepared(&PreparedMessage::new("and this")).unwrap();
            assert_eq!(calls.count(Call::Write), 0, "{role:?}");
        }
    });
}

#[test]
fn the_reader_writes_what_a_try_has_left_long_before_it_looks_for_the_end() {
    bounded(|| {
        for role in ROLES {
            let timeouts = patient().close(Duration::from_secs(1000));
            let (mut reader, writer, mut peer) = split(role, CAPACITY, timeouts);
            writer.try_send("at once").unwrap();
            let reading = thread::spawn(move || reader.read());
            peer.expect_frame(Opcode::Text, b"at once");
            writer.try_send(long(0)).unwrap();
            peer.expect_frame(Opcode::Binary, &long(0));
            peer.send(to(role, Opcode::Text, b"thanks"));
            assert_eq!(reading.join().unwrap().unwrap(), Some("thanks".into()));
        }
    });
}

#[test]
fn what_is_sent_during_the_write_of_another_thread_follows_it() {
    bounded(|| {
        for role in ROLES {
            for waits in [false, true] {
                let ((_reader, writer), mut peer, gate) = split_held(role, 1 << 16, patient());
                let write = gate.hold();
                let other = writer.clone();
                let first =
                    thread::spawn(
                        move || {
                            if waits { other.send("one") } else { other.try_send("one") }
                        },
                    );
                write.wait();
                writer.try_send("two").unwrap();
                write.release();
                first.join().unwrap().unwrap();
                peer.expect_frame(Opcode::Text, b"one");
                peer.expect_frame(Opcode::Text, b"two");
            }
        }
    });
}

#[test]
fn a_connection_that_is_aborted_during_a_write_writes_no_more_after_it() {
    bounded(|| {
        for role in ROLES {
            let ((_reader, writer), _peer, gate) = split_held(role, 1 << 20, patient());
            let write = gate.hold();
            let sending = writer.clone();
            // So long that it isn't written at once, however much room there is.
            let sending = thread::spawn(move || sending.send(vec![7; 500_000]));
            write.wait();
            writer.abort();
            let before = gate.writes();
            write.release();
            assert_matches!(sending.join().unwrap(), Err(Error::Io(_)), "{role:?}");
            assert_eq!(gate.writes(), before, "none after the one that was held");
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
fn nothing_more_is_taken_for_a_peer_that_was_behind_and_is_given_up() {
    bounded(|| {
        for role in ROLES {
            let (_reader, writer, _peer) = split(role, CAPACITY, patient());
            writer.try_send(long(0)).unwrap();
            writer.try_send("behind it").unwrap();
            // Nobody reads, so nobody has found the end.
            writer.abort();
            assert_matches!(writer.try_send("late"), Err(Error::Io(_)), "{role:?}");
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
