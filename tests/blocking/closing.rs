//! The closing handshake, and the end of TCP after it (RFC 6455, section 7).

use std::io;
use std::net::Shutdown;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use sansocket::blocking::{Error, Server, Timeouts};
use sansocket::frame::Opcode;
use sansocket::{CloseCode, CloseSignal, CloseStatus, ClosedBy, ConnectionState, UsageError};

use crate::altered::Alteration;
use crate::bounded::bounded;
use crate::either_role::{ROLES, open_altered, to};
use crate::loopback::{Socket, client, listen, pair, serving};
use crate::raw_peer::{RawPeer, from_client, from_server};

const SHORT: Duration = Duration::from_millis(100);

fn code(code: u16) -> CloseCode {
    CloseCode::new(code).unwrap()
}

/// One end closes and the other reads.
fn close_one(mut closing: Socket, mut reading: Socket) -> (CloseStatus, CloseStatus) {
    let reading = thread::spawn(move || {
        assert_matches!(reading.read(), Ok(None));
        assert_matches!(reading.read(), Ok(None), "even when asked again");
        assert_eq!(reading.state(), ConnectionState::Closed);
        reading.close_status().unwrap()
    });
    let closed = closing.close(code(4000), "goodbye").unwrap();
    assert_eq!(closing.close_status().as_ref(), Some(&closed));
    assert_matches!(closing.read(), Ok(None));
    assert_matches!(closing.write("more"), Err(Error::Usage(UsageError::NotOpen)));
    (closed, reading.join().unwrap())
}

fn assert_closed_with_goodbye(closing: &CloseStatus, reading: &CloseStatus) {
    assert!(closing.is_clean() && reading.is_clean());
    assert_eq!((closing.closed_by, reading.closed_by), (ClosedBy::Local, ClosedBy::Remote));
    for signal in [closing.local, closing.remote, reading.local, reading.remote] {
        assert_eq!(signal, CloseSignal::Code(code(4000)));
    }
    assert_eq!(&*closing.reason, "", "the answer carries no reason");
    assert_eq!(&*reading.reason, "goodbye");
}

#[test]
fn a_clean_close_by_the_client_is_no_error_at_either_end() {
    bounded(|| {
        let (client, server) = pair(Server::new(), |client| client);
        let (closing, reading) = close_one(client, server);
        assert_closed_with_goodbye(&closing, &reading);
    });
}

#[test]
fn a_clean_close_by_the_server_is_no_error_at_either_end() {
    bounded(|| {
        let (client, server) = pair(Server::new(), |client| client);
        let (closing, reading) = close_one(server, client);
        assert_closed_with_goodbye(&closing, &reading);
    });
}

#[test]
fn both_ends_may_close_at_once() {
    bounded(|| {
        let (mut client, mut server) = pair(Server::new(), |client| client);
        let closing = thread::spawn(move || server.close(code(4001), ""));
        assert!(client.close(code(4002), "").unwrap().is_clean());
        assert!(closing.join().unwrap().unwrap().is_clean());
    });
}

#[test]
fn close_status_is_none_while_the_connection_is_open() {
    bounded(|| {
        let (client, server) = pair(Server::new(), |client| client);
        for socket in [client, server] {
            assert_eq!(socket.close_status(), None);
            assert_eq!(socket.state(), ConnectionState::Open);
        }
    });
}

#[test]
fn a_close_frame_without_a_code_is_answered_by_one_without_a_code() {
    bounded(|| {
        let (address, server) = serving(Server::new(), |mut socket| {
            (socket.read().unwrap(), socket.close_status().unwrap())
        });
        let mut peer = RawPeer::client(address);
        peer.send(from_client(Opcode::Close, b""));
        peer.expect_frame(Opcode::Close, b"");
        peer.expect_eof();
        drop(peer);
        let (end, status) = server.join().unwrap();
        assert_eq!(end, None);
        assert_eq!((status.local, status.remote), (CloseSignal::NoCode, CloseSignal::NoCode));
    });
}

#[test]
fn the_server_closes_tcp_first_behind_its_answer() {
    bounded(|| {
        let (address, server) = serving(Server::new(), |mut socket| socket.read());
        let mut peer = RawPeer::client(address);
        peer.send(from_client(Opcode::Close, b"\x03\xE8"));
        peer.expect_close(1000);
        // This end has closed nothing.
        peer.expect_eof();
        drop(peer);
        assert_matches!(server.join().unwrap(), Ok(None));
    });
}

#[test]
fn the_server_closes_tcp_first_when_it_began_to_close() {
    bounded(|| {
        let (address, server) = serving(Server::new(), |mut socket| socket.close(code(1001), ""));
        let mut peer = RawPeer::client(address);
        peer.expect_close(1001);
        peer.expect_silence(SHORT);
        peer.send(from_client(Opcode::Close, b"\x03\xE9"));
        peer.expect_eof();
        drop(peer);
        assert!(server.join().unwrap().unwrap().is_clean());
    });
}

#[test]
fn the_client_waits_for_the_server_to_close_tcp() {
    bounded(|| {
        let (listener, address) = listen();
        let closing = thread::spawn(move || {
            client(address).connect().unwrap().close(CloseCode::NORMAL, "").unwrap()
        });
        let mut peer = RawPeer::server(&listener);
        peer.expect_close(1000);
        peer.send(from_server(Opcode::Close, b"\x03\xE8"));
        peer.expect_silence(SHORT);
        peer.shutdown_write();
        peer.expect_eof();
        assert!(closing.join().unwrap().is_clean());
    });
}

#[test]
fn the_client_that_only_reads_waits_for_the_server_to_close_tcp() {
    bounded(|| {
        let (listener, address) = listen();
        let reading = thread::spawn(move || client(address).connect().unwrap().read());
        let mut peer = RawPeer::server(&listener);
        peer.send(from_server(Opcode::Close, b"\x03\xE9"));
        peer.expect_close(1001);
        peer.expect_silence(SHORT);
        peer.shutdown_write();
        peer.expect_eof();
        assert_matches!(reading.join().unwrap(), Ok(None));
    });
}

#[test]
fn close_sends_what_was_queued_before() {
    bounded(|| {
        let (mut client, mut server) = pair(Server::new(), |client| client);
        let reading = thread::spawn(move || server.messages().collect::<Result<Vec<_>, _>>());
        client.write("one").unwrap();
        client.write("two").unwrap();
        client.close(CloseCode::NORMAL, "").unwrap();
        assert_eq!(reading.join().unwrap().unwrap(), ["one".into(), "two".into()]);
    });
}

#[test]
fn close_discards_messages_and_answers_pings_until_the_peers_close() {
    bounded(|| {
        let (listener, address) = listen();
        let closing = thread::spawn(move || {
            client(address).connect().unwrap().close(CloseCode::NORMAL, "").unwrap()
        });
        let mut peer = RawPeer::server(&listener);
        peer.expect_close(1000);
        peer.send(from_server(Opcode::Text, b"too late"));
        peer.send(from_server(Opcode::Ping, b"still there?"));
        peer.expect_frame(Opcode::Pong, b"still there?");
        peer.send(from_server(Opcode::Close, b"\x03\xE8bye"));
        drop(peer);
        let status = closing.join().unwrap();
        assert_eq!(&*status.reason, "bye");
        assert_eq!(status.closed_by, ClosedBy::Local);
    });
}

#[test]
fn close_can_be_called_again() {
    bounded(|| {
        let (mut client, mut server) = pair(Server::new(), |client| client);
        let reading = thread::spawn(move || server.read());
        let status = client.close(CloseCode::NORMAL, "").unwrap();
        assert_eq!(client.close(CloseCode::GOING_AWAY, "").unwrap(), status);
        reading.join().unwrap().unwrap();
    });
}

#[test]
fn a_reason_that_is_too_long_closes_nothing() {
    bounded(|| {
        let (mut client, mut server) = pair(Server::new(), |client| client);
        let outcome = client.close(CloseCode::NORMAL, &"x".repeat(124));
        assert_matches!(outcome, Err(Error::Usage(UsageError::CloseReasonTooLong(124))));
        client.send("still open").unwrap();
        assert_eq!(server.read().unwrap(), Some("still open".into()));
    });
}

#[test]
fn close_ends_at_its_deadline_when_the_peer_never_answers() {
    bounded(|| {
        let timeouts = Timeouts::default().close(SHORT);
        let (mut client, server) = pair(Server::new(), |client| client.timeouts(timeouts));
        assert_matches!(client.close(CloseCode::NORMAL, ""), Err(Error::CloseTimedOut));
        assert_eq!(client.state(), ConnectionState::Closed);
        assert!(!client.close_status().unwrap().is_clean());
        assert_matches!(client.read(), Err(Error::CloseTimedOut));
        drop(server);
        let (client, mut server) = pair(Server::new().timeouts(timeouts), |client| client);
        assert_matches!(server.close(CloseCode::NORMAL, ""), Err(Error::CloseTimedOut));
        drop(client);
    });
}

#[test]
fn a_peer_that_goes_on_talking_does_not_stretch_the_deadline_of_close() {
    bounded(|| {
        let (listener, address) = listen();
        let closing = thread::spawn(move || {
            let timeouts = Timeouts::default().close(SHORT);
            client(address).timeouts(timeouts).connect().unwrap().close(CloseCode::NORMAL, "")
        });
        let mut peer = RawPeer::server(&listener);
        let chatter = from_server(Opcode::Text, b"a").into_iter().cycle();
        peer.send_slowly(chatter, Duration::from_millis(5));
        assert_matches!(closing.join().unwrap(), Err(Error::CloseTimedOut));
    });
}

#[test]
fn one_deadline_holds_for_the_peers_close_and_the_end_of_tcp() {
    bounded(|| {
        let (listener, address) = listen();
        let deadline = Duration::from_secs(1);
        let closing = thread::spawn(move || {
            let timeouts = Timeouts::default().close(deadline);
            let mut socket = client(address).timeouts(timeouts).connect().unwrap();
            socket.close(CloseCode::NORMAL, "").map(drop)
        });
        let mut peer = RawPeer::server(&listener);
        peer.expect_close(1000);
        peer.expect_silence(deadline * 9 / 10);
        peer.send(from_server(Opcode::Close, b"\x03\xE8"));
        // And it never closes TCP. Another whole deadline would be too much.
        peer.stream().set_read_timeout(Some(deadline / 2)).unwrap();
        peer.expect_eof();
        let _ = closing.join().unwrap();
    });
}

#[test]
fn the_client_closes_tcp_once_the_server_has() {
    bounded(|| {
        let (listener, address) = listen();
        let closing = thread::spawn(move || {
            let mut socket = client(address).connect().unwrap();
            socket.close(CloseCode::NORMAL, "").unwrap();
            socket
        });
        let mut peer = RawPeer::server(&listener);
        peer.expect_close(1000);
        peer.send(from_server(Opcode::Close, b"\x03\xE8"));
        peer.shutdown_write();
        let closed = closing.join().unwrap();
        peer.stream().set_read_timeout(Some(SHORT)).unwrap();
        peer.expect_eof();
        drop(closed);
    });
}

#[test]
fn a_server_that_never_closes_tcp_does_not_keep_the_client() {
    bounded(|| {
        let (listener, address) = listen();
        let closing = thread::spawn(move || {
            let timeouts = Timeouts::default().close(SHORT);
            client(address).timeouts(timeouts).connect().unwrap().read()
        });
        let mut peer = RawPeer::server(&listener);
        peer.send(from_server(Opcode::Close, b"\x03\xE8"));
        peer.expect_close(1000);
        // Both have said goodbye: that is clean, whatever becomes of TCP.
        assert_matches!(closing.join().unwrap(), Ok(None));
    });
}

#[test]
fn a_client_that_never_closes_tcp_does_not_keep_the_server() {
    bounded(|| {
        let server = Server::new().timeouts(Timeouts::default().close(SHORT));
        let (address, server) = serving(server, |mut socket| socket.read());
        let mut peer = RawPeer::client(address);
        peer.send(from_client(Opcode::Close, b"\x03\xE8"));
        peer.expect_close(1000);
        peer.expect_eof();
        assert_matches!(server.join().unwrap(), Ok(None));
        drop(peer);
    });
}

#[test]
fn the_wait_for_the_end_of_tcp_is_not_stretched_by_a_peer_that_goes_on_talking() {
    bounded(|| {
        let server = Server::new().timeouts(Timeouts::default().close(SHORT));
        let (address, server) = serving(server, |mut socket| socket.read());
        let mut peer = RawPeer::client(address);
        peer.send(from_client(Opcode::Close, b"\x03\xE8"));
        let chatter = from_client(Opcode::Text, b"a").into_iter().cycle();
        peer.send_slowly(chatter, Duration::from_millis(5));
        assert_matches!(server.join().unwrap(), Ok(None));
    });
}

#[test]
fn a_clients_wait_for_the_end_of_tcp_is_not_stretched_by_a_server_that_goes_on_talking() {
    bounded(|| {
        let (listener, address) = listen();
        let closing = thread::spawn(move || {
            let timeouts = Timeouts::default().close(SHORT);
            client(address).timeouts(timeouts).connect().unwrap().read()
        });
        let mut peer = RawPeer::server(&listener);
        peer.send(from_server(Opcode::Close, b"\x03\xE8"));
        let chatter = from_server(Opcode::Text, b"a").into_iter().cycle();
        peer.send_slowly(chatter, Duration::from_millis(5));
        assert_matches!(closing.join().unwrap(), Ok(None));
    });
}

/// Notes how long a write may take when a direction ends: a stream may have something to send for that.
#[derive(Default)]
struct Noting {
    write_timeout: Mutex<Option<Duration>>,
    ends: Mutex<Vec<(Shutdown, Option<Duration>)>>,
}

impl<S: sansocket::blocking::Socket> Alteration<S> for Noting {
    fn set_write_timeout(&self, socket: &S, timeout: Option<Duration>) -> io::Result<()> {
        *self.write_timeout.lock().unwrap() = timeout;
        socket.set_write_timeout(timeout)
    }

    fn shutdown(&self, socket: &S, how: Shutdown) -> io::Result<()> {
        self.ends.lock().unwrap().push((how, *self.write_timeout.lock().unwrap()));
        socket.shutdown(how)
    }
}

#[test]
fn what_a_stream_sends_at_its_end_has_no_longer_than_the_end_has() {
    bounded(|| {
        for role in ROLES {
            let timeouts = Timeouts::default().close(SHORT);
            let (mut socket, mut peer, noting): (_, _, Arc<Noting>) =
                open_altered(role, 1 << 16, timeouts);
            // It leaves its direction open until the time is up.
            peer.send(to(role, Opcode::Close, b""));
            assert_matches!(socket.read(), Ok(None));
            let ends = noting.ends.lock().unwrap();
            let last = ends.iter().rfind(|(how, _)| *how == Shutdown::Write);
            let timeout = last.and_then(|(_, timeout)| *timeout);
            assert!(timeout.is_some_and(|timeout| timeout < SHORT / 2), "{role:?}: {timeout:?}");
        }
    });
}
