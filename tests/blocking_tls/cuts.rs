//! The law of the stream: however the I/O below is cut, interrupted or timed out, the plaintext
//! is the same, both ways and for both roles.

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;

use sansocket::blocking::{Socket, TlsStream};
use sansocket::rustls::SupportedProtocolVersion;
use sansocket::rustls::version::TLS13;

use crate::authority::{AUTHORITY, LOCALHOST, VERSIONS};
use crate::bounded::bounded;
use crate::faulty_socket::{Fault, FaultySocket};
use crate::tls_peer::TlsPeer;

/// Faults that lose nothing: the call is made again.
const HARMLESS: [Fault; 4] = [
    Fault::Short,
    Fault::Once(ErrorKind::Interrupted),
    Fault::Once(ErrorKind::WouldBlock),
    Fault::Once(ErrorKind::TimedOut),
];

/// Faults that end the connection.
const FATAL: [Fault; 3] = [
    Fault::FromThenOn(ErrorKind::ConnectionReset),
    Fault::FromThenOn(ErrorKind::BrokenPipe),
    Fault::End,
];

/// More than one record, and not a multiple of one.
const LARGE: usize = 40_009;

#[derive(Debug, Clone, Copy)]
enum Side {
    Client,
    Server,
}

const SIDES: [Side; 2] = [Side::Client, Side::Server];

impl Side {
    fn socket(
        self,
        version: &'static SupportedProtocolVersion,
        most: usize,
        (fault, at): (Fault, usize),
    ) -> FaultySocket {
        FaultySocket::with_fault(self.peer(version), most, fault, at)
    }

    fn peer(self, version: &'static SupportedProtocolVersion) -> TlsPeer {
        match self {
            Self::Client => TlsPeer::server(version),
            Self::Server => TlsPeer::client(version),
        }
    }

    fn stream(self, socket: &FaultySocket) -> TlsStream<FaultySocket> {
        match self {
            Self::Client => AUTHORITY.connector().stream("localhost", socket.clone()).unwrap(),
            Self::Server => LOCALHOST.acceptor().stream(socket.clone()).unwrap(),
        }
    }
}

/// Repeats a call until it fails for good or succeeds, as std does with an interrupted one.
fn again<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::Interrupted | ErrorKind::WouldBlock | ErrorKind::TimedOut
                ) => {}
            outcome => return outcome,
        }
    }
}

fn plaintext(size: usize) -> Vec<u8> {
    b"sansocket".iter().copied().cycle().take(size).collect()
}

/// Writes pieces and reads them back, and puts what it has read into `received`.
fn exchange(
    stream: &mut TlsStream<FaultySocket>,
    large: usize,
    received: &mut Vec<u8>,
) -> io::Result<()> {
    let bytes = plaintext(large + 1000);
    let mut unsent = &bytes[..];
    for size in [1, 300, large, 699] {
        let (mut piece, rest) = unsent.split_at(size);
        unsent = rest;
        while !piece.is_empty() {
            let written = again(|| stream.write(piece))?;
            assert!(written > 0);
            piece = &piece[written..];
        }
        again(|| stream.flush())?;
        let end = bytes.len() - unsent.len();
        while received.len() < end {
            let mut buffer = [0; 1021];
            let count = again(|| stream.read(&mut buffer))?;
            if count == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            received.extend_from_slice(&buffer[..count]);
        }
    }
    Ok(())
}

/// Runs a scenario with the fault at every call, until it is past the last one.
fn for_every_call(least: usize, mut scenario: impl FnMut(usize) -> bool) {
    let mut calls = 0;
    while scenario(calls) {
        calls += 1;
    }
    assert!(calls >= least, "only {calls} calls were made");
}

fn exchanged_in_spite_of(fault: Fault, version: &'static SupportedProtocolVersion, most: usize) {
    for side in SIDES {
        for_every_call(10, |at| {
            let socket = side.socket(version, most, (fault, at));
            socket.state().peer.update_keys_after = (version == &TLS13).then_some(500);
            let mut received = Vec::new();
            let outcome = exchange(&mut side.stream(&socket), LARGE, &mut received);
            assert_matches!(outcome, Ok(()), "{side:?}, {fault:?} of call {at}");
            let expected = plaintext(LARGE + 1000);
            assert!(received == expected, "{side:?}, {fault:?} of call {at}");
            assert!(socket.state().peer.heard == expected, "{side:?}, {fault:?} of call {at}");
            socket.is_hit()
        });
    }
}

#[test]
fn a_byte_a_call_is_as_good_as_any() {
    bounded(|| {
        for version in VERSIONS {
            for side in SIDES {
                let socket = side.socket(version, 1, (Fault::Nothing, 0));
                let mut received = Vec::new();
                exchange(&mut side.stream(&socket), 100, &mut received).unwrap();
                assert_eq!(received, plaintext(1100));
                assert_eq!(socket.state().peer.heard, plaintext(1100));
            }
        }
    });
}

#[test]
fn a_call_that_goes_wrong_once_loses_and_repeats_nothing() {
    bounded(|| {
        for fault in HARMLESS {
            for version in VERSIONS {
                exchanged_in_spite_of(fault, version, usize::MAX);
            }
        }
    });
}

#[test]
fn a_call_that_goes_wrong_once_among_short_ones_loses_and_repeats_nothing() {
    bounded(|| {
        for fault in HARMLESS {
            exchanged_in_spite_of(fault, &TLS13, 4001);
        }
    });
}

#[test]
fn a_handshake_that_was_interrupted_is_complete_to_both_ends_when_it_is_to_one() {
    bounded(|| {
        for (fault, side) in HARMLESS.into_iter().flat_map(|fault| SIDES.map(|side| (fault, side)))
        {
            for version in VERSIONS {
                for_every_call(5, |at| {
                    let peer = side.peer(version).greeting(b"after you");
                    let socket = FaultySocket::with_fault(peer, usize::MAX, fault, at);
                    let mut stream = side.stream(&socket);
                    // It only reads: what the handshake owes must not wait for a write.
                    let mut received = [0; 9];
                    let mut count = 0;
                    while count < received.len() {
                        count += again(|| stream.read(&mut received[count..])).unwrap();
                    }
                    assert_eq!(&received, b"after you");
                    socket.is_hit()
                });
            }
        }
    });
}

#[test]
fn what_arrived_before_a_failure_is_whole_and_the_failure_is_told() {
    bounded(|| {
        for (fault, side) in FATAL.into_iter().flat_map(|fault| SIDES.map(|side| (fault, side))) {
            for_every_call(10, |at| {
                let socket = side.socket(&TLS13, 4001, (fault, at));
                let mut stream = side.stream(&socket);
                let mut received = Vec::new();
                let outcome = exchange(&mut stream, LARGE, &mut received);
                let expected = plaintext(LARGE + 1000);
                assert!(expected.starts_with(&received), "{side:?}, {fault:?} of call {at}");
                assert!(expected.starts_with(&socket.state().peer.heard));
                if socket.is_hit() {
                    assert_matches!(outcome, Err(_), "{side:?}, {fault:?} of call {at}");
                    assert_matches!(stream.read(&mut [0]), Err(_));
                    assert_matches!(stream.flush(), Err(_));
                }
                socket.is_hit()
            });
        }
    });
}

#[test]
fn the_end_is_announced_and_seen_however_the_calls_are_cut() {
    bounded(|| {
        for (version, side) in VERSIONS.into_iter().flat_map(|v| SIDES.map(|side| (v, side))) {
            for most in [1, 7, usize::MAX] {
                let socket = side.socket(version, most, (Fault::Nothing, 0));
                let mut stream = side.stream(&socket);
                stream.write_all(b"the last words").unwrap();
                // Not flushed: the end takes what is waiting along.
                stream.shutdown(Shutdown::Write).unwrap();
                assert_eq!(socket.state().peer.heard, b"the last words");
                assert!(socket.state().peer.is_done);
                assert_eq!(socket.state().shutdowns, [Shutdown::Write]);
                let mut received = Vec::new();
                stream.read_to_end(&mut received).unwrap();
                assert_eq!(received, b"the last words");
                assert_eq!(stream.read(&mut [0]).unwrap(), 0);
            }
        }
    });
}
