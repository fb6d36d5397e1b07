//! Ways in which the connections of an accept loop fail, each with a peer that does its part.

use std::env;
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use sansocket::CloseCode;
use sansocket::blocking::{
    AcceptError, AcceptLoop, CloneSocket, Error, Listener, Pending, Reader, Server, Timeouts,
    Writer,
};
use socket2::SockRef;

use crate::{INSTANT, PATIENCE, Way, drain, patient, take_head};

pub(crate) const WAYS: [Way; 10] = [
    asked_for_something_else,
    ended_within_a_request,
    reset_within_a_request,
    not_asked_in_time,
    ended_within_a_message,
    reset_within_a_message,
    reset_between_two_threads,
    told_what_breaks_the_protocol,
    not_read_by_the_peer,
    not_answered_to_a_close_frame,
];

/// The key is the RFC's.
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

/// The beginning of a binary message of 256 bytes.
const HALF_A_MESSAGE: &[u8] = b"\x82\xFE\x01\x00keysthe beginning";

/// More than the buffers of a Unix socket hold.
const TOO_MUCH: usize = 1 << 20;

fn asked_for_something_else(cycles: usize) {
    let ask = |mut peer: UnixStream| {
        peer.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        drain(&mut peer);
        None
    };
    over_unix(cycles, patient(), ask, read, |outcome| {
        assert_matches!(outcome, Err(Failure::Accept(AcceptError::Refused { .. })));
    });
}

fn ended_within_a_request(cycles: usize) {
    let end = |mut peer: UnixStream| {
        peer.write_all(b"GET / HTTP/1.1\r\nHo").unwrap();
        peer.shutdown(Shutdown::Write).unwrap();
        Some(peer)
    };
    over_unix(cycles, patient(), end, read, |outcome| {
        assert_matches!(outcome, Err(Failure::Accept(AcceptError::Truncated)));
    });
}

fn reset_within_a_request(cycles: usize) {
    let end = |mut peer: TcpStream| {
        peer.write_all(b"GET / HTTP/1.1\r\nHo").unwrap();
        reset(peer)
    };
    over_tcp(cycles, end, read, |outcome| {
        assert_matches!(outcome, Err(Failure::Accept(AcceptError::Io(_))));
    });
}

fn not_asked_in_time(cycles: usize) {
    let timeouts = patient().handshake(INSTANT);
    over_unix(cycles, timeouts, Some, read, |outcome| {
        assert_matches!(outcome, Err(Failure::Accept(AcceptError::TimedOut)));
    });
}

fn ended_within_a_message(cycles: usize) {
    let end = |peer: UnixStream| {
        let peer = open(peer, HALF_A_MESSAGE);
        peer.shutdown(Shutdown::Write).unwrap();
        Some(peer)
    };
    over_unix(cycles, patient(), end, read, |outcome| {
        assert_matches!(outcome, Err(Failure::Connection(Error::Lost)));
    });
}

fn reset_within_a_message(cycles: usize) {
    let end = |peer: TcpStream| reset(open(peer, HALF_A_MESSAGE));
    over_tcp(cycles, end, read, |outcome| {
        assert_matches!(outcome, Err(Failure::Connection(Error::Io(_))));
    });
}

fn reset_between_two_threads(cycles: usize) {
    let end = |peer: TcpStream| reset(open(peer, HALF_A_MESSAGE));
    over_tcp(cycles, end, read_and_write, |outcome| {
        assert_matches!(outcome, Err(Failure::Connection(Error::Io(_) | Error::Lost)));
    });
}

fn told_what_breaks_the_protocol(cycles: usize) {
    let violate = |peer: UnixStream| {
        drain(&mut open(peer, b"\x81\0"));
        None
    };
    over_unix(cycles, patient(), violate, read, |outcome| {
        assert_matches!(outcome, Err(Failure::Connection(Error::Protocol(_))));
    });
}

fn not_read_by_the_peer(cycles: usize) {
    let timeouts = patient().write(Some(INSTANT)).close(INSTANT);
    let open = |peer: UnixStream| Some(open(peer, b""));
    over_unix(cycles, timeouts, open, write_too_much, |outcome| {
        assert_matches!(outcome, Err(Failure::Connection(Error::WriteTimedOut)));
    });
}

fn not_answered_to_a_close_frame(cycles: usize) {
    let open = |peer: UnixStream| Some(open(peer, b""));
    over_unix(cycles, patient().close(INSTANT), open, close, |outcome| {
        assert_matches!(outcome, Err(Failure::Connection(Error::CloseTimedOut)));
    });
}

#[derive(Debug)]
enum Failure {
    Accept(AcceptError),
    Connection(Error),
}

/// What the server does with its ends.
type Body<S> = fn(Reader<S>, Writer<S>) -> Result<(), Error>;

fn read<S: CloneSocket>(mut reader: Reader<S>, _: Writer<S>) -> Result<(), Error> {
    reader.serve(|message, outbox| outbox.send(message))
}

fn read_and_write<S: CloneSocket + Send + Sync + 'static>(
    mut reader: Reader<S>,
    writer: Writer<S>,
) -> Result<(), Error> {
    let writing = thread::spawn(move || while writer.send("and on").is_ok() {});
    let outcome = reader.read().map(drop);
    writing.join().unwrap();
    outcome
}

fn write_too_much<S: CloneSocket>(_: Reader<S>, writer: Writer<S>) -> Result<(), Error> {
    let outcome = writer.send(vec![7; TOO_MUCH]);
    drop(writer);
    outcome
}

fn close<S: CloneSocket>(mut reader: Reader<S>, _: Writer<S>) -> Result<(), Error> {
    reader.close(CloseCode::NORMAL, "").map(drop)
}

/// Has an accept loop do this with this many connections, one after the other, and a peer do its part.
fn over_tcp(
    cycles: usize,
    peer: impl Fn(TcpStream) -> Option<TcpStream>,
    body: Body<TcpStream>,
    check: impl Fn(Result<(), Failure>),
) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    over(cycles, patient(), listener, body, check, || {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        peer(stream)
    });
}

fn over_unix(
    cycles: usize,
    timeouts: Timeouts,
    peer: impl Fn(UnixStream) -> Option<UnixStream>,
    body: Body<UnixStream>,
    check: impl Fn(Result<(), Failure>),
) {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let path = env::temp_dir().join(format!("sansocket-leaks-{}-{number}", process::id()));
    let listener = UnixListener::bind(&path).unwrap();
    over(cycles, timeouts, listener, body, check, || {
        let stream = UnixStream::connect(&path).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        peer(stream)
    });
    fs::remove_file(path).unwrap();
}

/// A peer returns its stream if it is to stay until our end has failed.
fn over<L: Listener + Send, P>(
    cycles: usize,
    timeouts: Timeouts,
    listener: L,
    body: Body<L::Socket>,
    check: impl Fn(Result<(), Failure>),
    peer: impl Fn() -> Option<P>,
) {
    let accept_loop = AcceptLoop::new(Server::new().timeouts(timeouts));
    let shutdown = accept_loop.shutdown_handle();
    let (sender, outcomes) = channel();
    let running = thread::spawn(move || {
        let handle = move |pending: Pending<L>| {
            let outcome = match pending.accept() {
                Ok((reader, writer)) => body(reader, writer).map_err(Failure::Connection),
                Err(error) => Err(Failure::Accept(error)),
            };
            // A loop whose test has failed has nobody to tell.
            let _ = sender.send(outcome);
        };
        accept_loop.run(&listener, handle)
    });
    for _ in 0..cycles {
        let peer = peer();
        check(outcomes.recv_timeout(PATIENCE).unwrap());
        drop(peer);
    }
    shutdown.shut_down();
    assert_eq!(running.join().unwrap().unwrap(), 0);
}

/// Does the client's part of the handshake, and says this.
fn open<S: Read + Write>(mut peer: S, says: &[u8]) -> S {
    peer.write_all(REQUEST).unwrap();
    assert!(take_head(&mut peer).starts_with("HTTP/1.1 101 "));
    peer.write_all(says).unwrap();
    peer
}

/// Ends TCP with a reset, whatever is still on its way.
fn reset(peer: TcpStream) -> Option<TcpStream> {
    SockRef::from(&peer).set_linger(Some(Duration::ZERO)).unwrap();
    drop(peer);
    None
}
