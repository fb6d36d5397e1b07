//! Two ends become one connection again, and nothing is lost.

use std::thread;
use std::time::Duration;

use sansocket::blocking::{Error, Server, Timeouts};
use sansocket::frame::Opcode;
use sansocket::{CloseCode, Config, Message};

use super::{long, split};
use crate::bounded::bounded;
use crate::either_role::{ROLES, open, to};
use crate::loopback::pair;

const PLENTY: usize = 1 << 20;

const SHORT: Duration = Duration::from_millis(2);

#[test]
fn one_connection_again_goes_on_as_before() {
    bounded(|| {
        let server = Server::new().subprotocols(["chat"]);
        let (client, mut server) = pair(server, |client| client.subprotocol("chat").unwrap());
        let (mut reader, writer) = client.split().unwrap();
        writer.send("by the writer").unwrap();
        server.send("to the reader").unwrap();
        assert_eq!(reader.read().unwrap(), Some("to the reader".into()));
        assert_eq!(reader.subprotocol(), Some("chat"));
        let mut client = reader.reunite(writer).unwrap();
        assert_eq!(client.subprotocol(), Some("chat"));
        client.send("by both").unwrap();
        server.send("to both").unwrap();
        assert_eq!(client.read().unwrap(), Some("to both".into()));
        let reading = thread::spawn(move || {
            let messages: Vec<_> = server.messages().map(Result::unwrap).collect();
            assert_eq!(messages, ["by the writer".into(), "by both".into()]);
        });
        assert!(client.close(CloseCode::NORMAL, "").unwrap().is_clean());
        reading.join().unwrap();
    });
}

#[test]
fn nothing_is_lost_at_any_byte_of_a_message() {
    bounded(|| {
        for role in ROLES {
            let timeouts = Timeouts::default().read(Some(SHORT));
            let (mut socket, mut peer) = open(role, PLENTY, timeouts, Config::default());
            let mut bytes = to(role, Opcode::Text, "gr\u{FC}n".as_bytes());
            bytes.extend(to(role, Opcode::Ping, b"and"));
            for byte in bytes {
                peer.send([byte]);
                let (mut reader, writer) = socket.split().unwrap();
                let mut seen = Vec::new();
                loop {
                    match reader.read() {
                        Ok(message) => seen.extend(message),
                        Err(Error::ReadTimedOut) => break,
                        Err(error) => panic!("{error}"),
                    }
                }
                if let [message] = &seen[..] {
                    assert_eq!(*message, "gr\u{FC}n".into());
                    writer.send("seen").unwrap();
                }
                socket = reader.reunite(writer).unwrap();
                assert_matches!(socket.read(), Err(Error::ReadTimedOut));
            }
            peer.expect_frame(Opcode::Text, b"seen");
            peer.expect_frame(Opcode::Pong, b"and");
        }
    });
}

#[test]
fn what_was_read_ahead_and_what_is_queued_is_kept() {
    bounded(|| {
        for role in ROLES {
            let (mut socket, mut peer) = open(role, PLENTY, Timeouts::default(), Config::default());
            let messages: Vec<_> = (0..100).map(|index| format!("{index}")).collect();
            let bytes = messages.iter().flat_map(|text| to(role, Opcode::Text, text.as_bytes()));
            peer.send(bytes.collect::<Vec<_>>());
            for pair in messages.chunks(2) {
                assert_eq!(socket.read().unwrap(), Some(Message::from(&*pair[0])));
                socket.write(&*pair[0]).unwrap();
                let (mut reader, writer) = socket.split().unwrap();
                assert_eq!(reader.read().unwrap(), Some(Message::from(&*pair[1])));
                writer.write(&*pair[1]).unwrap();
                socket = reader.reunite(writer).unwrap();
            }
            socket.flush().unwrap();
            for text in messages {
                peer.expect_frame(Opcode::Text, text.as_bytes());
            }
        }
    });
}

#[test]
fn a_message_that_is_read_bit_by_bit_is_skipped_across_it() {
    bounded(|| {
        for role in ROLES {
            let config = Config::default().delivery(sansocket::Delivery::Chunks);
            let (mut socket, mut peer) = open(role, PLENTY, Timeouts::default(), config);
            let first = to(role, Opcode::Binary, &long(1));
            let (head, tail) = first.split_at(50);
            peer.send(head);
            drop(socket.next_message().unwrap().unwrap());
            let (reader, writer) = socket.split().unwrap();
            let mut socket = reader.reunite(writer).unwrap();
            peer.send(tail);
            peer.send(to(role, Opcode::Text, b"the next"));
            let mut message = socket.next_message().unwrap().unwrap();
            assert_eq!(std::io::read_to_string(&mut message).unwrap(), "the next");
        }
    });
}

#[test]
fn the_bounds_of_writes_are_what_they_were() {
    bounded(|| {
        for role in ROLES {
            let minute = Some(Duration::from_secs(61));
            let timeouts = Timeouts::default().write(minute);
            let (mut reader, writer, mut peer) = split(role, PLENTY, timeouts);
            // The reader answers, and doesn't wait to do so.
            peer.send(to(role, Opcode::Ping, b"?"));
            peer.send(to(role, Opcode::Text, b"hello"));
            reader.read().unwrap();
            let reading = thread::spawn(move || reader.read().map(|_| reader));
            peer.expect_frame(Opcode::Pong, b"?");
            peer.send(to(role, Opcode::Text, b"hello"));
            let reader = reading.join().unwrap().unwrap();
            let mut socket = reader.reunite(writer).unwrap();
            socket.send("as long as it takes").unwrap();
            assert_eq!(socket.stream().write_timeout(), minute);
        }
    });
}

#[test]
fn a_writer_with_clones_is_handed_back() {
    bounded(|| {
        let (client, mut server) = pair(Server::new(), |client| client);
        let (reader, writer) = client.split().unwrap();
        let clone = writer.clone();
        let (reader, writer) = reader.reunite(writer).unwrap_err().into_ends();
        let another = reader.writer();
        drop(clone);
        let (reader, writer) = reader.reunite(writer).unwrap_err().into_ends();
        drop(another);
        writer.send("still here").unwrap();
        let mut client = reader.reunite(writer).unwrap();
        client.send("and here").unwrap();
        assert_eq!(server.read().unwrap(), Some("still here".into()));
        assert_eq!(server.read().unwrap(), Some("and here".into()));
    });
}

#[test]
fn the_writer_of_another_connection_is_handed_back() {
    bounded(|| {
        let [(one, mut its_peer), (other, mut others_peer)] =
            [(); 2].map(|()| pair(Server::new(), |client| client));
        let (reader, writer) = one.split().unwrap();
        let (other_reader, other_writer) = other.split().unwrap();
        let (reader, other_writer) = reader.reunite(other_writer).unwrap_err().into_ends();
        let mut one = reader.reunite(writer).unwrap();
        let mut other = other_reader.reunite(other_writer).unwrap();
        one.send("one").unwrap();
        other.send("other").unwrap();
        assert_eq!(its_peer.read().unwrap(), Some("one".into()));
        assert_eq!(others_peer.read().unwrap(), Some("other".into()));
    });
}
