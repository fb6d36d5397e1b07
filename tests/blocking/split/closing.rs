//! The closing handshake, begun by either half or by the peer.

use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use sansocket::blocking::{Error, Server, Timeouts};
use sansocket::frame::Opcode;
use sansocket::{CloseCode, CloseSignal, ClosedBy, Config, ConnectionState, UsageError};

use super::held::split_held;
use super::split;
use crate::bounded::bounded;
use crate::either_role::{ROLES, open, to};
use crate::faulty_stream::{Call, Fault};
use crate::loopback::{Socket, pair};

const SHORT: Duration = Duration::from_millis(60);

/// Plenty for everything that the peers of these tests don't read.
const PLENTY: usize = 1 << 20;

fn each_end_first() -> impl Iterator<Item = (Socket, Socket)> {
    [false, true].into_iter().map(|swap| {
        let (client, server) = pair(Server::new(), |client| client);
        if swap { (server, client) } else { (client, server) }
    })
}

#[test]
fn a_writer_begins_and_the_reader_sees_it_to_its_end() {
    bounded(|| {
        for (closing, mut other) in each_end_first() {
            let (mut reader, writer) = closing.split().unwrap();
            let reading = thread::spawn(move || {
                let mut messages = Vec::new();
                while let Some(message) = other.read().unwrap() {
                    messages.push(message);
                }
                (messages, other.close_status().unwrap())
            });
            writer.write("queued before").unwrap();
            writer.close(CloseCode::GOING_AWAY, "goodbye").unwrap();
            assert_matches!(writer.send("late"), Err(Error::Usage(UsageError::NotOpen)));
            assert_matches!(writer.ping(b"late"), Err(Error::Usage(UsageError::NotOpen)));
            assert_eq!(reader.read().unwrap(), None);
            assert_eq!(reader.read().unwrap(), None, "even when asked again");
            let (messages, theirs) = reading.join().unwrap();
            assert_eq!(messages, ["queued before".into()]);
            assert_eq!((theirs.remote.number(), &*theirs.reason), (1001, "goodbye"));
            let ours = writer.close_status().unwrap();
            assert_eq!(Some(&ours), reader.close_status().as_ref());
            assert_eq!((ours.closed_by, theirs.closed_by), (ClosedBy::Local, ClosedBy::Remote));
            assert!(ours.is_clean() && theirs.is_clean());
            assert_eq!(writer.state(), ConnectionState::Closed);
            // It is over: nothing is left to do.
            writer.close(CloseCode::NORMAL, "").unwrap();
            writer.flush().unwrap();
        }
    });
}

#[test]
fn what_a_handler_replies_behind_the_close_of_a_writer_is_dropped() {
    bounded(|| {
        for role in ROLES {
            let (mut reader, writer, mut peer) = split(role, PLENTY, Timeouts::default());
            peer.send(to(role, Opcode::Text, b"hello"));
            let answering = thread::spawn(move || {
                peer.expect_close(1001);
                peer.send(to(role, Opcode::Close, &1001_u16.to_be_bytes()));
            });
            let outcome: Result<(), Error> = reader.serve(|message, outbox| {
                writer.close(CloseCode::GOING_AWAY, "")?;
                outbox.ping(b"late")?;
                outbox.send(message)
            });
            outcome.unwrap();
            answering.join().unwrap();
        }
    });
}

#[test]
fn the_reader_begins() {
    bounded(|| {
        for (closing, mut other) in each_end_first() {
            let (mut reader, writer) = closing.split().unwrap();
            let reading = thread::spawn(move || other.read());
            assert!(reader.close(CloseCode::NORMAL, "").unwrap().is_clean());
            assert_eq!(reading.join().unwrap().unwrap(), None);
            assert_matches!(writer.send("late"), Err(Error::Usage(UsageError::NotOpen)));
        }
    });
}

#[test]
fn the_peer_begins() {
    bounded(|| {
        for (mut closing, other) in each_end_first() {
            let (mut reader, writer) = other.split().unwrap();
            let closing = thread::spawn(move || closing.close(CloseCode::NORMAL, "bye"));
            assert_eq!(reader.read().unwrap(), None);
            assert_eq!(&*writer.close_status().unwrap().reason, "bye");
            assert!(closing.join().unwrap().unwrap().is_clean());
            assert_matches!(writer.send("late"), Err(Error::Usage(UsageError::NotOpen)));
            assert_eq!(
                reader.close(CloseCode::GOING_AWAY, "").unwrap().closed_by,
                ClosedBy::Remote
            );
        }
    });
}

#[test]
fn everybody_begins_at_once() {
    bounded(|| {
        for _ in 0..20 {
            let (client, server) = pair(Server::new(), |client| client);
            let ends: Vec<_> = [client, server]
                .into_iter()
                .map(|socket| {
                    thread::spawn(move || {
                        let (mut reader, writer) = socket.split().unwrap();
                        let closing = thread::spawn(move || {
                            writer.close(CloseCode::NORMAL, "").unwrap();
                            writer
                        });
                        reader.close(CloseCode::NORMAL, "").unwrap();
                        closing.join().unwrap().close_status().unwrap()
                    })
                })
                .collect();
            for end in ends {
                assert!(end.join().unwrap().is_clean());
            }
        }
    });
}

#[test]
fn a_peer_that_never_answers_a_writers_close_is_not_waited_for_by_the_reader_that_waits() {
    bounded(|| {
        for role in ROLES {
            let timeouts = Timeouts::default().close(SHORT);
            let (mut reader, writer, mut peer) = split(role, PLENTY, timeouts);
            let reading = thread::spawn(move || (reader.read(), reader));
            thread::sleep(SHORT);
            writer.close(CloseCode::NORMAL, "").unwrap();
            let (outcome, mut reader) = reading.join().unwrap();
            assert_matches!(outcome, Err(Error::CloseTimedOut));
            assert_matches!(reader.read(), Err(Error::CloseTimedOut), "it stays so");
            assert_eq!(reader.close_status().unwrap().remote, CloseSignal::Missing);
            peer.expect_close(1000);
        }
    });
}

#[test]
fn a_reader_that_was_busy_still_finds_the_answer_that_came_in_time() {
    bounded(|| {
        for role in ROLES {
            let timeouts = Timeouts::default().close(SHORT);
            let (mut reader, writer, mut peer) = split(role, PLENTY, timeouts);
            peer.send(to(role, Opcode::Text, b"takes long"));
            assert_eq!(reader.read().unwrap(), Some("takes long".into()));
            writer.close(CloseCode::NORMAL, "").unwrap();
            peer.expect_close(1000);
            peer.send(to(role, Opcode::Close, b"\x03\xE8"));
            thread::sleep(2 * SHORT);
            let ending = thread::spawn(move || drop(peer));
            assert_eq!(reader.read().unwrap(), None);
            ending.join().unwrap();
        }
    });
}

#[test]
fn no_time_to_close_is_no_reason_not_to_read() {
    bounded(|| {
        for role in ROLES {
            let timeouts = Timeouts::default().close(Duration::ZERO);
            let (mut reader, writer, mut peer) = split(role, PLENTY, timeouts);
            let talking = thread::spawn(move || {
                thread::sleep(SHORT);
                peer.send(to(role, Opcode::Text, b"hello"));
                peer
            });
            assert_eq!(reader.read().unwrap(), Some("hello".into()));
            let _ = writer.close(CloseCode::NORMAL, "");
            assert_matches!(reader.read(), Err(Error::CloseTimedOut));
            talking.join().unwrap();
        }
    });
}

#[test]
fn a_reader_that_waits_does_not_do_so_busily() {
    bounded(|| {
        for close in [Duration::ZERO, Duration::from_millis(1), Duration::from_secs(5)] {
            let timeouts = Timeouts::default().close(close);
            let (mut reader, writer, mut peer) = split(ROLES[0], PLENTY, timeouts);
            let talking = thread::spawn(move || {
                thread::sleep(SHORT);
                peer.send(to(ROLES[0], Opcode::Text, b"hello"));
                peer
            });
            reader.stream().arm(Fault::Nothing, 0);
            let start = Instant::now();
            assert_eq!(reader.read().unwrap(), Some("hello".into()));
            let (calls, took) = (reader.stream().count(Call::Read), start.elapsed());
            let most = 3 + took.as_millis() / 10;
            assert!(calls as u128 <= most, "{calls} reads in {took:?}");
            talking.join().unwrap();
            drop(writer);
        }
    });
}

#[test]
fn what_the_writers_had_to_say_arrives_whole_up_to_the_close() {
    bounded(|| {
        for (closing, mut other) in each_end_first() {
            let (mut reader, writer) = closing.split().unwrap();
            let (begun, has_begun) = channel();
            let writers: Vec<_> = (0..4_u8)
                .map(|number| {
                    let (writer, begun) = (writer.clone(), begun.clone());
                    thread::spawn(move || {
                        for index in 0_u32.. {
                            let message = [&index.to_be_bytes()[..], &[number; 5000]].concat();
                            match writer.send(message) {
                                Ok(()) => drop(begun.send(())),
                                Err(Error::Usage(UsageError::NotOpen)) => return,
                                Err(error) => panic!("{error}"),
                            }
                        }
                    })
                })
                .collect();
            let reading = thread::spawn(move || {
                let mut next = [0_u32; 4];
                while let Some(message) = other.read().unwrap() {
                    let next = &mut next[usize::from(message.as_bytes()[4])];
                    assert_eq!(message.as_bytes()[..4], next.to_be_bytes());
                    assert_eq!(message.len(), 5004);
                    *next += 1;
                }
                next
            });
            has_begun.iter().take(100).for_each(drop);
            writer.close(CloseCode::NORMAL, "").unwrap();
            assert_eq!(reader.read().unwrap(), None);
            for writer in writers {
                writer.join().unwrap();
            }
            assert!(reading.join().unwrap().iter().sum::<u32>() >= 100);
        }
    });
}

#[test]
fn a_peer_that_breaks_the_protocol_is_told_so_between_the_messages_of_busy_writers() {
    bounded(|| {
        for role in ROLES {
            let (mut reader, writer, peer) = split(role, 5000, Timeouts::default());
            let writers: Vec<_> = (0..4_u8)
                .map(|number| {
                    let writer = writer.clone();
                    thread::spawn(move || while writer.send(vec![number; 3000]).is_ok() {})
                })
                .collect();
            let mut listener = peer.another();
            let listening = thread::spawn(move || {
                for _ in 0.. {
                    match listener.receive_frame() {
                        (Opcode::Binary, message) => {
                            assert_eq!(message, vec![message[0]; 3000]);
                        }
                        (Opcode::Close, body) => return body,
                        frame => panic!("{frame:?}"),
                    }
                }
                unreachable!()
            });
            thread::sleep(SHORT);
            let mut peer = peer;
            let mut reserved = to(role, Opcode::Text, b"");
            reserved[0] |= 0x20;
            peer.send(reserved);
            let reading = thread::spawn(move || (reader.read(), reader));
            assert_eq!(listening.join().unwrap(), 1002_u16.to_be_bytes());
            drop(peer);
            let (outcome, mut reader) = reading.join().unwrap();
            assert_matches!(outcome, Err(Error::Protocol(_)));
            for writer in writers {
                writer.join().unwrap();
            }
            assert_matches!(reader.read(), Err(_));
            assert_eq!(reader.close_status().unwrap().local.number(), 1002);
        }
    });
}

#[test]
fn a_transport_that_takes_nothing_more_still_brings_the_peers_close() {
    bounded(|| {
        for role in ROLES {
            let close: [fn(sansocket::blocking::WebSocket<_>); 2] = [
                |mut socket| {
                    // The first write, its own Close, goes wrong.
                    let _ = socket.close(CloseCode::NORMAL, "");
                    assert_eq!(socket.close_status().unwrap().remote.number(), 4001);
                },
                |socket| {
                    let (mut reader, writer) = socket.split().unwrap();
                    let _ = writer.close(CloseCode::NORMAL, "");
                    while let Ok(Some(_)) = reader.read() {}
                    assert_eq!(reader.close_status().unwrap().remote.number(), 4001);
                },
            ];
            for close in close {
                let (socket, mut peer) = open(role, PLENTY, Timeouts::default(), Config::default());
                socket.stream().arm(Fault::BrokenPipe, 0);
                let closing = thread::spawn(move || close(socket));
                thread::sleep(SHORT);
                // What can't be answered must not keep it from reading on.
                peer.send(to(role, Opcode::Ping, b"still there?"));
                thread::sleep(SHORT);
                peer.send(to(role, Opcode::Text, b"not quite done"));
                peer.send(to(role, Opcode::Close, b"\x0F\xA1"));
                peer.shutdown_write();
                closing.join().unwrap();
            }
        }
    });
}

#[test]
fn an_end_that_was_clean_stays_so() {
    bounded(|| {
        for role in ROLES {
            for _ in 0..5 {
                let (mut reader, writer, mut peer) = split(role, 500, Timeouts::default());
                let sending = thread::spawn(move || writer.send(super::long(1)));
                let reading = thread::spawn(move || (reader.read(), reader));
                // Between the two Closes it reads, and then it ends its transport as is due.
                peer.send(to(role, Opcode::Close, b"\x03\xE8"));
                while peer.receive_frame().0 != Opcode::Close {}
                drop(peer);
                let (outcome, mut reader) = reading.join().unwrap();
                assert_matches!(outcome, Ok(None));
                let _ = sending.join().unwrap();
                for _ in 0..3 {
                    assert_matches!(reader.read(), Ok(None));
                }
                assert!(reader.close_status().unwrap().is_clean());
            }
        }
    });
}

#[test]
fn a_close_waits_no_longer_for_another_writer_than_for_the_peer() {
    bounded(|| {
        for role in ROLES {
            let timeouts = Timeouts::default().close(SHORT);
            let ((_reader, writer), _peer, gate) = split_held(role, PLENTY, timeouts);
            let write = gate.hold();
            let sending = writer.clone();
            let sending = thread::spawn(move || sending.send("held up"));
            write.wait();
            // The other is in its write before and after.
            assert_matches!(
                writer.close(CloseCode::NORMAL, ""),
                Err(Error::CloseTimedOut),
                "{role:?}"
            );
            write.release();
            let _ = sending.join().unwrap();
        }
    });
}
