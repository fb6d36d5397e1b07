//! The TCP connection of a client: its local end, and what is set on it.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::time::Duration;

use sansocket::blocking::{Client, ConnectError, Server, TcpOptions};

use crate::bounded::bounded;
use crate::loopback::{client, listen, pair, serving};

#[test]
fn a_client_connects_from_the_address_that_it_is_given() {
    bounded(|| {
        let local = Ipv4Addr::LOCALHOST;
        // All of 127.0.0.0/8 is this machine on Linux, but not everywhere.
        let local = if cfg!(target_os = "linux") { Ipv4Addr::new(127, 1, 2, 3) } else { local };
        let (client, server) = pair(Server::new(), |client| client.bind((local, 0)));
        let seen = server.stream().tcp().peer_addr().unwrap();
        assert_eq!(seen.ip(), local);
        assert_eq!(client.stream().tcp().local_addr().unwrap(), seen);
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_client_connects_from_the_port_that_it_is_given() {
    bounded(|| {
        // No other test uses this address, so the port is free.
        let local = SocketAddr::from(([127, 1, 2, 4], 9001));
        let bound = || pair(Server::new(), |client| client.bind(local));
        for _ in 0..2 {
            // There may be one connection per server, and again once they are gone.
            for (client, server) in [bound(), bound()] {
                assert_eq!(client.stream().tcp().local_addr().unwrap(), local);
                assert_eq!(server.stream().tcp().peer_addr().unwrap(), local);
            }
        }
    });
}

#[test]
fn an_address_of_the_other_family_is_not_tried() {
    bounded(|| {
        let (listener, address) = listen();
        let outcome = client(address).bind((Ipv6Addr::LOCALHOST, 0)).connect();
        assert_matches!(outcome, Err(ConnectError::Connect { host, source })
            if host == address.to_string() && source.kind() == ErrorKind::AddrNotAvailable);
        listener.set_nonblocking(true).unwrap();
        assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    });
}

#[test]
fn an_address_that_is_not_of_this_machine_is_an_error() {
    bounded(|| {
        let (_listener, address) = listen();
        // An address for documentation only (RFC 5737).
        let outcome = client(address).bind(([192, 0, 2, 1], 0)).connect();
        assert_matches!(outcome, Err(ConnectError::Connect { source, .. })
            if source.kind() == ErrorKind::AddrNotAvailable);
    });
}

#[test]
fn ipv6_is_connected_to() {
    bounded(|| {
        // Not every machine has it.
        let Ok(listener) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) else { return };
        let address = listener.local_addr().unwrap();
        let serving = std::thread::spawn(move || {
            Server::new().accept(listener.accept().unwrap().0).unwrap();
        });
        let socket = client(address).connect().unwrap();
        assert_eq!(socket.stream().tcp().peer_addr().unwrap(), address);
        serving.join().unwrap();
    });
}

/// If it has two addresses, the one where nobody listens is passed over.
#[test]
fn a_name_is_connected_to_at_the_address_that_accepts() {
    bounded(|| {
        let (address, server) = serving(Server::new(), drop);
        let url = format!("ws://localhost:{}/", address.port());
        let socket = Client::new(&url).unwrap().connect().unwrap();
        assert_eq!(socket.stream().tcp().peer_addr().unwrap(), address);
        server.join().unwrap();
    });
}

#[test]
fn what_is_asked_for_is_set_on_the_socket() {
    bounded(|| {
        let tcp = TcpOptions::default().nagle().keepalive(Duration::from_secs(60));
        let (client, _server) = pair(Server::new(), |client| client.tcp(tcp));
        assert!(!client.stream().tcp().nodelay().unwrap());
        let (client, _server) = pair(Server::new(), |client| client.tcp(TcpOptions::default()));
        assert!(client.stream().tcp().nodelay().unwrap());
    });
}

#[test]
fn small_buffers_carry_large_messages() {
    bounded(|| {
        let tcp = TcpOptions::default().send_buffer_size(4096).receive_buffer_size(4096);
        let (address, server) =
            serving(Server::new(), |socket| drop(crate::loopback::echo(socket)));
        let mut socket = client(address).tcp(tcp).connect().unwrap();
        let message = vec![7; 1 << 20];
        socket.send(&message[..]).unwrap();
        assert_eq!(socket.read().unwrap().unwrap().as_bytes(), message);
        drop(socket);
        server.join().unwrap();
    });
}
