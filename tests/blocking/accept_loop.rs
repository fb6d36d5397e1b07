//! The loop that accepts connections, and its orderly end.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use sansocket::blocking::{
    AcceptLoop, Client, ConnectError, Listener, Pending, Server, ShutdownHandle, Timeouts, connect,
};
use sansocket::frame::Opcode;
use sansocket::handshake::{Acceptance, Decision};
use sansocket::http::header::{HeaderName, HeaderValue};
use sansocket::http::{Response, StatusCode};
use sansocket::{CloseCode, CloseFrame, CloseSignal};

use crate::bounded::bounded;
use crate::loopback::{client, listen};
use crate::raw_peer::{RawPeer, from_client};

/// A loop in a thread of its own.
struct Running {
    address: SocketAddr,
    shutdown: ShutdownHandle,
    thread: JoinHandle<usize>,
}

impl Running {
    fn start(
        accept_loop: AcceptLoop,
        handle: impl Fn(Pending<TcpListener>) + Send + Sync + 'static,
    ) -> Self {
        let (listener, address) = listen();
        let shutdown = accept_loop.shutdown_handle();
        let thread = thread::spawn(move || accept_loop.run(&listener, handle).unwrap());
        Self { address, shutdown, thread }
    }

    /// How many connections were left when the loop ended.
    fn end(self) -> usize {
        self.shutdown.shut_down();
        self.thread.join().unwrap()
    }

    fn wait_for_connections(&self, count: usize) {
        while self.shutdown.connections() != count {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// A client of an echoing loop, known to be past the opening handshake at both ends.
fn client_that_is_served(address: SocketAddr) -> RawPeer {
    let mut peer = RawPeer::client(address);
    peer.send(from_client(Opcode::Text, b"hello"));
    peer.expect_frame(Opcode::Text, b"hello");
    peer
}

fn echo(pending: Pending<TcpListener>) {
    if let Ok((mut reader, _)) = pending.accept() {
        let _ = reader.serve(|message, outbox| outbox.send(message));
    }
}

#[test]
fn every_connection_is_told_at_a_shutdown_that_the_server_goes_away() {
    bounded(|| {
        let goodbye = CloseFrame::new(CloseCode::GOING_AWAY, "back at nine").unwrap();
        let running = Running::start(AcceptLoop::new(Server::new()).goodbye(goodbye), echo);
        let mut clients: Vec<_> =
            (0..8).map(|_| client(running.address).connect().unwrap()).collect();
        for client in &mut clients {
            client.send("one").unwrap();
            assert_eq!(client.read().unwrap(), Some("one".into()));
        }
        assert_eq!(running.shutdown.connections(), 8);
        running.shutdown.shut_down();
        for client in &mut clients {
            assert_eq!(client.read().unwrap(), None);
            let status = client.close_status().unwrap();
            assert_eq!(status.remote, CloseSignal::Code(CloseCode::GOING_AWAY));
            assert_eq!(&*status.reason, "back at nine");
        }
        assert_eq!(running.thread.join().unwrap(), 0);
    });
}

#[test]
fn a_client_that_never_pauses_is_told_at_a_shutdown_too() {
    bounded(|| {
        for _ in 0..20 {
            let running = Running::start(AcceptLoop::new(Server::new()), echo);
            let mut peer = client_that_is_served(running.address);
            running.shutdown.shut_down();
            loop {
                peer.send(from_client(Opcode::Text, b"again"));
                match peer.receive_frame() {
                    (Opcode::Text, text) => assert_eq!(text, b"again"),
                    (opcode, body) => {
                        assert_eq!((opcode, &body[..2]), (Opcode::Close, &[3, 233][..]));
                        break;
                    }
                }
            }
            peer.send(from_client(Opcode::Close, &1001_u16.to_be_bytes()));
            peer.expect_eof();
            drop(peer);
            assert_eq!(running.thread.join().unwrap(), 0);
        }
    });
}

#[test]
fn nobody_is_accepted_after_a_shutdown() {
    bounded(|| {
        let running = Running::start(AcceptLoop::new(Server::new()), echo);
        let address = running.address;
        assert_eq!(running.end(), 0);
        assert_matches!(client(address).connect().err(), Some(ConnectError::Connect { .. }));
    });
}

#[test]
fn a_loop_that_is_shut_down_before_it_runs_does_not_run() {
    bounded(|| {
        let (listener, _) = listen();
        let accept_loop = AcceptLoop::new(Server::new());
        accept_loop.shutdown_handle().shut_down();
        assert_eq!(accept_loop.run(&listener, echo).unwrap(), 0);
    });
}

#[test]
fn one_connection_more_than_the_limit_is_closed_and_another_is_served_when_one_has_ended() {
    bounded(|| {
        let running = Running::start(AcceptLoop::new(Server::new()).max_connections(1), echo);
        let mut first = client(running.address).connect().unwrap();
        assert!(client(running.address).connect().is_err());
        first.send("still served").unwrap();
        assert_eq!(first.read().unwrap(), Some("still served".into()));
        first.close(CloseCode::NORMAL, "").unwrap();
        running.wait_for_connections(0);
        let second = client(running.address).connect().unwrap();
        drop(second);
        running.wait_for_connections(0);
        assert_eq!(running.end(), 0);
    });
}

#[test]
fn a_handler_can_know_what_it_was_asked_for() {
    bounded(|| {
        // What the loop refuses, no handler can accept.
        let server = Server::new().on_request(|request, _| match request.uri().path() {
            "/secret" => {
                let mut response = Response::default();
                *response.status_mut() = StatusCode::FORBIDDEN;
                Decision::Respond(response)
            }
            _ => Decision::accept(),
        });
        let running = Running::start(AcceptLoop::new(server), |pending| {
            let path = Arc::new(OnceLock::new());
            let asked_for = Arc::clone(&path);
            let pending = pending.on_request(move |request, _| {
                asked_for.set(request.uri().path().to_owned()).unwrap();
                Decision::accept()
            });
            if let Ok((_, writer)) = pending.accept() {
                writer.send(path.get().unwrap().as_str()).unwrap();
            }
        });
        let secret = connect(&format!("ws://{}/secret", running.address));
        assert_matches!(secret, Err(ConnectError::Rejected(response)) if response.status() == 403);
        for path in ["/red", "/blue"] {
            let url = format!("ws://{}{path}", running.address);
            assert_eq!(connect(&url).unwrap().read().unwrap(), Some(path.into()));
        }
        assert_eq!(running.end(), 0);
    });
}

#[test]
fn what_a_handler_accepts_is_added_to_what_the_loop_accepts() {
    bounded(|| {
        let header = |name, value| (HeaderName::from_static(name), HeaderValue::from_static(value));
        let server = Server::new().on_request(move |_, _| {
            let (name, value) = header("set-cookie", "seen=1");
            Acceptance::new().subprotocol(Some("chat")).header(name, value).into()
        });
        let running = Running::start(AcceptLoop::new(server), move |pending| {
            let pending = pending.on_request(move |request, _| {
                let (name, value) = header("set-cookie", "path=1");
                let acceptance = Acceptance::new().header(name, value);
                match request.uri().path() {
                    "/" => acceptance.into(),
                    _ => acceptance.subprotocol(Some("superchat")).into(),
                }
            });
            drop(pending.accept());
        });
        for (path, subprotocol) in [("/", "chat"), ("/super", "superchat")] {
            let cookies = Arc::new(Mutex::new(Vec::new()));
            let seen = Arc::clone(&cookies);
            let client = Client::new(&format!("ws://{}{path}", running.address)).unwrap();
            let socket = client
                .subprotocol("chat")
                .unwrap()
                .subprotocol("superchat")
                .unwrap()
                .on_established(move |established| {
                    let values = established.response().headers().get_all("set-cookie");
                    seen.lock().unwrap().extend(values.iter().cloned());
                })
                .connect()
                .unwrap();
            assert_eq!(socket.subprotocol(), Some(subprotocol));
            assert_eq!(*cookies.lock().unwrap(), ["seen=1", "path=1"]);
        }
        running.wait_for_connections(0);
        assert_eq!(running.end(), 0);
    });
}

#[test]
fn a_client_that_delays_its_handshake_delays_nobody_else() {
    bounded(|| {
        let running = Running::start(AcceptLoop::new(Server::new()), echo);
        let mut silent = RawPeer::connect(running.address);
        silent.send("GET / HT");
        let mut other = client(running.address).connect().unwrap();
        other.send("served").unwrap();
        assert_eq!(other.read().unwrap(), Some("served".into()));
        drop((silent, other));
        running.wait_for_connections(0);
        assert_eq!(running.end(), 0);
    });
}

#[test]
fn a_handshake_that_ends_during_the_shutdown_ends_in_a_close() {
    bounded(|| {
        let (go_on, wait) = mpsc::channel();
        let wait = Mutex::new(wait);
        let running = Running::start(AcceptLoop::new(Server::new()), move |pending| {
            wait.lock().unwrap().recv().unwrap();
            echo(pending);
        });
        let mut late = RawPeer::connect(running.address);
        late.send(crate::raw_peer::REQUEST);
        running.wait_for_connections(1);
        running.shutdown.shut_down();
        go_on.send(()).unwrap();
        assert!(late.receive_head().starts_with("HTTP/1.1 101 "));
        late.expect_close(1001);
        late.expect_eof();
        assert_eq!(running.thread.join().unwrap(), 0);
    });
}

#[test]
fn a_client_that_has_not_asked_yet_is_not_waited_for() {
    bounded(|| {
        let running = Running::start(AcceptLoop::new(Server::new()), echo);
        let mut silent = RawPeer::connect(running.address);
        let mut halfway = RawPeer::connect(running.address);
        halfway.send("GET / HT");
        running.wait_for_connections(2);
        assert_eq!(running.end(), 0);
        silent.expect_eof();
        drop(halfway);
    });
}

#[test]
fn a_client_that_answers_nothing_is_cut_off_at_the_deadline() {
    bounded(|| {
        let timeouts = Timeouts::default().close(Duration::from_secs(60));
        let accept_loop = AcceptLoop::new(Server::new().timeouts(timeouts))
            .shutdown_deadline(Duration::from_secs(1));
        let running = Running::start(accept_loop, echo);
        let mut open = client_that_is_served(running.address);
        assert_eq!(running.end(), 1);
        open.expect_close(1001);
        open.expect_eof();
    });
}

#[test]
fn a_handshake_that_takes_longer_than_the_shutdown_is_cut_off_at_the_deadline() {
    bounded(|| {
        let (go_on, wait) = mpsc::channel::<()>();
        let (ask, asked) = mpsc::channel();
        let wait = Mutex::new(wait);
        let server = Server::new().on_request(move |_, _| {
            ask.send(()).unwrap();
            let _ = wait.lock().unwrap().recv();
            Decision::accept()
        });
        let accept_loop = AcceptLoop::new(server).shutdown_deadline(Duration::from_millis(100));
        let running = Running::start(accept_loop, echo);
        let mut peer = RawPeer::connect(running.address);
        peer.send(crate::raw_peer::REQUEST);
        asked.recv().unwrap();
        assert_eq!(running.end(), 1);
        peer.expect_eof();
        drop(go_on);
    });
}

#[test]
fn a_second_shutdown_waits_for_nobody() {
    bounded(|| {
        let accept_loop =
            AcceptLoop::new(Server::new()).shutdown_deadline(Duration::from_secs(3600));
        let running = Running::start(accept_loop, echo);
        let mut peer = client_that_is_served(running.address);
        running.shutdown.shut_down();
        peer.expect_close(1001);
        assert_eq!(running.end(), 1);
        peer.expect_eof();
    });
}

#[test]
fn a_handler_that_panics_or_drops_its_connection_gives_its_place_back() {
    bounded(|| {
        let accept_loop = AcceptLoop::new(Server::new()).max_connections(1);
        let running = Running::start(accept_loop, |pending| {
            let (mut reader, _) = pending.accept().unwrap();
            if reader.read().unwrap() == Some("panic".into()) {
                std::panic::resume_unwind(Box::new("as it was told"));
            }
        });
        for text in ["panic", "end", "panic", "end"] {
            let mut socket = client(running.address).connect().unwrap();
            socket.send(text).unwrap();
            assert!(socket.read().is_err());
            running.wait_for_connections(0);
        }
        assert_eq!(running.end(), 0);
    });
}

#[test]
fn a_connection_that_outlives_its_handler_is_counted_and_reached_by_a_shutdown() {
    bounded(|| {
        let (give, given) = mpsc::channel();
        let accept_loop = AcceptLoop::new(Server::new()).max_connections(1);
        let running = Running::start(accept_loop, move |pending| {
            give.send(pending.accept().unwrap()).unwrap();
        });
        let mut peer = RawPeer::client(running.address);
        let (mut reader, writer) = given.recv().unwrap();
        let reading = thread::spawn(move || reader.read());
        assert!(client(running.address).connect().is_err(), "there is place for one");
        assert_eq!(running.shutdown.connections(), 1);
        running.shutdown.shut_down();
        peer.expect_close(1001);
        peer.send(from_client(Opcode::Close, b"\x03\xE9"));
        assert_eq!(reading.join().unwrap().unwrap(), None);
        assert_eq!(running.shutdown.connections(), 1);
        drop(writer);
        assert_eq!(running.thread.join().unwrap(), 0);
    });
}

#[test]
fn a_client_that_is_not_accepted_is_not_held_until_its_handler_returns() {
    bounded(|| {
        let (finish, finished) = mpsc::channel::<()>();
        let finished = Mutex::new(finished);
        let timeouts = Timeouts::default().handshake(Duration::from_millis(1));
        let server = Server::new().timeouts(timeouts);
        let running = Running::start(AcceptLoop::new(server), move |pending| {
            assert!(pending.accept().is_err());
            let _ = finished.lock().unwrap().recv();
        });
        RawPeer::connect(running.address).expect_eof();
        drop(finish);
        assert_eq!(running.end(), 0);
    });
}

#[test]
fn a_shutdown_reaches_a_handler_that_writes_and_one_that_reunites_its_ends() {
    bounded(|| {
        let (sent, written) = mpsc::channel();
        let running = Running::start(AcceptLoop::new(Server::new()), move |pending| {
            let (reader, writer) = pending.accept().unwrap();
            writer.send("before").unwrap();
            let mut socket = reader.reunite(writer).unwrap();
            sent.send(socket.send("after").is_ok()).unwrap();
            let _ = socket.read();
        });
        let mut socket = client(running.address).connect().unwrap();
        assert_eq!(socket.read().unwrap(), Some("before".into()));
        assert_eq!(socket.read().unwrap(), Some("after".into()));
        assert!(written.recv().unwrap());
        socket.close(CloseCode::NORMAL, "").unwrap();
        running.wait_for_connections(0);
        assert_eq!(running.end(), 0);
    });
}

#[test]
fn a_listener_on_all_addresses_can_be_shut_down() {
    bounded(|| {
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        let url = format!("ws://127.0.0.1:{}/", listener.local_addr().unwrap().port());
        let accept_loop = AcceptLoop::new(Server::new());
        let shutdown = accept_loop.shutdown_handle();
        let thread = thread::spawn(move || accept_loop.run(&listener, echo).unwrap());
        let mut socket = connect(&url).unwrap();
        shutdown.shut_down();
        assert_eq!(socket.read().unwrap(), None);
        assert_eq!(thread.join().unwrap(), 0);
    });
}

#[test]
fn all_threads_that_run_a_loop_end_with_it() {
    bounded(|| {
        let (listener, address) = listen();
        let (other_listener, other_address) = listen();
        let listeners = [listener.try_clone().unwrap(), listener, other_listener];
        let accept_loop = Arc::new(AcceptLoop::new(Server::new()));
        let threads = listeners.map(|listener| {
            let accept_loop = Arc::clone(&accept_loop);
            thread::spawn(move || accept_loop.run(&listener, echo).unwrap())
        });
        let peers = [address, other_address, address].map(client_that_is_served);
        let shutdown = accept_loop.shutdown_handle();
        shutdown.shut_down();
        for mut peer in peers {
            peer.expect_frame(Opcode::Close, b"\x03\xE9");
            peer.send(from_client(Opcode::Close, b"\x03\xE9"));
        }
        for thread in threads {
            assert_eq!(thread.join().unwrap(), 0);
        }
    });
}

/// A listener that some clients leave before they are accepted.
struct Left {
    listener: TcpListener,
    gone: AtomicUsize,
}

impl Listener for Left {
    type Socket = TcpStream;
    type Address = SocketAddr;

    fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        match self.gone.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1)) {
            Ok(_) => Err(io::ErrorKind::ConnectionAborted.into()),
            Err(_) => self.listener.accept(),
        }
    }

    fn waker(&self) -> io::Result<Box<dyn Fn() + Send + Sync>> {
        Listener::waker(&self.listener)
    }
}

#[test]
fn clients_that_leave_before_they_are_accepted_hold_nobody_up() {
    bounded(|| {
        // Hours, if the loop rested after each.
        const GONE: usize = 100_000;
        let (listener, address) = listen();
        let told = Arc::new(AtomicUsize::new(0));
        let counting = Arc::clone(&told);
        let accept_loop = AcceptLoop::new(Server::new()).on_error(move |_| {
            counting.fetch_add(1, Ordering::Relaxed);
        });
        let shutdown = accept_loop.shutdown_handle();
        let listener = Left { listener, gone: AtomicUsize::new(GONE) };
        let thread = thread::spawn(move || {
            accept_loop.run(&listener, |pending| drop(pending.accept())).unwrap()
        });
        connect(&format!("ws://{address}/")).unwrap();
        shutdown.shut_down();
        assert_eq!(thread.join().unwrap(), 0);
        assert_eq!(told.load(Ordering::Relaxed), GONE);
    });
}

/// A listener that can't accept anyone.
struct Exhausted(TcpListener);

impl Listener for Exhausted {
    type Socket = TcpStream;
    type Address = SocketAddr;

    fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        Err(io::Error::other("too many open files"))
    }

    fn waker(&self) -> io::Result<Box<dyn Fn() + Send + Sync>> {
        Listener::waker(&self.0)
    }
}

#[test]
fn a_loop_that_cannot_accept_rests_until_it_is_shut_down() {
    bounded(|| {
        let (tell, told) = mpsc::channel();
        let accept_loop =
            AcceptLoop::new(Server::new()).on_error(move |_| tell.send(Instant::now()).unwrap());
        let shutdown = accept_loop.shutdown_handle();
        let (listener, _) = listen();
        let thread = thread::spawn(move || {
            accept_loop.run(&Exhausted(listener), |pending| drop(pending.accept())).unwrap()
        });
        let (first, second) = (told.recv().unwrap(), told.recv().unwrap());
        assert!(second - first >= Duration::from_millis(90), "{:?}", second - first);
        shutdown.shut_down();
        assert_eq!(thread.join().unwrap(), 0);
    });
}

/// A listener that is not woken by the first call.
struct HardOfHearing(TcpListener);

impl Listener for HardOfHearing {
    type Socket = TcpStream;
    type Address = SocketAddr;

    fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        self.0.accept()
    }

    fn waker(&self) -> io::Result<Box<dyn Fn() + Send + Sync>> {
        let wake = Listener::waker(&self.0)?;
        let called = AtomicBool::new(false);
        Ok(Box::new(move || {
            if called.swap(true, Ordering::Relaxed) {
                wake();
            }
        }))
    }
}

#[test]
fn a_loop_that_was_not_woken_is_called_again() {
    bounded(|| {
        let (listener, address) = listen();
        let accept_loop = AcceptLoop::new(Server::new());
        let shutdown = accept_loop.shutdown_handle();
        let thread = thread::spawn(move || {
            accept_loop.run(&HardOfHearing(listener), |pending| drop(pending.accept())).unwrap()
        });
        drop(RawPeer::client(address));
        while shutdown.connections() > 0 {
            thread::sleep(Duration::from_millis(1));
        }
        shutdown.shut_down();
        thread::sleep(Duration::from_millis(50));
        assert!(!thread.is_finished());
        shutdown.shut_down();
        assert_eq!(thread.join().unwrap(), 0);
    });
}

/// A listener whose calls, if nobody hears them at once, become one.
struct Bell(Arc<AtomicBool>);

impl Listener for Bell {
    type Socket = TcpStream;
    type Address = SocketAddr;

    fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        while !self.0.swap(false, Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(20));
        }
        Err(io::ErrorKind::ConnectionAborted.into())
    }

    fn waker(&self) -> io::Result<Box<dyn Fn() + Send + Sync>> {
        let bell = Arc::clone(&self.0);
        Ok(Box::new(move || bell.store(true, Ordering::Relaxed)))
    }
}

#[test]
fn a_thread_that_heard_the_call_for_all_calls_the_others() {
    bounded(|| {
        let bell = Arc::new(AtomicBool::new(false));
        let accept_loop = Arc::new(AcceptLoop::new(Server::new()));
        let threads = [(); 4].map(|()| {
            let (accept_loop, listener) = (Arc::clone(&accept_loop), Bell(Arc::clone(&bell)));
            thread::spawn(move || accept_loop.run(&listener, drop).unwrap())
        });
        thread::sleep(Duration::from_millis(50));
        accept_loop.shutdown_handle().shut_down();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), 0);
        }
    });
}

#[cfg(unix)]
#[test]
fn a_unix_listener_is_served_and_shut_down() {
    use std::os::unix::net::{UnixListener, UnixStream};

    bounded(|| {
        let path = std::env::temp_dir().join(format!("sansocket-{}", std::process::id()));
        let listener = UnixListener::bind(&path).unwrap();
        let accept_loop = AcceptLoop::new(Server::new());
        let shutdown = accept_loop.shutdown_handle();
        let thread = thread::spawn(move || {
            accept_loop
                .run(&listener, |pending: Pending<UnixListener>| {
                    let (mut reader, _) = pending.accept().unwrap();
                    let _ = reader.serve(|message, outbox| outbox.send(message));
                })
                .unwrap()
        });
        let stream = UnixStream::connect(&path).unwrap();
        let mut socket = sansocket::blocking::Client::new("ws://localhost/")
            .unwrap()
            .connect_on(stream)
            .unwrap();
        socket.send("Hello").unwrap();
        assert_eq!(socket.read().unwrap(), Some("Hello".into()));
        shutdown.shut_down();
        assert_eq!(socket.read().unwrap(), None);
        assert_eq!(thread.join().unwrap(), 0);
        std::fs::remove_file(&path).unwrap();
    });
}
