//! Streams other than TCP, and what is set on TCP.

use std::io::Read;
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use sansocket::CloseCode;
use sansocket::blocking::{Client, Error, Server, Timeouts};

use crate::bounded::bounded;
use crate::faulty_stream::FaultyStream;
use crate::loopback::pair;
use crate::memory_peer::MemoryPeer;

#[test]
fn nagle_is_off_at_both_ends() {
    bounded(|| {
        let (client, server) = pair(Server::new(), |client| client);
        assert!(client.stream().tcp().nodelay().unwrap());
        assert!(server.stream().tcp().nodelay().unwrap());
    });
}

#[test]
fn a_socket_that_is_taken_back_has_no_timeouts() {
    bounded(|| {
        let timeouts = Timeouts::default().read(Some(Duration::from_secs(7)));
        let (mut client, mut server) = pair(Server::new().timeouts(timeouts), |client| client);
        client.send(vec![7; 100_000]).unwrap();
        server.read().unwrap();
        server.send("taken back").unwrap();
        let stream = server.into_stream();
        assert_eq!(stream.tcp().read_timeout().unwrap(), None);
        assert_eq!(stream.tcp().write_timeout().unwrap(), None);
    });
}

#[cfg(unix)]
#[test]
fn a_unix_socket_carries_a_connection() {
    bounded(|| {
        let (one, other) = UnixStream::pair().unwrap();
        let serving = thread::spawn(move || {
            let mut socket = Server::new().accept_over(one).unwrap();
            socket.serve(|message, outbox| outbox.send(message))
        });
        let mut socket = Client::new("ws://localhost/").unwrap().connect_over(other).unwrap();
        for size in [0, 1, 70_000] {
            socket.send(vec![7; size]).unwrap();
            assert_eq!(socket.read().unwrap(), Some(vec![7; size].into()));
        }
        assert!(socket.close(CloseCode::NORMAL, "").unwrap().is_clean());
        let outcome: Result<(), Error> = serving.join().unwrap();
        outcome.unwrap();
    });
}

#[cfg(unix)]
#[test]
fn a_unix_socket_keeps_deadlines_and_is_closed_by_the_server_first() {
    bounded(|| {
        let (one, other) = UnixStream::pair().unwrap();
        let timeouts = Timeouts::default().read(Some(Duration::from_millis(20)));
        let serving = thread::spawn(move || {
            let mut socket = Server::new().timeouts(timeouts).accept(one).unwrap();
            assert_matches!(socket.read(), Err(Error::ReadTimedOut));
            while let Err(Error::ReadTimedOut) = socket.read() {}
            socket
        });
        let mut socket = Client::new("ws://localhost/").unwrap().connect_on(other).unwrap();
        thread::sleep(Duration::from_millis(50));
        assert!(socket.close(CloseCode::NORMAL, "").unwrap().is_clean());
        let server = serving.join().unwrap();
        // Both are still there, so the transport was ended explicitly.
        assert_eq!(socket.into_stream().read(&mut [0]).unwrap(), 0);
        assert_eq!(server.into_stream().read(&mut [0]).unwrap(), 0);
    });
}

#[cfg(unix)]
#[test]
fn the_timeouts_of_a_stream_of_ones_own_are_left_alone() {
    bounded(|| {
        let (one, other) = UnixStream::pair().unwrap();
        let timeout = Some(Duration::from_millis(20));
        one.set_read_timeout(timeout).unwrap();
        let connecting = thread::spawn(move || {
            Client::new("ws://localhost/").unwrap().connect_over(other).unwrap()
        });
        let mut socket = Server::new().accept_over(one).unwrap();
        let client = connecting.join().unwrap();
        assert_eq!(socket.stream().read_timeout().unwrap(), timeout);
        assert_matches!(socket.read(), Err(Error::ReadTimedOut));
        drop(client);
        assert_matches!(socket.read(), Err(Error::Lost));
    });
}

#[test]
fn any_scheme_is_connected_over_a_stream_of_ones_own() {
    bounded(|| {
        for url in ["ws://memory/", "wss://memory/"] {
            let stream = FaultyStream::to(MemoryPeer::echo_server());
            let mut socket = Client::new(url).unwrap().connect_over(stream).unwrap();
            socket.send("Hello").unwrap();
            assert_eq!(socket.read().unwrap(), Some("Hello".into()));
        }
    });
}

#[test]
fn the_stream_is_handed_back() {
    bounded(|| {
        let stream = FaultyStream::to(MemoryPeer::echo_server());
        let mut socket = Client::new("ws://memory/").unwrap().connect_over(stream).unwrap();
        socket.send("Hello").unwrap();
        assert_eq!(socket.into_stream().peer.messages(), ["Hello".into()]);
    });
}
