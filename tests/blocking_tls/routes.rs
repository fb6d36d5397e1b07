//! TLS at the end of a tunnel, and after a redirection.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;

use sansocket::CloseCode;
use sansocket::blocking::{AcceptError, ConnectError, Server};
use sansocket::bytes::Bytes;
use sansocket::handshake::{Decision, RedirectError};
use sansocket::http::{Response, StatusCode, header};

use crate::authority::LOCALHOST;
use crate::bounded::bounded;
use crate::loopback::{accepting, client, echo, listen, serving};

/// A proxy that leads one client to where it wants to go.
fn proxy() -> SocketAddr {
    let (listener, address) = listen();
    thread::spawn(move || {
        let mut near = listener.accept().unwrap().0;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            near.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
        let head = String::from_utf8(head).unwrap();
        let target = head.strip_prefix("CONNECT ").unwrap().split(' ').next().unwrap();
        let far = TcpStream::connect(target).unwrap();
        near.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        let outward = [near.try_clone().unwrap(), far.try_clone().unwrap()];
        let pump = |[mut from, mut to]: [TcpStream; 2]| {
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Write);
        };
        thread::spawn(move || pump(outward));
        pump([far, near]);
    });
    address
}

#[test]
fn a_tunnel_leads_to_a_server_of_wss() {
    bounded(|| {
        let (address, server) = serving(Server::new(), echo);
        let proxy = format!("http://{}", proxy()).parse().unwrap();
        let mut socket = client(address).proxy(proxy).connect().unwrap();
        assert!(socket.stream().tls().is_some());
        socket.send("Hello").unwrap();
        assert_eq!(socket.read().unwrap(), Some("Hello".into()));
        assert!(socket.close(CloseCode::NORMAL, "").unwrap().is_clean());
        server.join().unwrap().unwrap();
    });
}

/// A server that sends its client elsewhere.
fn redirecting(to: String) -> (SocketAddr, thread::JoinHandle<()>) {
    let server = Server::new().on_request(move |_, _| {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::FOUND;
        response.headers_mut().insert(header::LOCATION, to.parse().unwrap());
        Decision::Respond(response)
    });
    accepting(server, &LOCALHOST, |outcome| {
        assert_matches!(outcome.err(), Some(AcceptError::Refused { error: None, .. }));
    })
}

#[test]
fn a_redirection_leads_from_wss_to_wss() {
    bounded(|| {
        let (address, server) = serving(Server::new(), echo);
        let (first, redirecting) = redirecting(format!("wss://localhost:{}/there", address.port()));
        let mut socket = client(first).redirects(1).connect().unwrap();
        assert_eq!(socket.stream().tcp().peer_addr().unwrap(), address);
        socket.send("Hello").unwrap();
        assert_eq!(socket.read().unwrap(), Some("Hello".into()));
        socket.close(CloseCode::NORMAL, "").unwrap();
        server.join().unwrap().unwrap();
        redirecting.join().unwrap();
    });
}

#[test]
fn a_redirection_never_leads_away_from_tls() {
    bounded(|| {
        let (listener, address) = listen();
        let (first, redirecting) = redirecting(format!("ws://{address}/"));
        let outcome = client(first).redirects(1).connect();
        assert_matches!(
            outcome.err(),
            Some(ConnectError::Redirect { error: RedirectError::Downgrade, .. })
        );
        redirecting.join().unwrap();
        listener.set_nonblocking(true).unwrap();
        assert_eq!(listener.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
    });
}
