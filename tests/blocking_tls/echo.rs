//! Messages there and back over `wss`, and what is agreed on below them.

use std::net::{Ipv6Addr, TcpListener, TcpStream};
use std::thread;

use sansocket::blocking::{Client, Error, Server, TlsAcceptor, TlsConnector, WebSocket};
use sansocket::rustls::version::{TLS12, TLS13};
use sansocket::rustls::{Connection, ProtocolVersion};
use sansocket::{CloseCode, CloseSignal, Message};

use crate::authority::{AUTHORITY, LOCALHOST, VERSIONS};
use crate::bounded::bounded;
use crate::loopback::{client, echo, listen, pair, serving};

/// Where the lengths of frames and records change, and more than any buffer.
const SIZES: [usize; 9] = [0, 1, 126, 16_383, 16_384, 16_385, 65_537, 1 << 20, (16 << 20) - 1];

fn message(size: usize) -> Vec<u8> {
    b"sansocket".iter().copied().cycle().take(size).collect()
}

#[test]
fn messages_of_every_size_come_back() {
    bounded(|| {
        let (address, server) = serving(Server::new(), echo);
        let mut socket = client(address).connect().unwrap();
        for size in SIZES {
            socket.send(message(size)).unwrap();
            let reply = socket.read().unwrap().unwrap();
            assert!(matches!(&reply, Message::Binary(_)), "{size}");
            assert!(reply.as_bytes() == message(size), "{size}");
        }
        let status = socket.close(CloseCode::NORMAL, "done").unwrap();
        assert_eq!(status.remote, CloseSignal::Code(CloseCode::NORMAL));
        assert_matches!(socket.read(), Ok(None));
        let mut server = server.join().unwrap().unwrap();
        assert_matches!(server.read(), Ok(None));
    });
}

#[test]
fn messages_come_back_from_a_handler() {
    bounded(|| {
        let (address, server) = serving(Server::new(), |mut socket| {
            socket.serve(|message, outbox| outbox.send(message))
        });
        let mut socket = client(address).connect().unwrap();
        for text in ["one", "two", "three"] {
            socket.write(text).unwrap();
        }
        for text in ["one", "two", "three"] {
            assert_eq!(socket.read().unwrap(), Some(text.into()));
        }
        socket.close(CloseCode::NORMAL, "").unwrap();
        let outcome: Result<(), Error> = server.join().unwrap();
        outcome.unwrap();
    });
}

#[test]
fn both_ends_agree_on_http_1_1_and_see_the_certificate() {
    bounded(|| {
        let (client, server) = pair(Server::new(), |client| client);
        let tls = client.stream().tls().expect("it is a wss URL");
        assert_eq!(tls.alpn_protocol().as_deref(), Some(&b"http/1.1"[..]));
        assert_eq!(server.stream().alpn_protocol().as_deref(), Some(&b"http/1.1"[..]));
        assert_eq!(tls.peer_certificates().unwrap().len(), 1);
        assert_eq!(server.stream().peer_certificates(), None);
    });
}

#[test]
fn nagle_is_off_at_both_ends() {
    bounded(|| {
        let (client, server) = pair(Server::new(), |client| client);
        assert!(client.stream().tcp().nodelay().unwrap());
        assert!(server.stream().socket().nodelay().unwrap());
    });
}

#[test]
fn a_ws_url_has_no_tls() {
    bounded(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("ws://{}/", listener.local_addr().unwrap());
        let server =
            thread::spawn(move || Server::new().accept(listener.accept().unwrap().0).unwrap());
        let socket = Client::new(&url).unwrap().tls(AUTHORITY.connector()).connect().unwrap();
        assert!(socket.stream().tls().is_none());
        assert!(socket.stream().tcp().nodelay().unwrap());
        server.join().unwrap();
    });
}

#[test]
fn an_ipv6_address_is_the_name_in_the_certificate() {
    bounded(|| {
        // A machine without IPv6 has nothing to show here.
        let Ok(listener) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) else {
            return;
        };
        let url = format!("wss://{}/", listener.local_addr().unwrap());
        assert!(url.starts_with("wss://[::1]:"));
        let tls = AUTHORITY.issue(&["::1"]).acceptor();
        let server = thread::spawn(move || {
            Server::new().accept(tls.stream(listener.accept().unwrap().0).unwrap()).unwrap()
        });
        Client::new(&url).unwrap().tls(AUTHORITY.connector()).connect().unwrap();
        server.join().unwrap();
    });
}

#[test]
fn configurations_of_ones_own_are_used_and_sessions_resumed() {
    bounded(|| {
        for version in VERSIONS {
            let acceptor = TlsAcceptor::from(LOCALHOST.server_config(version));
            let connector = TlsConnector::from(AUTHORITY.client_config(version));
            for is_resumed in [false, true] {
                let (listener, address) = listen();
                let tls = acceptor.clone();
                let server = thread::spawn(move || {
                    let stream = tls.stream(listener.accept().unwrap().0).unwrap();
                    let mut socket = Server::new().accept(stream).unwrap();
                    socket.serve(|message, outbox| outbox.send(message)).map(|()| socket)
                });
                let tcp = TcpStream::connect(address).unwrap();
                let stream = connector.stream("localhost", tcp).unwrap();
                let mut socket =
                    Client::new("wss://localhost/").unwrap().connect_on(stream).unwrap();
                socket.send("Hello").unwrap();
                assert_eq!(socket.read().unwrap(), Some("Hello".into()));
                socket.close(CloseCode::NORMAL, "").unwrap();
                let server: Result<_, Error> = server.join().unwrap();
                let expected = if version == &TLS12 {
                    ProtocolVersion::TLSv1_2
                } else {
                    assert_eq!(version, &TLS13);
                    ProtocolVersion::TLSv1_3
                };
                let look = |connection: &Connection| {
                    (connection.protocol_version(), format!("{:?}", connection.handshake_kind()))
                };
                for (seen, kind) in
                    [socket.stream().inspect(look), server.unwrap().stream().inspect(look)]
                {
                    assert_eq!(seen, Some(expected));
                    assert_eq!(kind.contains("Resumed"), is_resumed, "{kind}");
                }
            }
        }
    });
}

#[test]
fn a_stream_of_tls_can_be_connected_over_and_accepted_over() {
    bounded(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            let stream = LOCALHOST.acceptor().stream(listener.accept().unwrap().0).unwrap();
            let mut socket = Server::new().accept_over(stream).unwrap();
            assert_eq!(socket.read().unwrap(), Some("Hello".into()));
            socket.send("Goodbye").unwrap();
        });
        let tcp = TcpStream::connect(address).unwrap();
        let stream = AUTHORITY.connector().stream("127.0.0.1", tcp).unwrap();
        let client = Client::new("wss://127.0.0.1/").unwrap();
        let mut socket: WebSocket<_> = client.connect_over(stream).unwrap();
        socket.send("Hello").unwrap();
        assert_eq!(socket.read().unwrap(), Some("Goodbye".into()));
        server.join().unwrap();
    });
}
