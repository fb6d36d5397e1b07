//! Peers that break the protocol: each is told, and TCP is closed so that it hears this.

use std::thread;
use std::time::Duration;

use sansocket::blocking::{Error, Server, Timeouts};
use sansocket::frame::Opcode;
use sansocket::{
    CloseCode, CloseSignal, ClosedBy, Config, ConnectionState, ProtocolError, UsageError,
};

use crate::bounded::bounded;
use crate::loopback::{Socket, client, echo, listen, serving};
use crate::raw_peer::{RawPeer, from_client, from_server};

/// What breaks the protocol on the way to a server, what it is called, and which code it fails with.
fn for_a_server() -> Vec<(Vec<u8>, ProtocolError, u16)> {
    vec![
        (from_server(Opcode::Text, b"Hello"), ProtocolError::UnmaskedFrame, 1002),
        (vec![0x83, 0x80], ProtocolError::ReservedOpcode(3), 1002),
        (vec![0xC1, 0x80], ProtocolError::ReservedBits, 1002),
        (from_client(Opcode::Text, b"\xFF"), ProtocolError::InvalidUtf8, 1007),
        (from_client(Opcode::Close, b"\x03\xED"), ProtocolError::InvalidCloseCode(1005), 1002),
        (vec![0x82, 0xFE, 0x04, 0x01, 1, 2, 3, 4], FRAME_TOO_LARGE, 1009),
    ]
}

fn for_a_client() -> Vec<(Vec<u8>, ProtocolError, u16)> {
    vec![
        (from_client(Opcode::Text, b"Hello"), ProtocolError::MaskedFrame, 1002),
        (from_server(Opcode::Continuation, b""), ProtocolError::UnexpectedContinuation, 1002),
        (from_server(Opcode::Text, b"\xFF"), ProtocolError::InvalidUtf8, 1007),
        (vec![0x82, 0x7E, 0x04, 0x01], FRAME_TOO_LARGE, 1009),
    ]
}

const FRAME_TOO_LARGE: ProtocolError = ProtocolError::FrameTooLarge { size: 1025, limit: 1024 };

fn config() -> Config {
    Config::default().max_frame_size(1024)
}

fn assert_failed(socket: &mut Socket, expected: ProtocolError) {
    for _ in 0..3 {
        assert_matches!(socket.read(), Err(Error::Protocol(error)) if error == expected);
    }
    assert_matches!(socket.write("more"), Err(Error::Usage(UsageError::NotOpen)));
    let closed = socket.close(CloseCode::NORMAL, "");
    assert_matches!(closed, Err(Error::Protocol(error)) if error == expected);
    assert_eq!(socket.state(), ConnectionState::Closed);
    let status = socket.close_status().unwrap();
    assert_eq!(status.closed_by, ClosedBy::Local);
    assert_eq!(status.local, CloseSignal::Code(expected.close_code()));
    assert_eq!(status.remote, CloseSignal::Missing);
}

#[test]
fn a_client_that_breaks_the_protocol_gets_a_close_frame_and_the_end_of_tcp() {
    bounded(|| {
        for (bytes, error, code) in for_a_server() {
            let (address, server) = serving(Server::new().config(config()), move |mut socket| {
                assert_failed(&mut socket, error);
            });
            let mut peer = RawPeer::client(address);
            peer.send(bytes);
            peer.expect_close(code);
            peer.expect_eof();
            drop(peer);
            server.join().unwrap();
        }
    });
}

#[test]
fn a_server_that_breaks_the_protocol_gets_a_close_frame_and_is_waited_for() {
    bounded(|| {
        for (bytes, error, code) in for_a_client() {
            let (listener, address) = listen();
            let reading = thread::spawn(move || {
                let mut socket = client(address).config(config()).connect().unwrap();
                assert_failed(&mut socket, error);
            });
            let mut peer = RawPeer::server(&listener);
            peer.send(bytes);
            peer.expect_close(code);
            peer.shutdown_write();
            peer.expect_eof();
            reading.join().unwrap();
        }
    });
}

#[test]
fn what_is_valid_before_the_violation_is_echoed_before_the_close() {
    bounded(|| {
        let (address, server) = serving(Server::new(), |socket| echo(socket).unwrap_err());
        let mut peer = RawPeer::client(address);
        let mut segment = from_client(Opcode::Text, b"one");
        segment.extend(from_client(Opcode::Ping, b"two"));
        segment.extend(from_client(Opcode::Text, b"\xFF"));
        peer.send(segment);
        peer.expect_frame(Opcode::Text, b"one");
        peer.expect_frame(Opcode::Pong, b"two");
        peer.expect_close(1007);
        peer.expect_eof();
        drop(peer);
        assert_matches!(server.join().unwrap(), Error::Protocol(ProtocolError::InvalidUtf8));
    });
}

#[test]
fn a_handlers_replies_before_the_violation_leave_before_the_close() {
    bounded(|| {
        let (address, server) = serving(Server::new(), |mut socket| {
            socket.serve(|message, outbox| outbox.send(message))
        });
        let mut peer = RawPeer::client(address);
        let mut segment = from_client(Opcode::Text, b"one");
        segment.extend(from_client(Opcode::Text, b"\xFF"));
        peer.send(segment);
        peer.expect_frame(Opcode::Text, b"one");
        peer.expect_close(1007);
        drop(peer);
        let error: Error = server.join().unwrap().unwrap_err();
        assert_matches!(error, Error::Protocol(ProtocolError::InvalidUtf8));
    });
}

#[test]
fn what_a_peer_goes_on_sending_does_not_turn_the_close_into_a_reset() {
    bounded(|| {
        let (address, server) = serving(Server::new(), |mut socket| socket.read().unwrap_err());
        let mut peer = RawPeer::client(address);
        peer.send(from_server(Opcode::Text, b"not masked"));
        // More than the buffers of TCP hold.
        peer.send(vec![7; 16 << 20]);
        peer.expect_close(1002);
        peer.expect_eof();
        drop(peer);
        assert_matches!(server.join().unwrap(), Error::Protocol(ProtocolError::UnmaskedFrame));
    });
}

#[test]
fn what_a_server_goes_on_sending_does_not_turn_the_close_of_a_client_into_a_reset() {
    bounded(|| {
        let (listener, address) = listen();
        let reading = thread::spawn(move || client(address).connect().unwrap().read().unwrap_err());
        let mut peer = RawPeer::server(&listener);
        peer.send(from_client(Opcode::Text, b"masked"));
        peer.expect_close(1002);
        // More than the buffers of TCP hold.
        peer.send(vec![7; 16 << 20]);
        peer.shutdown_write();
        peer.expect_eof();
        assert_matches!(reading.join().unwrap(), Error::Protocol(ProtocolError::MaskedFrame));
    });
}

#[test]
fn a_peer_that_breaks_the_protocol_and_reads_nothing_does_not_keep_the_server() {
    bounded(|| {
        let soon = Duration::from_millis(50);
        let timeouts = Timeouts::default().write(Some(soon)).close(soon);
        let (address, server) = serving(Server::new().timeouts(timeouts), |mut socket| {
            socket.read().unwrap();
            // More than the buffers of TCP hold, so that no Close frame can follow it.
            socket.write(vec![7; 16 << 20]).unwrap();
            socket.read()
        });
        let mut peer = RawPeer::client(address);
        let mut segment = from_client(Opcode::Text, b"go");
        segment.extend(from_client(Opcode::Text, b"\xFF"));
        peer.send(segment);
        let outcome = server.join().unwrap();
        assert_matches!(outcome, Err(Error::Protocol(ProtocolError::InvalidUtf8)));
        drop(peer);
    });
}
