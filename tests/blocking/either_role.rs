//! Tests that hold for a client and for a server: our end in one role, and a peer in the other.

use std::sync::Arc;
use std::thread;

use sansocket::blocking::{Client, Server, Socket, Timeouts, WebSocket};
use sansocket::frame::Opcode;
use sansocket::{Config, Role};

use crate::altered::{Alteration, Altered};
use crate::pipe::{Pipe, pipe};
use crate::raw_peer::{RawPeer, from_client, from_server};

pub(crate) const ROLES: [Role; 2] = [Role::Client, Role::Server];

/// One end of a connection, and a peer that says exactly what it is told to, over a transport that
/// holds `capacity` bytes in each direction.
pub(crate) fn open(
    role: Role,
    capacity: usize,
    timeouts: Timeouts,
    config: Config,
) -> (WebSocket<Pipe>, RawPeer<Pipe>) {
    open_over(role, pipe(capacity), timeouts, config)
}

/// The same over a transport some of whose calls do something else at our end.
pub(crate) fn open_altered<A: Alteration<Pipe> + Default + 'static>(
    role: Role,
    capacity: usize,
    timeouts: Timeouts,
) -> (WebSocket<Altered<Pipe, A>>, RawPeer<Pipe>, Arc<A>) {
    let (ours, theirs) = pipe(capacity);
    let alteration = Arc::<A>::default();
    let ours = Altered::new(ours, Arc::clone(&alteration));
    let (socket, peer) = open_over(role, (ours, theirs), timeouts, Config::default());
    (socket, peer, alteration)
}

/// The same over these two ends of a transport.
pub(crate) fn open_over<S: Socket + Send + 'static>(
    role: Role,
    (ours, theirs): (S, Pipe),
    timeouts: Timeouts,
    config: Config,
) -> (WebSocket<S>, RawPeer<Pipe>) {
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

/// A final frame to an end of this role.
pub(crate) fn to(role: Role, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    match role {
        Role::Server => from_client(opcode, payload),
        Role::Client => from_server(opcode, payload),
    }
}

/// A frame of a message to an end of this role; more follow unless it is `fin`.
pub(crate) fn fragment_to(role: Role, fin: bool, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut frame = to(role, opcode, payload);
    if !fin {
        frame[0] &= 0x7F;
    }
    frame
}
