//! Clients and servers over Unix sockets that have a path.

use std::io::ErrorKind;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{env, fs, process};

use sansocket::CloseCode;
use sansocket::blocking::{Client, ConnectError, Error, Server, Timeouts, WebSocket};
use sansocket::handshake::Decision;

use crate::bounded::bounded;

/// A path that nobody else uses, removed at the end.
struct SocketPath(PathBuf);

impl SocketPath {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        Self(env::temp_dir().join(format!("sansocket-test-{}-{number}", process::id())))
    }
}

impl Drop for SocketPath {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// A thread that accepts one connection at this path and has `body` do the rest.
fn accepting<T: Send + 'static>(
    path: &Path,
    body: impl FnOnce(UnixStream) -> T + Send + 'static,
) -> JoinHandle<T> {
    let listener = UnixListener::bind(path).unwrap();
    thread::spawn(move || body(listener.accept().unwrap().0))
}

fn client() -> Client {
    Client::new("ws://chat.example/room").unwrap()
}

fn echo(mut socket: WebSocket<UnixStream>) -> Result<(), Error> {
    socket.serve(|message, outbox| outbox.send(message))
}

#[test]
fn client_and_server_talk_over_a_unix_socket() {
    bounded(|| {
        let path = SocketPath::new();
        let server = Server::new().on_request(|request, _| {
            assert_eq!(request.headers()["host"], "chat.example");
            assert_eq!(request.uri(), "/room");
            Decision::accept()
        });
        let serving = accepting(&path.0, move |stream| echo(server.accept(stream).unwrap()));
        let mut socket = client().connect_unix(&path.0).unwrap();
        for size in [0, 1, 70_000, 1 << 20] {
            socket.send(vec![7; size]).unwrap();
            assert_eq!(socket.read().unwrap(), Some(vec![7; size].into()));
        }
        assert!(socket.close(CloseCode::NORMAL, "").unwrap().is_clean());
        serving.join().unwrap().unwrap();
    });
}

#[test]
fn the_deadline_of_the_handshake_holds_on_a_unix_socket() {
    bounded(|| {
        let path = SocketPath::new();
        let serving = accepting(&path.0, |stream| stream);
        let timeouts = Timeouts::default().handshake(Duration::from_millis(50));
        let outcome = client().timeouts(timeouts).connect_unix(&path.0);
        assert_matches!(outcome, Err(ConnectError::TimedOut));
        serving.join().unwrap();
    });
}

#[test]
fn the_timeout_of_connecting_does_not_leak_into_the_connection() {
    bounded(|| {
        let path = SocketPath::new();
        let serving = accepting(&path.0, |stream| Server::new().accept(stream).unwrap());
        let timeouts = Timeouts::default().connect(Duration::from_secs(7)).write(None);
        let socket = client().timeouts(timeouts).connect_unix(&path.0).unwrap();
        assert_eq!(socket.stream().write_timeout().unwrap(), None);
        serving.join().unwrap();
    });
}

#[test]
fn a_path_that_can_not_be_connected_to_is_named() {
    bounded(|| {
        let path = SocketPath::new();
        let outcome_at = |path: &Path| match client().connect_unix(path) {
            Err(ConnectError::Connect { host, source }) if *host == *path.to_string_lossy() => {
                source.kind()
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(outcome_at(&path.0), ErrorKind::NotFound);
        drop(UnixListener::bind(&path.0).unwrap());
        assert_eq!(outcome_at(&path.0), ErrorKind::ConnectionRefused);
        assert_eq!(outcome_at(Path::new(&"x".repeat(1000))), ErrorKind::InvalidInput);
    });
}

#[test]
fn no_time_to_connect_is_no_connection_to_a_unix_socket() {
    bounded(|| {
        let path = SocketPath::new();
        let _listener = UnixListener::bind(&path.0).unwrap();
        let timeouts = Timeouts::default().connect(Duration::ZERO);
        let outcome = client().timeouts(timeouts).connect_unix(&path.0);
        assert_matches!(outcome, Err(ConnectError::Connect { source, .. })
            if source.kind() == ErrorKind::TimedOut);
    });
}
