//! How connections end: with a `close_notify`, without one, and by bytes that nobody encrypted.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::Duration;

use sansocket::blocking::{ConnectError, Error, Server, Socket, TlsStream};
use sansocket::rustls::version::TLS13;
use sansocket::{CloseCode, CloseSignal};

use crate::authority::{AUTHORITY, LOCALHOST};
use crate::bounded::bounded;
use crate::faulty_socket::FaultySocket;
use crate::loopback::{accepting, client, listen, pair, serving, streams};
use crate::tls_peer::TlsPeer;

fn assert_ended_without_notice(stream: &mut TlsStream) {
    for _ in 0..2 {
        let error = stream.read(&mut [0]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    }
}

#[test]
fn the_end_of_the_transport_without_a_close_notify_is_unexpected() {
    bounded(|| {
        let (mut client, server) = streams();
        drop(server);
        assert_ended_without_notice(&mut client);
        let (client, mut server) = streams();
        client.socket().shutdown(Shutdown::Write).unwrap();
        assert_ended_without_notice(&mut server);
    });
}

#[test]
fn a_close_notify_is_the_end_of_one_direction_only() {
    bounded(|| {
        let (mut client, mut server) = streams();
        client.write_all(b"my last words").unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut received = Vec::new();
        server.read_to_end(&mut received).unwrap();
        assert_eq!(received, b"my last words");
        server.write_all(b"and mine").unwrap();
        server.shutdown(Shutdown::Write).unwrap();
        received.clear();
        client.read_to_end(&mut received).unwrap();
        assert_eq!(received, b"and mine");
    });
}

#[test]
fn a_close_notify_waits_no_longer_than_a_write_may() {
    bounded(|| {
        for (write, how, longest) in [
            (None, Shutdown::Write, Duration::from_secs(1)),
            (Some(Duration::from_secs(5)), Shutdown::Write, Duration::from_secs(1)),
            (Some(Duration::from_millis(20)), Shutdown::Write, Duration::from_millis(20)),
            (None, Shutdown::Both, Duration::from_millis(1)),
        ] {
            let socket = FaultySocket::to(TlsPeer::server(&TLS13));
            let mut stream = AUTHORITY.connector().stream("localhost", socket.clone()).unwrap();
            stream.handshake().unwrap();
            stream.set_write_timeout(write).unwrap();
            stream.shutdown(how).unwrap();
            let state = socket.state();
            assert!(state.peer.is_done, "it was sent");
            assert!(state.write_timeout.is_some_and(|timeout| timeout <= longest), "{write:?}");
            assert_eq!(state.shutdowns, [how]);
        }
    });
}

#[test]
fn nothing_is_written_behind_the_close_notify() {
    bounded(|| {
        let (mut client, mut server) = streams();
        client.shutdown(Shutdown::Write).unwrap();
        let written = client.write_all(b"too late").and_then(|()| client.flush());
        assert_matches!(written, Err(_));
        assert_eq!(server.read(&mut [0]).unwrap(), 0);
    });
}

#[test]
fn bytes_that_nobody_encrypted_end_the_connection_and_the_peer_is_told() {
    bounded(|| {
        let (mut client, mut server) = streams();
        server.write_all(b"whole").unwrap();
        server.flush().unwrap();
        server.socket().write_all(b"\x17\x03\x03\x00\x20forged forged forged forged !!!!").unwrap();
        let mut received = [0; 5];
        // What was whole comes first.
        client.read_exact(&mut received).unwrap();
        assert_eq!(&received, b"whole");
        for _ in 0..2 {
            assert_eq!(client.read(&mut [0]).unwrap_err().kind(), ErrorKind::InvalidData);
        }
        assert_matches!(client.write(b"more"), Err(error) if error.kind() == ErrorKind::InvalidData);
        let told = server.read(&mut [0]).unwrap_err();
        assert!(told.to_string().contains("BadRecordMac"), "{told}");
    });
}

#[test]
fn a_websocket_that_loses_its_transport_is_lost_with_and_without_a_close_notify() {
    bounded(|| {
        for how in [Some(Shutdown::Write), None] {
            let (mut client, server) = pair(Server::new(), |client| client);
            if let Some(how) = how {
                server.stream().shutdown(how).unwrap();
            }
            drop(server);
            assert_matches!(client.read(), Err(Error::Lost));
            let (client, mut server) = pair(Server::new(), |client| client);
            if let Some(how) = how {
                client.stream().shutdown(how).unwrap();
            }
            drop(client);
            assert_matches!(server.read(), Err(Error::Lost));
        }
    });
}

/// A WebSocket client that is only a TLS stream, its handshake done.
fn raw_client(address: std::net::SocketAddr) -> TlsStream {
    let tcp = TcpStream::connect(address).unwrap();
    let mut stream = AUTHORITY.connector().stream("localhost", tcp).unwrap();
    stream
        .write_all(
            b"GET /chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
            Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
            Sec-WebSocket-Version: 13\r\n\r\n",
        )
        .unwrap();
    stream.flush().unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "));
    stream
}

#[test]
fn a_server_closes_first_and_says_so_in_every_layer() {
    bounded(|| {
        let (address, server) = serving(Server::new(), |mut socket| socket.read());
        let mut stream = raw_client(address);
        // A masked Close with 1000.
        stream.write_all(b"\x88\x82\0\0\0\0\x03\xe8").unwrap();
        stream.flush().unwrap();
        let mut received = Vec::new();
        // The Close, the `close_notify`, and the end of TCP.
        stream.read_to_end(&mut received).unwrap();
        assert_eq!(received, b"\x88\x02\x03\xe8");
        assert_eq!(stream.socket().read(&mut [0]).unwrap(), 0);
        stream.shutdown(Shutdown::Write).unwrap();
        assert_matches!(server.join().unwrap(), Ok(None));
    });
}

#[test]
fn a_peer_that_ends_without_a_close_notify_behind_its_close_has_closed_cleanly() {
    bounded(|| {
        let (address, server) = serving(Server::new(), |mut socket| {
            socket.read().map(|message| (message, socket.close_status()))
        });
        let mut stream = raw_client(address);
        stream.write_all(b"\x88\x82\0\0\0\0\x03\xe8").unwrap();
        stream.flush().unwrap();
        let mut received = [0; 4];
        stream.read_exact(&mut received).unwrap();
        drop(stream);
        let (message, status) = server.join().unwrap().unwrap();
        assert_eq!(message, None);
        assert_eq!(status.unwrap().remote, CloseSignal::Code(CloseCode::NORMAL));
    });
}

#[test]
fn an_answer_to_a_request_that_is_refused_arrives_whole() {
    bounded(|| {
        let (address, server) = accepting(Server::new(), &LOCALHOST, drop);
        let tcp = TcpStream::connect(address).unwrap();
        let mut stream = AUTHORITY.connector().stream("localhost", tcp).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        stream.flush().unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 426 "), "{}", answer.escape_ascii());
        drop(stream);
        server.join().unwrap();
    });
}

#[test]
fn the_answer_of_a_server_that_ends_without_a_close_notify_is_an_answer() {
    bounded(|| {
        let (listener, address) = listen();
        let server = thread::spawn(move || {
            let mut stream = LOCALHOST.acceptor().stream(listener.accept().unwrap().0).unwrap();
            let mut head = [0; 4096];
            assert!(stream.read(&mut head).unwrap() > 0);
            // It ends with the connection (RFC 9112, §6.3).
            stream.write_all(b"HTTP/1.1 401 Unauthorized\r\n\r\nwho are you?").unwrap();
            stream.flush().unwrap();
        });
        let outcome = client(address).connect();
        let Err(ConnectError::Rejected(response)) = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(response.status(), 401);
        assert_eq!(response.body(), b"who are you?");
        server.join().unwrap();
    });
}
