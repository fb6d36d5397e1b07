//! A peer that doesn't read: it holds up those that write, but never the one that reads.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{TryRecvError, channel};
use std::thread;
use std::time::Duration;

use sansocket::blocking::{ByteWriter, CloneSocket, Error, Server, Timeouts};
use sansocket::frame::Opcode;
use sansocket::{CloseCode, Config, ConnectionState, Keepalive, Role, UsageError};

use super::{long, split, split_with};
use crate::altered::{Alteration, Altered};
use crate::bounded::bounded;
use crate::either_role::{ROLES, open, to};
use crate::pipe::{Pipe, pipe};
use crate::raw_peer::{RawPeer, from_client};

const SHORT: Duration = Duration::from_millis(60);

/// Far less than any frame of these tests.
const HARDLY_ANYTHING: usize = 500;

/// The payload of a Ping, which tells which one it is.
fn ping(index: u32) -> Vec<u8> {
    [&index.to_be_bytes()[..], &[7; 120]].concat()
}

/// Asserts that these answer Pings in order, the latest last, but fewer than half of those sent.
#[track_caller]
fn assert_pongs(pongs: &[Vec<u8>], sent: u32) {
    let numbers: Vec<_> = (0..sent).filter(|index| pongs.contains(&ping(*index))).collect();
    let expected: Vec<_> = numbers.iter().map(|number| ping(*number)).collect();
    assert!(pongs == expected, "in order, and each once");
    assert_eq!(numbers.last(), Some(&(sent - 1)), "the latest is answered");
    assert!(numbers.len() < sent as usize / 2, "the rest is not kept: {}", numbers.len());
    let first = u32::try_from(numbers.len() / 2).unwrap();
    assert!(numbers.starts_with(&(0..first).collect::<Vec<_>>()), "the first are all answered");
}

#[test]
fn the_reader_goes_on_while_a_writer_waits() {
    bounded(|| {
        for role in ROLES {
            let (mut reader, writer, mut peer) = split(role, HARDLY_ANYTHING, Timeouts::default());
            let (sent, is_sent) = channel();
            let sending = thread::spawn(move || {
                writer.send(long(1)).unwrap();
                sent.send(()).unwrap();
            });
            let talking = thread::spawn(move || {
                for index in 0..1000 {
                    peer.send(to(role, Opcode::Text, format!("{index}").as_bytes()));
                    peer.send(to(role, Opcode::Ping, &ping(index)));
                }
                peer
            });
            for index in 0..1000 {
                assert_eq!(reader.read().unwrap(), Some(format!("{index}").into()));
            }
            assert_eq!(is_sent.try_recv(), Err(TryRecvError::Empty), "it still waits");

            // Now the peer reads again: everything comes, and the writer goes on.
            let mut peer = talking.join().unwrap();
            let reading = thread::spawn(move || reader.read().map(|_| reader));
            let (mut pongs, mut messages) = (Vec::new(), Vec::new());
            while messages.is_empty() || pongs.last() != Some(&ping(999)) {
                match peer.receive_frame() {
                    (Opcode::Pong, payload) => pongs.push(payload),
                    (Opcode::Binary, payload) => messages.push(payload),
                    frame => panic!("{frame:?}"),
                }
            }
            assert!(messages == [long(1)]);
            assert_pongs(&pongs, 1000);
            is_sent.recv().unwrap();
            sending.join().unwrap();
            peer.send(to(role, Opcode::Text, b"done"));
            assert_eq!(reading.join().unwrap().unwrap().state(), ConnectionState::Open);
        }
    });
}

#[test]
fn the_reader_takes_any_number_of_pings_from_a_peer_that_never_reads() {
    bounded(|| {
        for role in ROLES {
            let (mut reader, _writer, mut peer) = split(role, HARDLY_ANYTHING, Timeouts::default());
            let talking = thread::spawn(move || {
                for index in 0..5000 {
                    peer.send(to(role, Opcode::Ping, &ping(index)));
                }
                peer.send(to(role, Opcode::Text, b"behind them"));
                peer
            });
            assert_eq!(reader.read().unwrap(), Some("behind them".into()));

            // They are answered as soon as it reads again, though nothing else happens.
            let mut peer = talking.join().unwrap();
            let reading = thread::spawn(move || reader.read());
            let mut pongs = Vec::new();
            while pongs.last() != Some(&ping(4999)) {
                let (opcode, payload) = peer.receive_frame();
                assert_eq!(opcode, Opcode::Pong);
                pongs.push(payload);
            }
            assert_pongs(&pongs, 5000);
            peer.send(to(role, Opcode::Text, b"done"));
            assert_eq!(reading.join().unwrap().unwrap(), Some("done".into()));
        }
    });
}

#[test]
fn the_reader_is_not_held_up_by_a_peer_that_reads_slowly() {
    bounded(|| {
        for role in ROLES {
            let timeouts = Timeouts::default().write(Some(Duration::from_millis(5)));
            let (mut reader, writer, mut peer) = split(role, HARDLY_ANYTHING, timeouts);
            // This is left for the reader to write.
            assert_matches!(writer.send(vec![7; 4 << 20]), Err(Error::WriteTimedOut));
            let mut pipe = peer.stream().try_clone().unwrap();
            let is_over = Arc::new(AtomicBool::new(false));
            let over = Arc::clone(&is_over);
            let reading_slowly = thread::spawn(move || {
                let mut taken = 0;
                while !over.load(Ordering::Relaxed) {
                    taken += pipe.read(&mut [0; 64]).unwrap();
                    thread::sleep(Duration::from_micros(50));
                }
                taken
            });
            for index in 0..100 {
                peer.send(to(role, Opcode::Text, format!("{index}").as_bytes()));
                assert_eq!(reader.read().unwrap(), Some(format!("{index}").into()));
            }
            is_over.store(true, Ordering::Relaxed);
            let taken = reading_slowly.join().unwrap();
            assert!(taken < 400_000, "{taken} bytes were written for 100 reads");
        }
    });
}

#[test]
fn a_write_that_timed_out_has_lost_nothing() {
    bounded(|| {
        for role in ROLES {
            let timeouts = Timeouts::default().write(Some(Duration::from_millis(5)));
            let config = Config::default().max_outgoing_size(300_000);
            let (_reader, writer, mut peer) = split_with(role, HARDLY_ANYTHING, timeouts, config);
            assert_matches!(writer.send(long(0)), Err(Error::WriteTimedOut));
            let mut sent = 1;
            let refused = loop {
                match writer.write(long(sent)) {
                    Ok(()) => sent += 1,
                    Err(Error::BufferFull(message)) => break message,
                    Err(error) => panic!("{error}"),
                }
            };
            assert!(refused.as_bytes() == long(sent), "what isn't taken is given back");
            assert_matches!(writer.flush(), Err(Error::WriteTimedOut));
            assert_matches!(writer.ping(b"late"), Err(Error::WriteTimedOut));
            assert_eq!(writer.state(), ConnectionState::Open);

            let reading = thread::spawn(move || {
                for number in 0..=sent {
                    assert!(peer.receive_frame() == (Opcode::Binary, long(number)), "{number}");
                }
                peer
            });
            let mut again = refused;
            while let Err(error) = writer.write(again) {
                let Error::BufferFull(message) = error else { panic!("{error}") };
                again = message;
            }
            while let Err(error) = writer.flush() {
                assert_matches!(error, Error::WriteTimedOut);
            }
            reading.join().unwrap();
        }
    });
}

#[test]
fn a_peer_that_reads_is_never_refused_a_message_whatever_the_limit() {
    bounded(|| {
        for role in ROLES {
            // The Pongs alone exceed this limit.
            let config = Config::default().max_outgoing_size(1);
            let (socket, peer) = open(role, HARDLY_ANYTHING, Timeouts::default(), config);
            let (mut reader, writer) = socket.split().unwrap();
            let mut talker = peer.another();
            let mut listener = peer;
            let talking = thread::spawn(move || {
                for index in 0..2000 {
                    talker.send(to(role, Opcode::Ping, &ping(index)));
                }
                talker.send(to(role, Opcode::Text, b"done"));
            });
            let listening = thread::spawn(move || {
                for index in 0..2000_u32 {
                    let message = loop {
                        match listener.receive_frame() {
                            (Opcode::Binary, message) => break message,
                            (opcode, _) => assert_eq!(opcode, Opcode::Pong),
                        }
                    };
                    assert_eq!(message, index.to_be_bytes());
                }
                // It goes on reading: a flush waits for the Pongs too.
                listener.receive_all();
            });
            let reading = thread::spawn(move || reader.read().map(|message| (message, reader)));
            for index in 0..2000_u32 {
                writer.send(&index.to_be_bytes()).unwrap();
            }
            talking.join().unwrap();
            let (message, reader) = reading.join().unwrap().unwrap();
            assert_eq!(message, Some("done".into()));
            drop((reader, writer));
            listening.join().unwrap();
        }
    });
}

#[test]
fn a_writer_that_waits_is_released_when_the_peer_is_gone() {
    bounded(|| {
        for role in ROLES {
            let timeouts = Timeouts::default().write(None);
            let (mut reader, writer, mut peer) = split(role, HARDLY_ANYTHING, timeouts);
            let reading = thread::spawn(move || reader.read());
            let sending = thread::spawn(move || (writer.send(long(1)), writer));
            peer.receive_byte();
            drop(peer);
            assert_matches!(reading.join().unwrap(), Err(Error::Io(_) | Error::Lost));
            let (outcome, writer) = sending.join().unwrap();
            assert_matches!(outcome, Err(Error::Io(_) | Error::Lost));
            assert_matches!(writer.send("more"), Err(Error::Usage(UsageError::NotOpen)));
        }
    });
}

#[test]
fn replies_still_reach_a_peer_that_has_said_all_and_reads_late() {
    bounded(|| {
        for (role, closes) in ROLES.into_iter().flat_map(|role| [(role, true), (role, false)]) {
            let (mut reader, _writer, mut peer) = split(role, HARDLY_ANYTHING, Timeouts::default());
            let serving =
                thread::spawn(move || reader.serve(|message, outbox| outbox.send(message)));
            for index in 0..100 {
                peer.send(to(role, Opcode::Text, format!("{index:050}").as_bytes()));
            }
            if closes {
                peer.send(to(role, Opcode::Close, b"\x03\xE8"));
            }
            peer.shutdown_write();
            // Time to find the end, with most of the replies unwritten.
            thread::sleep(SHORT);
            for index in 0..100 {
                peer.expect_frame(Opcode::Text, format!("{index:050}").as_bytes());
            }
            if closes {
                peer.expect_close(1000);
                assert_matches!(serving.join().unwrap(), Ok(()));
            } else {
                assert_matches!(serving.join().unwrap(), Err(Error::Lost));
            }
            peer.expect_eof();
        }
    });
}

#[test]
fn a_writer_goes_on_while_a_peer_that_has_ended_its_direction_takes_something() {
    bounded(|| {
        for role in ROLES {
            let (mut reader, writer, mut peer) = split(role, HARDLY_ANYTHING, Timeouts::default());
            let sending = thread::spawn(move || writer.send(long(1)));
            peer.receive_byte();
            peer.shutdown_write();
            let reading = thread::spawn(move || reader.read());
            thread::sleep(SHORT);
            let mask = if role == Role::Client { 4 } else { 0 };
            assert_eq!(1 + peer.receive_all().len(), 10 + mask + long(1).len());
            sending.join().unwrap().unwrap();
            assert_matches!(reading.join().unwrap(), Err(Error::Lost));
        }
    });
}

#[test]
fn a_peer_that_has_ended_its_direction_and_takes_nothing_is_not_waited_for() {
    bounded(|| {
        for role in ROLES {
            let keepalive = Keepalive::new(Duration::from_millis(5), SHORT);
            for timeouts in [
                Timeouts::default().close(SHORT),
                Timeouts::default().write(None).close(SHORT),
                Timeouts::default().write(None).keepalive(Some(keepalive)),
            ] {
                let (mut reader, writer, peer) = split(role, HARDLY_ANYTHING, timeouts);
                writer.write(vec![7; 2 * HARDLY_ANYTHING]).unwrap();
                peer.shutdown_write();
                assert_matches!(reader.read(), Err(Error::Lost | Error::PongTimedOut));
                assert_eq!(reader.state(), ConnectionState::Closed);
            }
        }
    });
}

#[test]
fn messages_that_were_read_are_handed_out_though_a_writer_has_found_the_connection_over() {
    bounded(|| {
        for role in ROLES {
            let timeouts = Timeouts::default().close(SHORT);
            let (mut reader, writer, mut peer) = split(role, HARDLY_ANYTHING, timeouts);
            let texts = ["one", "two", "three"].map(|text| to(role, Opcode::Text, text.as_bytes()));
            peer.send(texts.concat());
            let mut messages = reader.messages();
            assert_eq!(messages.next().unwrap().unwrap(), "one".into());
            writer.write(vec![7; 2 * HARDLY_ANYTHING]).unwrap();
            let mut closing = writer.close(CloseCode::NORMAL, "");
            while let Err(Error::WriteTimedOut) = closing {
                closing = writer.flush();
            }
            assert_matches!(closing, Err(Error::CloseTimedOut));
            assert_eq!(writer.state(), ConnectionState::Closed);
            assert_eq!(messages.next().unwrap().unwrap(), "two".into());
            assert_eq!(messages.next().unwrap().unwrap(), "three".into());
            assert_matches!(messages.next(), Some(Err(Error::CloseTimedOut)));
            assert!(messages.next().is_none());
        }
    });
}

/// Returns from a write only when everything was taken, as Linux does for a blocking socket.
struct TakingItsTime;

impl Alteration<Pipe> for TakingItsTime {
    fn write(&self, pipe: &mut Pipe, bytes: &[u8]) -> io::Result<usize> {
        pipe.write_all(bytes).map(|()| bytes.len())
    }

    fn set_write_timeout(&self, _: &Pipe, _: Option<Duration>) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_peer_that_takes_a_long_message_slowly_is_not_given_up() {
    const LENGTH: usize = 4 << 20;

    bounded(|| {
        let (ours, theirs) = pipe(HARDLY_ANYTHING);
        let keepalive = Keepalive::new(Duration::from_millis(5), Duration::from_millis(500));
        let server = Server::new().timeouts(Timeouts::default().keepalive(Some(keepalive)));
        let socket = Altered::new(ours, Arc::new(TakingItsTime));
        let accepting = thread::spawn(move || server.accept(socket).unwrap());
        let mut peer = RawPeer::new(theirs).open();
        let (mut reader, writer) = accepting.join().unwrap().split().unwrap();
        let sending = thread::spawn(move || writer.send(vec![7; LENGTH]));
        peer.receive_byte();
        let reading = thread::spawn(move || reader.read());
        // All of it takes far longer than a part.
        let (mut left, mut room) = (LENGTH, vec![0; 16 << 10]);
        while left > 0 {
            let most = left.min(room.len());
            peer.stream().try_clone().unwrap().read_exact(&mut room[..most]).unwrap();
            left -= most;
            thread::sleep(Duration::from_millis(5));
        }
        sending.join().unwrap().unwrap();
        peer.send(from_client(Opcode::Text, b"done"));
        assert_eq!(reading.join().unwrap().unwrap(), Some("done".into()));
    });
}

#[test]
fn a_peer_that_stops_taking_and_talking_is_found_out_by_the_reader() {
    bounded(|| {
        for role in ROLES {
            let keepalive = Keepalive::new(Duration::from_millis(5), SHORT);
            let timeouts = Timeouts::default().write(Some(SHORT)).keepalive(Some(keepalive));
            let (mut reader, writer, _peer) = split(role, HARDLY_ANYTHING, timeouts);
            // Before the first Ping, which thus never leaves.
            writer.write(vec![7; 2 * HARDLY_ANYTHING]).unwrap();
            assert_matches!(reader.read(), Err(Error::PongTimedOut));
        }
    });
}

#[test]
fn replies_that_a_peer_never_takes_are_not_waited_for_behind_its_end() {
    bounded(|| {
        for role in ROLES {
            let timeouts = Timeouts::default().close(SHORT);
            let (mut reader, writer, mut peer) = split(role, HARDLY_ANYTHING, timeouts);
            writer.write(vec![7; 2 * HARDLY_ANYTHING]).unwrap();
            peer.send(to(role, Opcode::Close, b"\x03\xE8"));
            peer.shutdown_write();
            for _ in 0..2 {
                assert_matches!(reader.read(), Err(Error::CloseTimedOut));
            }
        }
    });
}

#[test]
fn a_writer_that_waits_is_released_when_the_peer_closes_and_reads_no_answer() {
    bounded(|| {
        for role in ROLES {
            let timeouts = Timeouts::default().write(None).close(SHORT);
            let (mut reader, writer, mut peer) = split(role, HARDLY_ANYTHING, timeouts);
            let sending = thread::spawn(move || (writer.send(long(1)), writer));
            peer.receive_byte();
            peer.send(to(role, Opcode::Close, b"\x03\xE8"));
            assert_matches!(reader.read(), Err(Error::CloseTimedOut));
            let (outcome, writer) = sending.join().unwrap();
            assert_matches!(outcome, Err(Error::CloseTimedOut | Error::Usage(UsageError::NotOpen)));
            assert_eq!(writer.state(), ConnectionState::Closed);
            // And the outcome stays the same.
            for _ in 0..2 {
                assert_matches!(reader.read(), Err(Error::CloseTimedOut));
            }
        }
    });
}

#[test]
fn a_writer_that_waits_is_released_when_the_peer_falls_silent() {
    bounded(|| {
        for role in ROLES {
            let keepalive = Keepalive::new(Duration::from_millis(5), SHORT);
            let timeouts = Timeouts::default().write(None).keepalive(Some(keepalive));
            let (mut reader, writer, mut peer) = split(role, HARDLY_ANYTHING, timeouts);
            let reading = thread::spawn(move || (reader.read(), reader));
            // The Ping gets through, but what comes after it doesn't.
            assert_eq!(peer.receive_frame().0, Opcode::Ping);
            let sending = thread::spawn(move || writer.send(long(1)));
            let (outcome, mut reader) = reading.join().unwrap();
            assert_matches!(outcome, Err(Error::PongTimedOut));
            let outcome = sending.join().unwrap();
            assert_matches!(outcome, Err(Error::PongTimedOut | Error::Usage(UsageError::NotOpen)));
            for _ in 0..2 {
                assert_matches!(reader.read(), Err(Error::PongTimedOut));
            }
            drop(peer);
        }
    });
}

#[test]
fn several_writers_that_wait_are_all_released() {
    bounded(|| {
        for role in ROLES {
            let timeouts = Timeouts::default().write(None).close(SHORT);
            let (mut reader, writer, peer) = split(role, HARDLY_ANYTHING, timeouts);
            let sending: Vec<_> = (0..4)
                .map(|number| {
                    let writer = writer.clone();
                    thread::spawn(move || match number {
                        0 => writer.ping(b"hello"),
                        1 => writer.flush(),
                        _ => writer.send(long(number)),
                    })
                })
                .collect();
            // One of them holds the stream; this one waits for it.
            let closing = thread::spawn(move || {
                thread::sleep(SHORT);
                writer.close(CloseCode::NORMAL, "")
            });
            assert_matches!(reader.read(), Err(Error::CloseTimedOut));
            for sending in sending {
                let _ = sending.join().unwrap();
            }
            let _ = closing.join().unwrap();
            drop(peer);
        }
    });
}

#[test]
fn a_peer_that_takes_nothing_is_waited_for_once_however_much_it_has_sent() {
    bounded(|| {
        for role in ROLES {
            let timeouts = Timeouts::default().write(Some(SHORT));
            let (mut reader, _writer, mut peer) = split(role, 64 << 10, timeouts);
            peer.send(to(role, Opcode::Text, b"Hello"));
            peer.send(to(role, Opcode::Binary, &[]).repeat(5000));
            let mut replies = 0;
            let outcome = reader.serve(|message, outbox| {
                replies += 1;
                if message == "Hello".into() {
                    outbox.send(vec![7; 200_000])?;
                    // Even by a handler that looks at no error.
                    for _ in 0..1000 {
                        let _ = outbox.send("and another");
                    }
                }
                outbox.send(message)
            });
            assert_matches!(outcome, Err(Error::WriteTimedOut | Error::BufferFull(_)));
            assert_eq!(replies, 1);
        }
    });
}

#[test]
fn messages_for_a_peer_that_takes_nothing_are_queued_without_waiting_again() {
    bounded(|| {
        for role in ROLES {
            let timeouts = Timeouts::default().write(Some(Duration::from_secs(1)));
            let (mut reader, writer, mut peer) = split(role, HARDLY_ANYTHING, timeouts);
            writer.write(vec![7; 200_000]).unwrap();
            // If it were waited for each time, this test would last too long.
            for number in 0..200 {
                writer.write(&[number][..]).unwrap();
            }
            // As soon as it takes something, all of them leave.
            let reading = thread::spawn(move || {
                assert_eq!(peer.receive_frame().1.len(), 200_000);
                (0..200).for_each(|number| assert_eq!(peer.receive_frame().1, [number]));
                peer.send(to(role, Opcode::Close, b"\x03\xE8"));
                peer.expect_close(1000);
            });
            assert_eq!(reader.read().unwrap(), None);
            reading.join().unwrap();
        }
    });
}

#[test]
fn a_tunnel_that_takes_nothing_is_an_error_of_its_next_write() {
    bounded(|| {
        for role in ROLES {
            let timeouts = Timeouts::default().write(Some(SHORT));
            let (_reader, writer, _peer) = split(role, HARDLY_ANYTHING, timeouts);
            let mut bytes = ByteWriter::new(writer);
            bytes.write_all(&[7; 2 * HARDLY_ANYTHING]).unwrap();
            for _ in 0..2 {
                assert_eq!(bytes.write(b"more").unwrap_err().kind(), io::ErrorKind::TimedOut);
            }
        }
    });
}

#[test]
fn a_handlers_pings_wait_once_for_a_peer_that_takes_nothing() {
    bounded(|| {
        for role in ROLES {
            let timeouts = Timeouts::default().write(Some(Duration::from_secs(1)));
            let config = Config::default().max_outgoing_size(1000);
            let (mut reader, _writer, mut peer) =
                split_with(role, HARDLY_ANYTHING, timeouts, config);
            peer.send(to(role, Opcode::Text, b"Hello"));
            let outcome = reader.serve(|_, outbox| {
                let _ = outbox.send(vec![7; 10_000]);
                // If the peer were waited for with each of them, this test would last too long.
                for _ in 0..200 {
                    let refused = outbox.ping(b"?");
                    assert_matches!(refused, Err(Error::Usage(UsageError::BacklogFull)));
                }
                Ok(())
            });
            assert_matches!(outcome, Err(Error::WriteTimedOut));
        }
    });
}
