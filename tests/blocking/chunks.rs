//! Messages in pieces, as they arrive.

use std::thread;

use sansocket::blocking::{Error, Server, Timeouts};
use sansocket::frame::Opcode;
use sansocket::{CloseCode, Config, Delivery, Message};

use crate::bounded::bounded;
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
        let timeouts = Timeouts::default().read(Some(std::time::Duration::from_millis(3)));
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
