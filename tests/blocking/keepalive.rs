//! A peer that has fallen silent, or has nothing to say, is found out by the clock.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use sansocket::blocking::{
    Client, CloneSocket, Error, Reader, Server, Socket, Timeouts, WebSocket,
};
use sansocket::frame::Opcode;
use sansocket::{CloseSignal, Config, ConnectionState, Keepalive, Message, Role, UsageError};

use crate::bounded::bounded;
use crate::either_role::{self, ROLES, to};
use crate::pipe::{Pipe, pipe};
use crate::raw_peer::RawPeer;

/// Soon enough to wait for.
const SHORT: Duration = Duration::from_millis(30);

/// Enough for a live peer to do something, even on a busy machine, yet short enough for a test to wait.
const ANSWER: Duration = Duration::from_millis(600);

/// Never passes.
const LONG: Duration = Duration::from_secs(3600);

fn pinging(interval: Duration, timeout: Duration) -> Timeouts {
    Timeouts::default().keepalive(Some(Keepalive::new(interval, timeout)))
}

fn open(role: Role, timeouts: Timeouts) -> (WebSocket<Pipe>, RawPeer<Pipe>) {
    either_role::open(role, 1 << 20, timeouts, Config::default())
}

/// What can be read from, whole or in halves.
enum Either {
    Whole(WebSocket<Pipe>),
    Half(Reader<Pipe>, sansocket::blocking::Writer<Pipe>),
}

impl Either {
    fn each(role: Role, timeouts: Timeouts) -> [(Self, RawPeer<Pipe>); 2] {
        let (socket, peer) = open(role, timeouts);
        let whole = (Self::Whole(socket), peer);
        let (socket, peer) = open(role, timeouts);
        let (reader, writer) = socket.split().unwrap();
        [whole, (Self::Half(reader, writer), peer)]
    }

    fn read(&mut self) -> Result<Option<Message<'static>>, Error> {
        match self {
            Self::Whole(socket) => socket.read(),
            Self::Half(reader, _) => reader.read(),
        }
    }

    fn send(&mut self, message: &str) -> Result<(), Error> {
        match self {
            Self::Whole(socket) => socket.send(message),
            Self::Half(_, writer) => writer.send(message),
        }
    }

    fn round_trip_time(&self) -> Option<Duration> {
        match self {
            Self::Whole(socket) => socket.round_trip_time(),
            Self::Half(reader, writer) => {
                assert_eq!(reader.round_trip_time(), writer.round_trip_time());
                reader.round_trip_time()
            }
        }
    }

    fn state(&self) -> ConnectionState {
        match self {
            Self::Whole(socket) => socket.state(),
            Self::Half(reader, _) => reader.state(),
        }
    }

    fn remote(&self) -> Option<CloseSignal> {
        let status = match self {
            Self::Whole(socket) => socket.close_status(),
            Self::Half(reader, _) => reader.close_status(),
        };
        status.map(|status| status.remote)
    }
}

/// Runs a test for both roles, whole and in halves, at once: most of the time they wait.
fn each(timeouts: Timeouts, test: impl Fn(Role, Either, RawPeer<Pipe>) + Sync) {
    thread::scope(|scope| {
        for role in ROLES {
            for (end, peer) in Either::each(role, timeouts) {
                let test = &test;
                scope.spawn(move || test(role, end, peer));
            }
        }
    });
}

/// The same for a whole connection.
fn in_both_roles(test: impl Fn(Role) + Sync) {
    thread::scope(|scope| {
        for role in ROLES {
            let test = &test;
            scope.spawn(move || test(role));
        }
    });
}

/// Answers Pings until `enough` have come.
fn answer<S: Socket>(peer: &mut RawPeer<S>, role: Role, enough: usize) {
    for _ in 0..enough {
        let (opcode, payload) = peer.receive_frame();
        assert_eq!(opcode, Opcode::Ping);
        peer.send(to(role, Opcode::Pong, &payload));
    }
}

#[test]
fn a_peer_that_falls_silent_is_an_error_of_its_own() {
    bounded(|| {
        each(pinging(SHORT, ANSWER), |role, mut end, mut peer| {
            let talking = thread::spawn(move || {
                answer(&mut peer, role, 2);
                // It still reads, but says nothing.
                assert_eq!(peer.receive_frame().0, Opcode::Ping);
                peer
            });
            assert_matches!(end.read(), Err(Error::PongTimedOut));
            assert_eq!(end.state(), ConnectionState::Closed);
            assert_eq!(end.remote(), Some(CloseSignal::Missing));
            for _ in 0..2 {
                assert_matches!(end.read(), Err(Error::PongTimedOut), "it stays so");
                assert_matches!(end.send("late"), Err(Error::Usage(UsageError::NotOpen)));
            }
            talking.join().unwrap();
        });
    });
}

#[test]
fn a_peer_that_answers_stays_and_is_measured() {
    bounded(|| {
        each(pinging(Duration::from_millis(2), LONG), |role, mut end, mut peer| {
            assert_eq!(end.round_trip_time(), None);
            let talking = thread::spawn(move || {
                answer(&mut peer, role, 20);
                peer.send(to(role, Opcode::Text, b"done"));
                peer
            });
            assert_eq!(end.read().unwrap(), Some("done".into()));
            assert!(end.round_trip_time().is_some());
            talking.join().unwrap();
        });
    });
}

#[test]
fn a_frame_that_takes_for_ever_is_a_sign_of_life() {
    bounded(|| {
        each(pinging(SHORT, ANSWER), |role, mut end, mut peer| {
            let talking = thread::spawn(move || {
                let frame = to(role, Opcode::Text, &[b'x'; 126]);
                for byte in frame {
                    peer.send([byte]);
                    thread::sleep(2 * ANSWER / 126);
                }
                peer
            });
            assert_eq!(end.read().unwrap().unwrap().len(), 126);
            talking.join().unwrap();
        });
    });
}

#[test]
fn the_time_in_which_nobody_reads_is_not_held_against_the_peer() {
    bounded(|| {
        each(pinging(SHORT, ANSWER), |role, mut end, peer| {
            let mut answering = peer.another();
            let mut talking = peer;
            talking.send(to(role, Opcode::Text, b"one"));
            assert_eq!(end.read().unwrap(), Some("one".into()));
            // While this end waits for the next message, a Ping goes out, to be answered after it.
            let answering = thread::spawn(move || {
                let (_, payload) = answering.receive_frame();
                answering.send(to(role, Opcode::Text, b"two"));
                answering.send(to(role, Opcode::Pong, &payload));
            });
            assert_eq!(end.read().unwrap(), Some("two".into()));
            answering.join().unwrap();
            // This end is busy with the message.
            thread::sleep(2 * ANSWER);
            talking.send(to(role, Opcode::Text, b"three"));
            assert_eq!(end.read().unwrap(), Some("three".into()));
        });
    });
}

#[test]
fn a_ping_that_is_due_before_anybody_reads_goes_out_before_the_wait() {
    bounded(|| {
        each(pinging(SHORT, LONG), |role, mut end, mut peer| {
            let talking = thread::spawn(move || {
                peer.send(to(role, Opcode::Text, b"work"));
                answer(&mut peer, role, 1);
                peer.send(to(role, Opcode::Text, b"done"));
                peer
            });
            assert_eq!(end.read().unwrap(), Some("work".into()));
            thread::sleep(2 * SHORT);
            assert_eq!(end.read().unwrap(), Some("done".into()));
            talking.join().unwrap();
        });
    });
}

#[test]
fn neither_is_the_time_that_a_handler_takes() {
    bounded(|| {
        in_both_roles(|role| {
            let (mut socket, mut peer) = open(role, pinging(SHORT, ANSWER));
            let talking = thread::spawn(move || {
                let (_, payload) = peer.receive_frame();
                for _ in 0..3 {
                    peer.send(to(role, Opcode::Text, b"takes long"));
                }
                peer.send(to(role, Opcode::Pong, &payload));
                peer.send(to(role, Opcode::Close, b""));
                while peer.receive_frame().0 != Opcode::Close {}
            });
            let mut handled = 0;
            let outcome: Result<(), Error> = socket.serve(|_, _| {
                handled += 1;
                thread::sleep(ANSWER + SHORT);
                Ok(())
            });
            outcome.unwrap();
            assert_eq!(handled, 3);
            talking.join().unwrap();
        });
    });
}

#[test]
fn a_write_that_waits_for_long_is_not_held_against_the_peer_either() {
    bounded(|| {
        in_both_roles(|role| {
            let timeouts = pinging(SHORT, ANSWER).write(Some(ANSWER + SHORT));
            let (mut socket, mut peer) = open(role, timeouts);
            let talking = thread::spawn(move || {
                let (_, payload) = peer.receive_frame();
                peer.send(to(role, Opcode::Text, b"go on"));
                peer.send(to(role, Opcode::Pong, &payload));
                peer
            });
            assert_eq!(socket.read().unwrap(), Some("go on".into()));
            let peer = talking.join().unwrap();
            // Its Pong is there, but nobody reads it.
            for _ in 0..2 {
                assert_matches!(socket.send(vec![7; 3 << 20]), Err(Error::WriteTimedOut));
                assert_eq!(socket.state(), ConnectionState::Open);
            }
            assert_matches!(socket.read(), Err(Error::WriteTimedOut));
            assert_eq!(socket.state(), ConnectionState::Open);
            drop(peer);
        });
    });
}

#[test]
fn a_peer_that_neither_reads_nor_talks_is_found_out_by_writes_that_time_out() {
    bounded(|| {
        for role in ROLES {
            let timeouts = pinging(SHORT, ANSWER).write(Some(SHORT));
            let (mut socket, mut peer) = open(role, timeouts);
            let talking = thread::spawn(move || {
                answer(&mut peer, role, 2);
                assert_eq!(peer.receive_frame().0, Opcode::Ping);
                peer.send(to(role, Opcode::Text, b"the last word"));
                peer
            });
            assert_eq!(socket.read().unwrap(), Some("the last word".into()));
            let peer = talking.join().unwrap();
            assert_matches!(socket.send(vec![7; 3 << 20]), Err(Error::WriteTimedOut));
            let error = loop {
                match socket.read() {
                    Err(Error::WriteTimedOut) => {}
                    outcome => break outcome.unwrap_err(),
                }
            };
            assert_matches!(error, Error::PongTimedOut);
            assert_matches!(socket.read(), Err(Error::PongTimedOut));
            drop(peer);
        }
    });
}

#[test]
fn a_peer_that_only_listens_to_busy_writers_is_found_out() {
    bounded(|| {
        for role in ROLES {
            let (socket, peer) = open(role, pinging(SHORT, 2 * SHORT));
            let (mut reader, writer) = socket.split().unwrap();
            let writers: Vec<_> = (0..3)
                .map(|_| {
                    let writer = writer.clone();
                    thread::spawn(move || while writer.send(vec![7; 2000]).is_ok() {})
                })
                .collect();
            let mut pipe = peer.stream().try_clone().unwrap();
            let listening = thread::spawn(move || std::io::copy(&mut pipe, &mut std::io::sink()));
            assert_matches!(reader.read(), Err(Error::PongTimedOut));
            for writer in writers {
                writer.join().unwrap();
            }
            drop((reader, writer, peer));
            let _ = listening.join().unwrap();
        }
    });
}

#[test]
fn a_peer_is_measured_while_others_write() {
    bounded(|| {
        for role in ROLES {
            let (socket, peer) = open(role, pinging(Duration::from_millis(5), LONG));
            let (mut reader, writer) = socket.split().unwrap();
            let is_over = Arc::new(AtomicBool::new(false));
            let writers: Vec<_> = (0..3)
                .map(|_| {
                    let (writer, is_over) = (writer.clone(), Arc::clone(&is_over));
                    thread::spawn(move || {
                        while !is_over.load(Ordering::Relaxed) {
                            writer.send(vec![7; 2000]).unwrap();
                        }
                    })
                })
                .collect();
            let mut talking = peer.another();
            let mut listening = peer;
            let (answered, is_answered) = mpsc::channel();
            let listening = thread::spawn(move || {
                loop {
                    let (opcode, payload) = listening.receive_frame();
                    match opcode {
                        Opcode::Ping => {
                            listening.send(to(role, Opcode::Pong, &payload));
                            // Nobody counts them any more once there are enough.
                            _ = answered.send(());
                        }
                        Opcode::Close => break,
                        _ => {}
                    }
                }
            });
            let stopping = thread::spawn(move || {
                is_answered.iter().take(10).for_each(drop);
                talking.send(to(role, Opcode::Text, b"done"));
                talking
            });
            assert_eq!(reader.read().unwrap(), Some("done".into()));
            assert!(reader.round_trip_time().is_some());
            is_over.store(true, Ordering::Relaxed);
            for writer in writers {
                writer.join().unwrap();
            }
            writer.close(sansocket::CloseCode::NORMAL, "").unwrap();
            listening.join().unwrap();
            drop(stopping.join().unwrap());
        }
    });
}

#[test]
fn a_connection_without_messages_is_closed_with_1001() {
    bounded(|| {
        each(Timeouts::default().idle(Some(ANSWER)), |role, mut end, mut peer| {
            let talking = thread::spawn(move || {
                peer.send(to(role, Opcode::Ping, b"doesn't count"));
                peer.expect_frame(Opcode::Pong, b"doesn't count");
                peer.expect_close(1001);
                peer.send(to(role, Opcode::Close, &1001_u16.to_be_bytes()));
            });
            assert_matches!(end.read(), Err(Error::IdleTimedOut));
            assert_matches!(end.read(), Err(Error::IdleTimedOut), "it stays so");
            assert_eq!(end.remote().map(CloseSignal::number), Some(1001));
            talking.join().unwrap();
        });
    });
}

#[test]
fn an_idle_peer_that_does_not_even_answer_is_not_waited_for() {
    bounded(|| {
        each(Timeouts::default().idle(Some(SHORT)).close(SHORT), |_, mut end, mut peer| {
            assert_matches!(end.read(), Err(Error::IdleTimedOut));
            assert_eq!(end.remote(), Some(CloseSignal::Missing));
            peer.expect_close(1001);
        });
    });
}

#[test]
fn a_connection_with_messages_is_not_idle() {
    bounded(|| {
        each(Timeouts::default().idle(Some(2 * ANSWER)), |role, mut end, mut peer| {
            for _ in 0..4 {
                thread::sleep(ANSWER);
                peer.send(to(role, Opcode::Text, b"hello"));
                assert_eq!(end.read().unwrap(), Some("hello".into()));
            }
            // What came while this end was busy came in time.
            peer.send(to(role, Opcode::Text, b"hello"));
            thread::sleep(2 * ANSWER + SHORT);
            assert_eq!(end.read().unwrap(), Some("hello".into()));
        });
    });
}

#[test]
fn reads_time_out_and_resume_beside_it() {
    bounded(|| {
        let timeouts = pinging(SHORT, LONG).read(Some(SHORT / 3));
        each(timeouts, |role, mut end, mut peer| {
            let (stop, is_to_stop) = mpsc::channel::<()>();
            let talking = thread::spawn(move || {
                answer(&mut peer, role, 3);
                let frame = to(role, Opcode::Text, b"done");
                let (head, tail) = frame.split_at(3);
                peer.send(head);
                is_to_stop.recv().unwrap();
                peer.send(tail);
                peer
            });
            let mut timed_out = 0;
            while end.round_trip_time().is_none() || timed_out < 10 {
                assert_matches!(end.read(), Err(Error::ReadTimedOut));
                timed_out += 1;
            }
            // And in the middle of a frame.
            while !talking.is_finished() {
                assert_matches!(end.read(), Err(Error::ReadTimedOut));
                if stop.send(()).is_ok() {
                    break;
                }
            }
            let message = loop {
                match end.read() {
                    Err(Error::ReadTimedOut) => {}
                    outcome => break outcome.unwrap(),
                }
            };
            assert_eq!(message, Some("done".into()));
            talking.join().unwrap();
        });
    });
}

#[test]
fn a_silent_peer_is_found_out_by_reads_that_time_out_too() {
    bounded(|| {
        each(pinging(SHORT, ANSWER).read(Some(SHORT / 3)), |_, mut end, peer| {
            let mut timed_out = 0;
            let error = loop {
                match end.read() {
                    Err(Error::ReadTimedOut) => timed_out += 1,
                    outcome => break outcome.unwrap_err(),
                }
            };
            assert_matches!(error, Error::PongTimedOut);
            assert!(timed_out > 0);
            drop(peer);
        });
    });
}

#[test]
fn over_a_stream_of_ones_own_it_works_as_far_as_the_stream_wakes_up() {
    bounded(|| {
        for role in ROLES {
            let (ours, theirs) = pipe(1 << 20);
            let timeouts = pinging(SHORT, ANSWER);
            let opening = thread::spawn(move || match role {
                Role::Server => Server::new().timeouts(timeouts).accept_over(ours).unwrap(),
                Role::Client => {
                    let client = Client::new("ws://memory/").unwrap().timeouts(timeouts);
                    client.connect_over(ours).unwrap()
                }
            });
            let peer = match role {
                Role::Server => RawPeer::new(theirs).open(),
                Role::Client => RawPeer::new(theirs).answer(),
            };
            let mut socket = opening.join().unwrap();
            socket.stream().set_read_timeout(Some(SHORT / 3)).unwrap();
            let answering = thread::spawn(move || {
                let mut peer = peer;
                answer(&mut peer, role, 3);
                peer.send(to(role, Opcode::Text, b"the last word"));
                peer
            });
            let mut read = || loop {
                match socket.read() {
                    Err(Error::ReadTimedOut) => {}
                    outcome => return outcome,
                }
            };
            assert_eq!(read().unwrap(), Some("the last word".into()));
            assert_matches!(read(), Err(Error::PongTimedOut));
            drop(answering.join().unwrap());
        }
    });
}

#[test]
fn an_end_that_does_neither_sends_nothing() {
    bounded(|| {
        let timeouts = Timeouts::default().read(Some(SHORT)).close(SHORT);
        each(timeouts, |role, mut end, mut peer| {
            for _ in 0..3 {
                assert_matches!(end.read(), Err(Error::ReadTimedOut));
            }
            peer.expect_silence(Duration::from_millis(1));
            peer.send(to(role, Opcode::Text, b"hello"));
            assert_eq!(end.read().unwrap(), Some("hello".into()));
            assert_eq!(end.round_trip_time(), None);
        });
    });
}

#[test]
fn the_keepalive_goes_on_between_the_fragments_of_a_message() {
    bounded(|| {
        for role in ROLES {
            let (socket, mut peer) = open(role, pinging(SHORT, LONG));
            let (mut reader, writer) = socket.split().unwrap();
            let reading = thread::spawn(move || reader.read());
            let mut message = writer.message(sansocket::MessageKind::Binary);
            std::io::Write::write_all(&mut message, &[1; 10]).unwrap();
            std::io::Write::flush(&mut message).unwrap();
            assert_eq!(peer.receive_fragment(), (false, Opcode::Binary, vec![1; 10]));
            answer(&mut peer, role, 3);
            message.finish().unwrap();
            assert_eq!(peer.receive_fragment(), (true, Opcode::Continuation, vec![]));
            peer.send(to(role, Opcode::Text, b"done"));
            assert_eq!(reading.join().unwrap().unwrap(), Some("done".into()));
        }
    });
}

#[test]
fn a_queue_without_room_keeps_no_ping_back() {
    bounded(|| {
        for role in ROLES {
            let (timeouts, config) = (pinging(SHORT, LONG), Config::default().max_outgoing_size(0));
            let (mut socket, mut peer) = either_role::open(role, 1 << 20, timeouts, config);
            socket.write("queued").unwrap();
            let reading = thread::spawn(move || socket.read());
            peer.expect_frame(Opcode::Text, b"queued");
            answer(&mut peer, role, 3);
            peer.send(to(role, Opcode::Text, b"done"));
            assert_eq!(reading.join().unwrap().unwrap(), Some("done".into()));
        }
    });
}
