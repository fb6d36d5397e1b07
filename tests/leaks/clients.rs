//! Ways in which clients fail, each with a peer over TCP that does its part.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use sansocket::CloseCode;
use sansocket::blocking::{Client, ClientStream, ConnectError, Error, WebSocket};
use sansocket::handshake::{ResponseError, SecWebSocketKey};
use socket2::{Domain, SockRef, Socket, Type};

use crate::{INSTANT, PATIENCE, Way, drain, patient, take_head};

pub(crate) const WAYS: [Way; 16] = [
    refused,
    refused_by_each_address,
    refused_by_a_unix_socket,
    refused_by_a_proxy,
    reset_by_a_proxy,
    reset_at_once,
    ended_before_the_response,
    answered_with_something_else,
    answered_with_another_key,
    rejected,
    not_answered_in_time,
    ended_within_a_message,
    reset_within_a_message,
    reset_between_two_threads,
    told_what_breaks_the_protocol,
    not_answered_to_a_close_frame,
];

fn refused(cycles: usize) {
    // A port that is taken, but that nobody listens on.
    let taken = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    taken.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    let address = taken.local_addr().unwrap().as_socket().unwrap();
    for _ in 0..cycles {
        assert_matches!(connect(address), Err(ConnectError::Connect { source, .. })
            if source.kind() == ErrorKind::ConnectionRefused);
    }
}

/// Most systems have two addresses for this name, one of which is tried in a thread of its own.
fn refused_by_each_address(cycles: usize) {
    let taken = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    taken.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    let port = taken.local_addr().unwrap().as_socket().unwrap().port();
    let client = Client::new(&format!("ws://localhost:{port}")).unwrap().timeouts(patient());
    for _ in 0..cycles {
        assert_matches!(client.connect(), Err(ConnectError::Connect { .. }));
    }
}

fn refused_by_a_unix_socket(cycles: usize) {
    let client = Client::new("ws://localhost/").unwrap().timeouts(patient());
    for _ in 0..cycles {
        let outcome = client.connect_unix("/nonexistent/socket");
        assert_matches!(outcome.err(), Some(ConnectError::Connect { .. }));
    }
}

fn refused_by_a_proxy(cycles: usize) {
    let answer = |mut peer: TcpStream| {
        take_head(&mut peer);
        peer.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").unwrap();
        drain(&mut peer);
    };
    with_peer(cycles, answer, |address| {
        assert_matches!(connect_through(address), Err(ConnectError::ProxyRefused(_)));
    });
}

fn reset_by_a_proxy(cycles: usize) {
    let answer = |mut peer: TcpStream| {
        take_head(&mut peer);
        reset(peer);
    };
    with_peer(cycles, answer, |address| {
        assert_matches!(connect_through(address), Err(ConnectError::ProxyConnect { .. }));
    });
}

fn reset_at_once(cycles: usize) {
    with_peer(cycles, reset, |address| {
        assert_matches!(connect(address), Err(ConnectError::Io(_) | ConnectError::Connect { .. }));
    });
}

fn ended_before_the_response(cycles: usize) {
    let end = |mut peer: TcpStream| drop(take_head(&mut peer));
    with_peer(cycles, end, |address| {
        assert_matches!(connect(address), Err(ConnectError::Response(ResponseError::Truncated)));
    });
}

fn answered_with_something_else(cycles: usize) {
    let answer = |mut peer: TcpStream| {
        take_head(&mut peer);
        peer.write_all(b"SSH-2.0-server\r\n\r\n").unwrap();
        drain(&mut peer);
    };
    with_peer(cycles, answer, |address| {
        assert_matches!(connect(address), Err(ConnectError::Response(_)));
    });
}

fn answered_with_another_key(cycles: usize) {
    let answer = |mut peer: TcpStream| {
        take_head(&mut peer);
        let key = SecWebSocketKey::parse(b"dGhlIHNhbXBsZSBub25jZQ==").unwrap();
        peer.write_all(response(key).as_bytes()).unwrap();
        drain(&mut peer);
    };
    with_peer(cycles, answer, |address| {
        assert_matches!(connect(address), Err(ConnectError::Response(_)));
    });
}

fn rejected(cycles: usize) {
    let answer = |mut peer: TcpStream| {
        take_head(&mut peer);
        let body = "no".repeat(500);
        let length = body.len();
        let head = format!("HTTP/1.1 404 Not Found\r\nContent-Length: {length}\r\n\r\n");
        peer.write_all((head + &body).as_bytes()).unwrap();
        drain(&mut peer);
    };
    with_peer(cycles, answer, |address| {
        assert_matches!(connect(address), Err(ConnectError::Rejected(_)));
    });
}

fn not_answered_in_time(cycles: usize) {
    with_peer(
        cycles,
        |mut peer| drain(&mut peer),
        |address| {
            let client = client(address).timeouts(patient().handshake(INSTANT));
            assert_matches!(client.connect(), Err(ConnectError::TimedOut));
        },
    );
}

fn ended_within_a_message(cycles: usize) {
    let end = |peer: TcpStream| drop(open(peer, HALF_A_MESSAGE));
    with_peer(cycles, end, |address| {
        assert_matches!(connect(address).unwrap().read(), Err(Error::Lost));
    });
}

fn reset_within_a_message(cycles: usize) {
    let end = |peer: TcpStream| reset(wait(open(peer, HALF_A_MESSAGE)));
    with_peer(cycles, end, |address| {
        let mut socket = connect(address).unwrap();
        socket.send("ready").unwrap();
        assert_matches!(socket.read(), Err(Error::Io(_)));
    });
}

fn reset_between_two_threads(cycles: usize) {
    let end = |peer: TcpStream| reset(wait(open(peer, HALF_A_MESSAGE)));
    with_peer(cycles, end, |address| {
        let (mut reader, writer) = connect(address).unwrap().split().unwrap();
        let writing = thread::spawn(move || while writer.send("and on").is_ok() {});
        assert_matches!(reader.read(), Err(Error::Io(_) | Error::Lost));
        writing.join().unwrap();
    });
}

fn told_what_breaks_the_protocol(cycles: usize) {
    let violate = |peer: TcpStream| {
        let mut peer = open(peer, b"\x83\0");
        // The client's Close frame, after which it is for the server to end TCP.
        peer.read_exact(&mut [0; 8]).unwrap();
    };
    with_peer(cycles, violate, |address| {
        assert_matches!(connect(address).unwrap().read(), Err(Error::Protocol(_)));
    });
}

fn not_answered_to_a_close_frame(cycles: usize) {
    let ignore = |peer: TcpStream| drain(&mut open(peer, b""));
    with_peer(cycles, ignore, |address| {
        let timeouts = patient().close(INSTANT);
        let mut socket = client(address).timeouts(timeouts).connect().unwrap();
        assert_matches!(socket.close(CloseCode::NORMAL, ""), Err(Error::CloseTimedOut));
    });
}

/// The beginning of a binary message of 256 bytes.
const HALF_A_MESSAGE: &[u8] = b"\x82\x7E\x01\x00the beginning";

/// Has a peer do this with this many connections, one after the other, and a client do its part. If a
/// client fails in a way that it shouldn't, its peer is left alone.
fn with_peer(
    cycles: usize,
    peer: impl Fn(TcpStream) + Send + 'static,
    client: impl Fn(SocketAddr),
) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let peer = thread::spawn(move || {
        for _ in 0..cycles {
            let (stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            peer(stream);
        }
    });
    for _ in 0..cycles {
        client(address);
    }
    peer.join().unwrap();
}

fn client(address: SocketAddr) -> Client {
    Client::new(&format!("ws://{address}/")).unwrap().timeouts(patient())
}

fn connect(address: SocketAddr) -> Result<WebSocket<ClientStream>, ConnectError> {
    client(address).connect()
}

fn connect_through(proxy: SocketAddr) -> Result<WebSocket<ClientStream>, ConnectError> {
    let proxy = format!("http://{proxy}").parse().unwrap();
    Client::new("ws://server.invalid/").unwrap().timeouts(patient()).proxy(proxy).connect()
}

/// Does the server's part of the handshake, and says this.
fn open(mut peer: TcpStream, says: &[u8]) -> TcpStream {
    let head = take_head(&mut peer);
    let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
    let response = response(SecWebSocketKey::parse(key.as_bytes()).unwrap());
    peer.write_all(&[response.as_bytes(), says].concat()).unwrap();
    peer
}

fn response(key: SecWebSocketKey) -> String {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        key.accept().as_str()
    )
}

/// Waits until the client says something.
fn wait(peer: TcpStream) -> TcpStream {
    assert!(peer.peek(&mut [0]).unwrap() > 0);
    peer
}

/// Ends TCP with a reset, whatever is still on its way.
fn reset(peer: TcpStream) {
    SockRef::from(&peer).set_linger(Some(Duration::ZERO)).unwrap();
    drop(peer);
}
