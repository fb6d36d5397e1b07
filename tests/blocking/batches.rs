//! What is sent in how many writes.

use sansocket::blocking::{Client, Error, Server};
use sansocket::{CloseCode, Connection};

use crate::bounded::bounded;
use crate::faulty_stream::{Call, FaultyStream};
use crate::loopback::{client, echo, serving};
use crate::memory_peer::{Heard, MemoryPeer, goodbye};

/// A hundred messages and Pings, which a server gets in one read.
fn batch(connection: &mut Connection) {
    for index in 0..100 {
        connection.send(index.to_string()).unwrap();
        connection.ping(b"?").unwrap();
    }
    goodbye(connection);
}

fn assert_echoed_in_two_writes(stream: &FaultyStream) {
    let messages: Vec<_> = (0..100).map(|index| index.to_string().into()).collect();
    assert_eq!(stream.peer.messages(), messages);
    let pongs = stream.peer.heard.iter().filter(|heard| matches!(heard, Heard::Pong(_))).count();
    assert_eq!(pongs, 100);
    assert_eq!(stream.count(Call::Write), 2, "the handshake response, and the replies");
}

#[test]
fn replies_to_all_that_arrived_in_one_read_leave_in_one_write() {
    bounded(|| {
        let mut stream = FaultyStream::to(MemoryPeer::client(batch));
        let mut socket = Server::new().accept_over(&mut stream).unwrap();
        while let Some(message) = socket.read().unwrap() {
            socket.write(message).unwrap();
        }
        drop(socket);
        assert_echoed_in_two_writes(&stream);
    });
}

#[test]
fn replies_of_a_handler_to_all_that_arrived_in_one_read_leave_in_one_write() {
    bounded(|| {
        let mut stream = FaultyStream::to(MemoryPeer::client(batch));
        let mut socket = Server::new().accept_over(&mut stream).unwrap();
        socket.serve(|message, outbox| outbox.send(message)).map_err(|e: Error| e).unwrap();
        drop(socket);
        assert_echoed_in_two_writes(&stream);
    });
}

#[test]
fn small_messages_wait_for_a_flush_or_a_read() {
    bounded(|| {
        let mut stream = FaultyStream::to(MemoryPeer::echo_server());
        let mut socket = Client::new("ws://memory/").unwrap().connect_over(&mut stream).unwrap();
        for _ in 0..100 {
            socket.write("small").unwrap();
        }
        assert_eq!(socket.stream().count(Call::Write), 1, "the handshake request");
        socket.flush().unwrap();
        assert_eq!(socket.stream().count(Call::Write), 2);
        assert_eq!(socket.stream().peer.messages().len(), 100);
        socket.write("small").unwrap();
        socket.read().unwrap();
        assert_eq!(socket.stream().peer.messages().len(), 101);
    });
}

#[test]
fn sixty_four_kibibytes_do_not_wait_for_a_flush() {
    bounded(|| {
        let mut stream = FaultyStream::to(MemoryPeer::echo_server());
        let mut socket = Client::new("ws://memory/").unwrap().connect_over(&mut stream).unwrap();
        let kibibyte = [7; 1024];
        for _ in 0..64 {
            socket.write(&kibibyte).unwrap();
        }
        assert_eq!(socket.stream().peer.messages().len(), 64);
    });
}

#[test]
fn send_ping_and_close_do_not_wait() {
    bounded(|| {
        let mut stream = FaultyStream::to(MemoryPeer::echo_server());
        let mut socket = Client::new("ws://memory/").unwrap().connect_over(&mut stream).unwrap();
        socket.write("first").unwrap();
        socket.ping(b"second").unwrap();
        socket.send("third").unwrap();
        let heard = [
            Heard::Message("first".into()),
            Heard::Ping(b"second".to_vec()),
            Heard::Message("third".into()),
        ];
        assert_eq!(socket.stream().peer.heard, heard);
        socket.write("fourth").unwrap();
        socket.close(CloseCode::NORMAL, "").unwrap();
        assert!(socket.stream().peer.messages().contains(&"fourth".into()));
    });
}

#[test]
fn ten_thousand_messages_sent_without_a_flush_come_back_in_order() {
    bounded(|| {
        let (address, server) = serving(Server::new(), |socket| echo(socket).map(drop));
        let mut socket = client(address).connect().unwrap();
        for index in 0..10_000 {
            socket.write(index.to_string()).unwrap();
        }
        for index in 0..10_000 {
            assert_eq!(socket.read().unwrap(), Some(index.to_string().into()));
        }
        drop(socket);
        assert_matches!(server.join().unwrap(), Err(Error::Lost));
    });
}
