//! Connections that end without a closing handshake.

use std::thread;

use sansocket::blocking::{Error, Server};
use sansocket::frame::Opcode;
use sansocket::{CloseCode, CloseSignal, ClosedBy, ConnectionState, UsageError};

use crate::bounded::bounded;
use crate::loopback::{Socket, client, listen, pair, serving};
use crate::raw_peer::{RawPeer, from_client, from_server};

fn assert_lost(socket: &mut Socket) {
    for _ in 0..3 {
        assert_matches!(socket.read(), Err(Error::Lost));
    }
    assert_matches!(socket.close(CloseCode::NORMAL, ""), Err(Error::Lost));
    assert_matches!(socket.write("more"), Err(Error::Usage(UsageError::NotOpen)));
    assert_eq!(socket.state(), ConnectionState::Closed);
    let status = socket.close_status().unwrap();
    assert_eq!(status.closed_by, ClosedBy::Transport);
    assert_eq!((status.local, status.remote), (CloseSignal::Missing, CloseSignal::Missing));
    assert_eq!(status.remote.number(), 1006);
    assert!(!status.is_clean());
}

#[test]
fn a_client_that_is_dropped_is_lost_to_the_server() {
    bounded(|| {
        let (client, mut server) = pair(Server::new(), |client| client);
        drop(client);
        assert_lost(&mut server);
    });
}

#[test]
fn a_server_that_is_dropped_is_lost_to_the_client() {
    bounded(|| {
        let (mut client, server) = pair(Server::new(), |client| client);
        drop(server);
        assert_lost(&mut client);
    });
}

#[test]
fn the_end_of_tcp_at_any_byte_of_a_frame_is_a_loss() {
    bounded(|| {
        let frame = from_client(Opcode::Text, &[b'x'; 130]);
        for end in [0, 1, 2, 3, 4, 7, 8, 9, frame.len() - 1] {
            let (address, server) = serving(Server::new(), |socket| socket);
            let mut peer = RawPeer::client(address);
            peer.send(&frame[..end]);
            drop(peer);
            assert_lost(&mut server.join().unwrap());
        }
    });
}

#[test]
fn what_arrived_whole_before_the_loss_is_delivered() {
    bounded(|| {
        let (address, server) = serving(Server::new(), |socket| socket);
        let mut peer = RawPeer::client(address);
        peer.send(from_client(Opcode::Text, b"one"));
        peer.send(from_client(Opcode::Text, b"two"));
        peer.send(&from_client(Opcode::Text, b"three")[..6]);
        drop(peer);
        let mut server = server.join().unwrap();
        assert_eq!(server.read().unwrap(), Some("one".into()));
        assert_eq!(server.read().unwrap(), Some("two".into()));
        assert_lost(&mut server);
    });
}

#[test]
fn a_peer_that_resets_the_connection_within_a_frame_is_an_error_of_the_transport() {
    bounded(|| {
        let (listener, address) = listen();
        let reading = thread::spawn(move || {
            let mut socket = client(address).connect().unwrap();
            socket.send("never read").unwrap();
            let outcome = socket.read();
            (outcome, socket)
        });
        let mut peer = RawPeer::server(&listener);
        peer.send(&from_server(Opcode::Text, b"never finished")[..4]);
        // A socket that is closed with bytes unread resets the connection.
        peer.stream().peek(&mut [0]).unwrap();
        drop(peer);
        let (outcome, mut socket) = reading.join().unwrap();
        assert_matches!(outcome, Err(Error::Io(_) | Error::Lost));
        assert_lost(&mut socket);
    });
}

#[test]
fn a_peer_that_is_gone_is_an_error_of_the_write() {
    bounded(|| {
        let (mut client, server) = pair(Server::new(), |client| client);
        client.send("never read").unwrap();
        server.stream().tcp().peek(&mut [0]).unwrap();
        drop(server);
        let failure = loop {
            if let Err(error) = client.send("more") {
                break error;
            }
        };
        assert_matches!(failure, Error::Io(_));
        for _ in 0..3 {
            assert_matches!(client.read(), Err(Error::Io(_) | Error::Lost));
        }
        assert_matches!(client.write("more"), Err(Error::Usage(UsageError::NotOpen)));
        assert_eq!(client.state(), ConnectionState::Closed);
    });
}
