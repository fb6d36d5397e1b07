//! Whose turn it is: messages don't mix, and control frames go between the fragments of one (§5.4).

use std::io::{ErrorKind, Write};
use std::sync::mpsc::{TryRecvError, channel};
use std::thread;
use std::time::Duration;

use sansocket::blocking::{Error, Timeouts};
use sansocket::frame::Opcode;
use sansocket::{CloseCode, MessageKind, PreparedMessage, UsageError};

use super::split;
use crate::bounded::bounded;
use crate::either_role::{ROLES, to};

const PLENTY: usize = 1 << 20;

/// Long enough for what could happen to happen.
const SHORT: Duration = Duration::from_millis(30);

/// The error inside a writer's I/O error.
fn cause(error: &std::io::Error) -> &Error {
    error.get_ref().unwrap().downcast_ref().unwrap()
}

#[test]
fn pings_and_pongs_pass_between_the_fragments_and_other_messages_wait() {
    bounded(|| {
        for role in ROLES {
            let (mut reader, writer, mut peer) = split(role, PLENTY, Timeouts::default());
            let reading = thread::spawn(move || (reader.read(), reader));
            let mut message = writer.message(MessageKind::Text);
            message.write_all(b"one, ").unwrap();
            message.flush().unwrap();
            assert_eq!(peer.receive_fragment(), (false, Opcode::Text, b"one, ".to_vec()));

            let (done, is_done) = channel();
            let waiting: Vec<_> = (0..3)
                .map(|number| {
                    let (writer, done) = (writer.clone(), done.clone());
                    thread::spawn(move || {
                        match number {
                            0 => writer.send("another").unwrap(),
                            1 => writer.write_prepared(&PreparedMessage::new("another")).unwrap(),
                            _ => {
                                let mut message = writer.message(MessageKind::Text);
                                message.write_all(b"another").unwrap();
                                message.finish().unwrap();
                            }
                        }
                        writer.flush().unwrap();
                        done.send(()).unwrap();
                    })
                })
                .collect();

            let pinging = writer.clone();
            thread::spawn(move || pinging.ping(b"mine").unwrap()).join().unwrap();
            peer.expect_frame(Opcode::Ping, b"mine");
            peer.send(to(role, Opcode::Ping, b"theirs"));
            peer.expect_frame(Opcode::Pong, b"theirs");
            // Flushing sends what is queued, which is nothing: the message is not over.
            writer.flush().unwrap();
            peer.expect_silence(SHORT);
            assert_eq!(is_done.try_recv(), Err(TryRecvError::Empty));

            message.write_all(b"two").unwrap();
            message.finish().unwrap();
            assert_eq!(peer.receive_fragment(), (true, Opcode::Continuation, b"two".to_vec()));
            for _ in 0..3 {
                peer.expect_frame(Opcode::Text, b"another");
            }
            for waiting in waiting {
                waiting.join().unwrap();
            }
            peer.send(to(role, Opcode::Text, b"done"));
            assert_eq!(reading.join().unwrap().0.unwrap(), Some("done".into()));
        }
    });
}

#[test]
fn a_close_passes_too_and_ends_the_message() {
    bounded(|| {
        let closings: [fn(&sansocket::blocking::Writer<_>); 2] = [
            |writer| writer.close(CloseCode::GOING_AWAY, "").unwrap(),
            |_| {}, // the peer does
        ];
        for role in ROLES {
            for (index, close) in closings.iter().enumerate() {
                let (mut reader, writer, mut peer) = split(role, PLENTY, Timeouts::default());
                let reading = thread::spawn(move || (reader.read(), reader));
                let mut message = writer.message(MessageKind::Binary);
                message.write_all(&[1; 10]).unwrap();
                message.flush().unwrap();
                close(&writer);
                if index == 1 {
                    peer.send(to(role, Opcode::Close, b"\x03\xE9"));
                }
                assert_eq!(peer.receive_fragment(), (false, Opcode::Binary, vec![1; 10]));
                peer.expect_close(1001);
                if index == 0 {
                    peer.send(to(role, Opcode::Close, b"\x03\xE9"));
                }
                message.write_all(&[2; 10]).unwrap();
                let error = message.flush().unwrap_err();
                assert_eq!(error.kind(), ErrorKind::BrokenPipe);
                assert_matches!(cause(&error), Error::Usage(UsageError::NotOpen));
                let error = message.finish().unwrap_err();
                assert_matches!(cause(&error), Error::Usage(UsageError::NotOpen));
                drop(peer);
                assert_matches!(reading.join().unwrap().0, Ok(None));
            }
        }
    });
}

#[test]
fn a_message_that_is_given_up_closes_with_1011_and_lets_the_others_go_on_to_hear_it() {
    bounded(|| {
        for role in ROLES {
            for begun in [true, false] {
                let (mut reader, writer, mut peer) = split(role, PLENTY, Timeouts::default());
                let reading = thread::spawn(move || (reader.read(), reader));
                let mut message = writer.message(MessageKind::Text);
                message.write_all(b"never ").unwrap();
                if begun {
                    message.flush().unwrap();
                    assert_eq!(peer.receive_fragment(), (false, Opcode::Text, b"never ".to_vec()));
                }
                let other = writer.clone();
                let waiting = thread::spawn(move || other.send("late"));
                message.write_all(b"finished").unwrap();
                drop(message);
                peer.expect_close(1011);
                peer.send(to(role, Opcode::Close, &1011_u16.to_be_bytes()));
                drop(peer);
                assert_matches!(reading.join().unwrap().0, Ok(None));
                assert_matches!(waiting.join().unwrap(), Err(Error::Usage(UsageError::NotOpen)));
            }
        }
    });
}

#[test]
fn a_thread_that_panics_within_its_turn_gives_the_message_up() {
    bounded(|| {
        let role = ROLES[0];
        let (mut reader, writer, mut peer) = split(role, PLENTY, Timeouts::default());
        let panicking = writer.clone();
        let outcome = thread::spawn(move || {
            let mut message = panicking.message(MessageKind::Text);
            message.write_all(b"never finished").unwrap();
            panic!("on purpose");
        })
        .join();
        assert!(outcome.is_err());
        peer.expect_close(1011);
        // The others are not poisoned by that.
        assert_matches!(writer.send("late"), Err(Error::Usage(UsageError::NotOpen)));
        peer.send(to(role, Opcode::Close, &1011_u16.to_be_bytes()));
        drop(peer);
        assert_matches!(reader.read(), Ok(None));
    });
}

#[test]
fn a_handler_waits_for_its_turn_like_any_writer() {
    bounded(|| {
        for role in ROLES {
            let (mut reader, writer, mut peer) = split(role, PLENTY, Timeouts::default());
            let mut message = writer.message(MessageKind::Text);
            message.write_all(b"one, ").unwrap();
            message.flush().unwrap();
            let serving = thread::spawn(move || {
                let outcome: Result<(), Error> = reader.serve(|message, outbox| {
                    outbox.ping(b"handled")?;
                    outbox.send(message)
                });
                outcome
            });
            peer.send(to(role, Opcode::Text, b"echo"));
            assert_eq!(peer.receive_fragment(), (false, Opcode::Text, b"one, ".to_vec()));
            peer.expect_silence(SHORT);
            message.write_all(b"two").unwrap();
            message.finish().unwrap();
            peer.expect_frame(Opcode::Ping, b"handled");
            assert_eq!(peer.receive_fragment(), (true, Opcode::Continuation, b"two".to_vec()));
            peer.expect_frame(Opcode::Text, b"echo");
            peer.send(to(role, Opcode::Close, b""));
            peer.expect_frame(Opcode::Close, b"");
            drop(peer);
            serving.join().unwrap().unwrap();
        }
    });
}
