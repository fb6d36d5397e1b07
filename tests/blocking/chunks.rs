//! Messages in pieces, as they arrive.

use std::thread;
use std::time::Duration;

use sansocket::blocking::{Error, Server, Timeouts};
use sansocket::frame::Opcode;
use sansocket::{CloseCode, Config, Delivery, Message, Role};

use crate::bounded::bounded;
use crate::either_role::{ROLES, fragment_to, open, to};
use crate::loopback::{pair, serving};
use crate::raw_peer::{RawPeer, from_client};

fn chunked() -> Server {
    Server::new().config(Config::default().delivery(Delivery::Chunks).max_message_size(u64::MAX))
}

#[test]
fn pieces_make_up_the_message_and_say_where_it_begins_and_ends() {
    bounded(|| {
        let (mut client, mut server) = pair(chunked(), |client| client);
        let text = "\u{20AC}".repeat(100_000);
        let expected = text.clone();
        let sending = thread::spawn(move || {
            client.send(text.as_str()).unwrap();
            client.close(CloseCode::NORMAL, "").unwrap();
        });
        let mut received = String::new();
        let (mut first, mut last) = (0, 0);
        while let Some(chunk) = server.read_chunk().unwrap() {
            assert_eq!(chunk.first, received.is_empty());
            first += usize::from(chunk.first);
            last += usize::from(chunk.last);
            let Message::Text(piece) = chunk.piece else { panic!("a piece of a text is text") };
            received.push_str(&piece);
        }
        assert_eq!((first, last), (1, 1));
        assert!(received == expected);
        sending.join().unwrap();
    });
}

#[test]
fn a_piece_is_there_before_the_message_is_complete() {
    bounded(|| {
        let timeouts = Timeouts::default().read(Some(Duration::from_millis(3)));
        let (address, server) = serving(chunked().timeouts(timeouts), |socket| socket);
        let mut peer = RawPeer::client(address);
        let mut server = server.join().unwrap();
        let frame = from_client(Opcode::Binary, b"12345678");
        peer.send(&frame[..frame.len() - 4]);
        let chunk = loop {
            match server.read_chunk() {
                Err(Error::ReadTimedOut) => {}
                outcome => break outcome.unwrap().unwrap(),
            }
        };
        assert_eq!(chunk.piece, Message::from(b"1234"));
        assert!(chunk.first && !chunk.last);
        assert_matches!(server.read_chunk(), Err(Error::ReadTimedOut));
    });
}

/// Messages in one frame and in several, with a Ping in between; among them are a text whose characters
/// are cut, and one without bytes.
fn conversation(role: Role) -> (Vec<u8>, [Message<'static>; 4]) {
    let euros = "\u{20AC}".repeat(100);
    let (head, tail) = euros.as_bytes().split_at(100);
    let bytes = [
        fragment_to(role, false, Opcode::Text, head),
        to(role, Opcode::Ping, b"?"),
        fragment_to(role, true, Opcode::Continuation, tail),
        to(role, Opcode::Binary, &[7; 300]),
        fragment_to(role, false, Opcode::Binary, b""),
        fragment_to(role, true, Opcode::Continuation, b""),
        to(role, Opcode::Text, b"last"),
    ];
    let messages = [euros.into(), vec![7; 300].into(), Vec::new().into(), "last".to_owned().into()];
    (bytes.concat(), messages)
}

#[test]
fn who_wants_whole_messages_has_them_however_they_arrive() {
    bounded(|| {
        for role in ROLES {
            let (bytes, messages) = conversation(role);
            let config = || Config::default().delivery(Delivery::Chunks);
            for piece in [1, 2, 7, 150, bytes.len()] {
                let (mut socket, mut peer) = open(role, 1 << 16, Timeouts::default(), config());
                let bytes = bytes.clone();
                let sending = thread::spawn(move || {
                    for piece in bytes.chunks(piece) {
                        peer.send(piece);
                        thread::yield_now();
                    }
                    peer.send(to(role, Opcode::Close, b""));
                    peer.shutdown_write();
                    peer
                });
                if piece == 150 {
                    let mut served = Vec::new();
                    let serving = socket.serve(|message, _| -> Result<(), Error> {
                        served.push(message.into_owned());
                        Ok(())
                    });
                    serving.unwrap();
                    assert_eq!(served, messages);
                } else {
                    let read: Result<Vec<_>, _> = socket.messages().collect();
                    assert_eq!(read.unwrap(), messages);
                }
                sending.join().unwrap();
            }
        }
    });
}

#[test]
fn a_read_that_times_out_within_a_message_keeps_what_has_arrived() {
    bounded(|| {
        for role in ROLES {
            let timeouts = Timeouts::default().read(Some(Duration::from_millis(3)));
            let config = Config::default().delivery(Delivery::Chunks);
            let (mut socket, mut peer) = open(role, 1 << 16, timeouts, config);
            for bit_by_bit in [false, true] {
                peer.send(fragment_to(role, false, Opcode::Text, b"to be "));
                for _ in 0..2 {
                    assert_matches!(socket.read(), Err(Error::ReadTimedOut));
                }
                peer.send(fragment_to(role, true, Opcode::Continuation, b"continued"));
                if bit_by_bit {
                    let chunk = socket.read_chunk().unwrap().unwrap();
                    assert!(chunk.first && !chunk.last);
                    assert_eq!(chunk.piece, Message::from("to be "));
                    let chunk = socket.read_chunk().unwrap().unwrap();
                    assert!(!chunk.first && chunk.last);
                    assert_eq!(chunk.piece, Message::from("continued"));
                } else {
                    assert_eq!(socket.read().unwrap(), Some("to be continued".into()));
                }
            }
        }
    });
}

#[test]
fn a_whole_message_is_never_the_rest_of_one() {
    bounded(|| {
        for role in ROLES {
            let config = Config::default().delivery(Delivery::Chunks);
            let (mut socket, mut peer) = open(role, 1 << 16, Timeouts::default(), config);
            peer.send(fragment_to(role, false, Opcode::Text, b"the beginning"));
            peer.send(fragment_to(role, true, Opcode::Continuation, b"and the rest"));
            peer.send(fragment_to(role, false, Opcode::Text, b"the "));
            peer.send(fragment_to(role, true, Opcode::Continuation, b"next"));
            assert_eq!(socket.read_chunk().unwrap().unwrap().piece, Message::from("the beginning"));
            assert_eq!(socket.read().unwrap(), Some("the next".into()));
        }
    });
}

#[test]
fn what_has_arrived_of_a_message_is_gone_with_the_connection() {
    bounded(|| {
        for role in ROLES {
            let timeouts = Timeouts::default().read(Some(Duration::from_millis(3)));
            let config = Config::default().delivery(Delivery::Chunks);
            for closes in [true, false] {
                let (mut socket, mut peer) = open(role, 1 << 16, timeouts, config);
                peer.send(fragment_to(role, false, Opcode::Text, b"never finished"));
                assert_matches!(socket.read(), Err(Error::ReadTimedOut));
                if closes {
                    peer.send(to(role, Opcode::Close, b""));
                    peer.shutdown_write();
                    socket.close(CloseCode::NORMAL, "").unwrap();
                    assert_matches!(socket.read_chunk(), Ok(None));
                } else {
                    peer.shutdown_write();
                    assert_matches!(socket.read(), Err(Error::Lost));
                    assert_matches!(socket.read_chunk(), Err(Error::Lost));
                }
            }
        }
    });
}
