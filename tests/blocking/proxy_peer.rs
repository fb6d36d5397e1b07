//! A proxy that leads every tunnel to one server.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread::{self, JoinHandle};

use crate::loopback::listen;
use crate::raw_peer::RawPeer;

/// A thread that opens this many tunnels to this server, one after the other, and returns the heads
/// of the requests for them.
pub(crate) fn relaying(
    server: SocketAddr,
    tunnels: usize,
) -> (SocketAddr, JoinHandle<Vec<String>>) {
    let (listener, address) = listen();
    let thread = thread::spawn(move || {
        let open = |_| {
            let mut client = RawPeer::accept(&listener);
            let head = client.receive_head();
            let server = TcpStream::connect(server).unwrap();
            client.send("HTTP/1.1 200 Connection established\r\n\r\n");
            (head, relay(client.stream(), &server))
        };
        let (heads, relays): (_, Vec<_>) = (0..tunnels).map(open).unzip();
        relays.into_iter().flatten().for_each(|relay| relay.join().unwrap());
        heads
    });
    (address, thread)
}

/// Two threads that pass on the bytes and the end of each direction.
fn relay(client: &TcpStream, server: &TcpStream) -> [JoinHandle<()>; 2] {
    [(client, server), (server, client)].map(|(from, to)| {
        let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
        thread::spawn(move || {
            // An end that is gone ends the tunnel.
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Write);
        })
    })
}
