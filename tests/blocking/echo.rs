//! Messages there and back, over TCP.

use std::thread;

use sansocket::blocking::{Error, Server, Timeouts};
use sansocket::frame::Opcode;
use sansocket::{CloseCode, Config, Message, PreparedMessage};

use crate::bounded::bounded;
use crate::either_role::{self, ROLES, to};
use crate::loopback::{Socket, client, echo, pair, serving};
use crate::raw_peer::{RawPeer, from_client};

/// Where the length of a frame changes its form, where buffers end, and the largest message.
const SIZES: [usize; 12] =
    [0, 1, 125, 126, 127, 4096, 65_535, 65_536, 65_537, 1 << 20, (1 << 20) + 1, 16 << 20];

/// Its length divides that of no buffer.
const PATTERN: [u8; 7] = [0, 1, 0xFE, 3, 0x80, 5, 6];

/// In a debug build UTF-8 is checked at a few megabytes a second.
const LARGEST_TEXT: usize = 2 << 20;

fn assert_every_size_comes_back(socket: &mut Socket) {
    for size in SIZES {
        let mut binary = PATTERN.repeat(size / PATTERN.len() + 1);
        binary.truncate(size);
        socket.send(&binary[..]).unwrap();
        let reply = socket.read().unwrap().unwrap();
        assert!(matches!(&reply, Message::Binary(_)) && reply.as_bytes() == binary, "{size}");
        if size > LARGEST_TEXT {
            continue;
        }
        // Three bytes a character, so that every cut is somewhere inside one.
        let mut text = "\u{20AC}".repeat(size / 3);
        text.extend(std::iter::repeat_n('.', size % 3));
        socket.send(text.as_str()).unwrap();
        let reply = socket.read().unwrap().unwrap();
        assert!(reply.as_text() == Some(&text), "{size}");
    }
    socket.close(CloseCode::NORMAL, "").unwrap();
}

#[test]
fn messages_of_every_size_come_back_from_a_loop_of_read_and_write() {
    bounded(|| {
        let (address, server) = serving(Server::new(), |socket| echo(socket).map(drop));
        assert_every_size_comes_back(&mut client(address).connect().unwrap());
        server.join().unwrap().unwrap();
    });
}

#[test]
fn messages_of_every_size_come_back_from_a_handler() {
    bounded(|| {
        let (address, server) = serving(Server::new(), |mut socket| {
            socket.serve(|message, outbox| outbox.send(message))
        });
        assert_every_size_comes_back(&mut client(address).connect().unwrap());
        server.join().unwrap().unwrap();
    });
}

#[test]
fn the_iterator_ends_with_the_clean_close() {
    bounded(|| {
        let (mut client, mut server) = pair(Server::new(), |client| client);
        client.write("one").unwrap();
        client.write(b"two").unwrap();
        let closing = std::thread::spawn(move || client.close(CloseCode::NORMAL, "").unwrap());
        let messages: Result<Vec<_>, _> = server.messages().collect();
        assert_eq!(messages.unwrap(), [Message::from("one"), Message::from(b"two")]);
        assert!(server.messages().next().is_none());
        closing.join().unwrap();
    });
}

#[test]
fn the_iterator_ends_with_the_error_that_ends_the_connection() {
    bounded(|| {
        let (client, mut server) = pair(Server::new(), |client| client);
        drop(client);
        let items: Vec<_> = server.messages().collect();
        assert_matches!(items.as_slice(), [Err(Error::Lost)]);
    });
}

#[test]
fn fragments_arrive_as_one_message_with_pings_between_them() {
    bounded(|| {
        let (mut client, mut server) = pair(Server::new(), |client| client);
        client.write_fragment("Hel").unwrap();
        client.ping(b"between").unwrap();
        client.write_fragment("").unwrap();
        client.finish_fragments("lo").unwrap();
        client.flush().unwrap();
        assert_eq!(server.read().unwrap(), Some("Hello".into()));
    });
}

#[test]
fn a_prepared_message_goes_to_any_number_of_connections() {
    bounded(|| {
        let news = PreparedMessage::new(vec![7; 10_000]);
        for _ in 0..3 {
            let (mut client, mut server) = pair(Server::new(), |client| client);
            server.write_prepared(&news).unwrap();
            server.flush().unwrap();
            assert_eq!(client.read().unwrap().as_ref(), Some(news.message()));
        }
    });
}

#[test]
fn a_pong_is_sent_before_a_read_blocks() {
    bounded(|| {
        for role in ROLES {
            let (mut socket, mut peer) =
                either_role::open(role, 1 << 16, Timeouts::default(), Config::default());
            let reading = thread::spawn(move || socket.read());
            for payload in [&b"one"[..], b"", &[0; 125]] {
                peer.send(to(role, Opcode::Ping, payload));
                peer.expect_frame(Opcode::Pong, payload);
            }
            peer.send(to(role, Opcode::Text, b"that is all"));
            assert_eq!(reading.join().unwrap().unwrap(), Some("that is all".into()));
        }
    });
}

#[test]
fn what_was_written_is_sent_before_a_read_blocks() {
    bounded(|| {
        let (address, server) = serving(Server::new(), |mut socket| {
            socket.write("your turn").unwrap();
            socket.read()
        });
        let mut peer = RawPeer::client(address);
        peer.expect_frame(Opcode::Text, b"your turn");
        peer.send(from_client(Opcode::Text, b"thanks"));
        assert_eq!(server.join().unwrap().unwrap(), Some("thanks".into()));
    });
}
