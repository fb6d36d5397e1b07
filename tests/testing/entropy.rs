//! Reproducible bytes.

use std::io::Read;

use sansocket::blocking::{Client, Server, Socket};
use sansocket::testing::{MemorySocket, fixed_entropy, pair_with};
use sansocket::{Connection, Role};

use crate::bounded::bounded;

/// All that a client says: its handshake and a message.
fn said(client: &Client) -> Vec<u8> {
    let (near, mut far) = MemorySocket::pair();
    near.shutdown(std::net::Shutdown::Read).unwrap();
    let _ = client.connect_on(near);
    let mut bytes = Vec::new();
    far.read_to_end(&mut bytes).unwrap();

    let (socket, server) = pair_with(client, &Server::new());
    let mut wire = server.unwrap().into_stream();
    socket.unwrap().send("Hello").unwrap();
    wire.read_to_end(&mut bytes).unwrap();
    bytes
}

fn client(seed: u64) -> Client {
    Client::new("ws://memory/").unwrap().entropy(fixed_entropy(seed))
}

#[test]
fn the_same_seed_says_the_same_and_another_seed_something_else() {
    bounded(|| {
        assert_eq!(said(&client(7)), said(&client(7)));
        assert_ne!(said(&client(7)), said(&client(8)));
        let once = client(7);
        assert_ne!(said(&once), said(&once), "one source doesn't repeat itself");
    });
}

/// Otherwise, other people's tests would fail.
#[test]
fn a_seed_says_the_same_in_every_release() {
    let mut keys = Vec::new();
    let mut connection = Connection::with_entropy(
        Role::Client,
        sansocket::Config::default(),
        fixed_entropy(u64::MAX),
    );
    for _ in 0..3 {
        connection.send("").unwrap();
        let mut frame = [0; 6];
        bytes::Buf::copy_to_slice(connection.outgoing(), &mut frame);
        keys.extend_from_slice(&frame[2..]);
    }
    assert_eq!(keys, [0x20, 0x2C, 0x65, 0x1B, 0xC9, 0x82, 0xF6, 0xDB, 0xE9, 0x81, 0x72, 0xB2]);
}
