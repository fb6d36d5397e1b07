//! Two or more threads on one connection.

mod closing;
mod faults;
mod faults_of_streams;
mod held;
mod load;
mod reunite;
mod sharing;
mod stalled;
mod turns;
mod without_waiting;

use sansocket::blocking::{Reader, Timeouts, Writer};
use sansocket::{Config, Role};

use crate::either_role::open;
use crate::pipe::Pipe;
use crate::raw_peer::RawPeer;

/// One end of a connection, split, and a peer that says exactly what it is told to.
fn split(
    role: Role,
    capacity: usize,
    timeouts: Timeouts,
) -> (Reader<Pipe>, Writer<Pipe>, RawPeer<Pipe>) {
    split_with(role, capacity, timeouts, Config::default())
}

/// The same, with limits of its own.
fn split_with(
    role: Role,
    capacity: usize,
    timeouts: Timeouts,
    config: Config,
) -> (Reader<Pipe>, Writer<Pipe>, RawPeer<Pipe>) {
    let (socket, peer) = open(role, capacity, timeouts, config);
    let (reader, writer) = socket.split().unwrap();
    (reader, writer, peer)
}

/// More than the transports of these tests hold.
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
