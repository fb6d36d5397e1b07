//! Two threads and more on one connection.

mod closing;
mod faults;
mod faults_of_streams;
mod load;
mod reunite;
mod sharing;
mod stalled;
mod turns;

use std::thread;

use sansocket::blocking::{Client, Reader, Server, Timeouts, WebSocket, Writer};
use sansocket::frame::Opcode;
use sansocket::{Config, Role};

use crate::pipe::{Pipe, pipe};
use crate::raw_peer::{RawPeer, from_client, from_server};

const ROLES: [Role; 2] = [Role::Client, Role::Server];

/// One end of a connection, and a peer that says exactly what it is told to, over a transport that
/// holds `capacity` bytes in each direction.
fn open(
    role: Role,
    capacity: usize,
    timeouts: Timeouts,
    config: Config,
) -> (WebSocket<Pipe>, RawPeer<Pipe>) {
    let (ours, theirs) = pipe(capacity);
    let opening = thread::spawn(move || match role {
        Role::Server => Server::new().timeouts(timeouts).config(config).accept(ours).unwrap(),
        Role::Client => {
            let client = Client::new("ws://memory/").unwrap();
            client.timeouts(timeouts).config(config).connect_on(ours).unwrap()
        }
    });
    let peer = match role {
        Role::Server => RawPeer::new(theirs).open(),
        Role::Client => RawPeer::new(theirs).answer(),
    };
    (opening.join().unwrap(), peer)
}

/// The same, with the end split.
fn split(
    role: Role,
    capacity: usize,
    timeouts: Timeouts,
) -> (Reader<Pipe>, Writer<Pipe>, RawPeer<Pipe>) {
    let (socket, peer) = open(role, capacity, timeouts, Config::default());
    let (reader, writer) = socket.split().unwrap();
    (reader, writer, peer)
}

/// A final frame as the peer of this role sends it.
fn to(role: Role, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    match role {
        Role::Server => from_client(opcode, payload),
        Role::Client => from_server(opcode, payload),
    }
}

/// Longer than the transports of these tests hold.
fn long(first: u8) -> Vec<u8> {
    (first..=255).cycle().take(100_000).collect()
}

#[test]
fn the_ends_can_go_to_other_threads() {
    fn is_send<T: Send>() {}
    fn is_shared_and_cloned<T: Send + Sync + Clone>() {}
    is_send::<Reader<std::net::TcpStream>>();
    is_shared_and_cloned::<Writer<std::net::TcpStream>>();
}
