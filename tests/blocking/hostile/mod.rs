//! Peers that fail in the middle of something, over TCP. Each failure ends in an error of its own, by
//! the deadline meant for it, for both roles: in one piece, split, and in an accept loop.

mod half_closed;
mod openings;
mod resets;
mod silent;

use std::io::Read;
use std::net::TcpListener;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use sansocket::blocking::{
    AcceptLoop, ClientStream, Error, Pending, Reader, Server, ShutdownHandle, Socket, Timeouts,
    WebSocket, Writer,
};
use sansocket::frame::Opcode;
use sansocket::{
    CloseCode, CloseSignal, CloseStatus, ClosedBy, ConnectionState, Message, UsageError,
};
use socket2::SockRef;

use crate::bounded::bounded;
use crate::loopback::{client, listen};
use crate::raw_peer::{RawPeer, from_client, from_server};

/// A time that has to pass, with nothing required before it does.
const SHORT: Duration = Duration::from_millis(60);

/// A time that has to pass, but not before something else has happened, however busy the machine.
const AMPLE: Duration = Duration::from_secs(3);

/// Must not be waited for: longer than a test may take.
const LONG: Duration = Duration::from_secs(3600);

/// More than the buffers of both directions hold.
const TOO_MUCH: usize = 16 << 20;

/// Deadlines that no test lives to see, except for the one it is about.
fn patient() -> Timeouts {
    Timeouts::default().connect(LONG).handshake(LONG).read(None).write(Some(LONG)).close(LONG)
}

/// Which end of a connection is ours, and how it is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Client,
    SplitClient,
    Server,
    SplitServer,
    AcceptLoop,
}

impl Form {
    const ALL: [Self; 5] =
        [Self::Client, Self::SplitClient, Self::Server, Self::SplitServer, Self::AcceptLoop];

    /// A final frame as the peer of this end sends it.
    fn incoming(self, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
        match self {
            Self::Client | Self::SplitClient => from_server(opcode, payload),
            Self::Server | Self::SplitServer | Self::AcceptLoop => from_client(opcode, payload),
        }
    }
}

/// Runs the body of a test for all forms at the same time.
fn for_every_form(body: impl Fn(Form) + Send + Sync + 'static) {
    bounded(move || {
        thread::scope(|scope| {
            for form in Form::ALL {
                let body = &body;
                scope.spawn(move || body(form));
            }
        });
    });
}

/// Our end of a connection, in whatever form.
trait End {
    fn read(&mut self) -> Result<Option<Message<'static>>, Error>;
    fn send(&mut self, message: Message<'_>) -> Result<(), Error>;
    fn write(&mut self, message: Message<'_>) -> Result<(), Error>;
    fn close(&mut self) -> Result<CloseStatus, Error>;
    fn close_status(&self) -> Option<CloseStatus>;
    fn state(&self) -> ConnectionState;
}

/// What our end does while the peer fails.
type Body<T> = Box<dyn FnOnce(&mut dyn End) -> T + Send>;

/// What becomes of our end.
enum Ours<T> {
    Thread(JoinHandle<T>),
    Loop { outcome: Receiver<T>, shutdown: ShutdownHandle, thread: JoinHandle<usize> },
}

/// Opens a connection in this form, with `body` at our end; returns the other, which is to fail.
fn open<T: Send + 'static>(
    form: Form,
    timeouts: Timeouts,
    body: impl FnOnce(&mut dyn End) -> T + Send + 'static,
) -> (RawPeer, Ours<T>) {
    let server = Server::new().timeouts(timeouts);
    let (listener, address) = listen();
    match form {
        Form::Client | Form::SplitClient => {
            let client = client(address).timeouts(timeouts);
            let thread = thread::spawn(move || hold(form, client.connect().unwrap(), body));
            (unhurried(RawPeer::server(&listener)), Ours::Thread(thread))
        }
        Form::Server | Form::SplitServer => {
            let thread = thread::spawn(move || {
                let stream = ClientStream::from(listener.accept().unwrap().0);
                hold(form, server.accept(stream).unwrap(), body)
            });
            (unhurried(RawPeer::client(address)), Ours::Thread(thread))
        }
        Form::AcceptLoop => {
            let (sender, outcome) = channel();
            let body: Body<T> = Box::new(body);
            let once = Mutex::new(Some((body, sender)));
            let (shutdown, thread) = run_loop(server, listener, move |pending| {
                let (body, sender) = once.lock().unwrap().take().unwrap();
                let mut ends = pending.accept().unwrap();
                sender.send(body(&mut ends)).unwrap();
            });
            (unhurried(RawPeer::client(address)), Ours::Loop { outcome, shutdown, thread })
        }
    }
}

fn hold<T>(
    form: Form,
    mut socket: WebSocket<ClientStream>,
    body: impl FnOnce(&mut dyn End) -> T,
) -> T {
    match form {
        Form::SplitClient | Form::SplitServer => body(&mut socket.split().unwrap()),
        Form::Client | Form::Server | Form::AcceptLoop => body(&mut socket),
    }
}

fn run_loop(
    server: Server,
    listener: TcpListener,
    handle: impl Fn(Pending<TcpListener>) + Send + Sync + 'static,
) -> (ShutdownHandle, JoinHandle<usize>) {
    let accept_loop = AcceptLoop::new(server).shutdown_deadline(LONG);
    let shutdown = accept_loop.shutdown_handle();
    let thread = thread::spawn(move || accept_loop.run(&listener, handle).unwrap());
    (shutdown, thread)
}

impl<T> Ours<T> {
    /// What has become of it. A loop has to release its connection by itself.
    fn outcome(self) -> T {
        match self {
            Self::Thread(thread) => thread.join().unwrap(),
            Self::Loop { outcome, shutdown, thread } => {
                let outcome = outcome.recv().unwrap();
                while shutdown.connections() > 0 {
                    thread::sleep(Duration::from_millis(1));
                }
                shutdown.shut_down();
                assert_eq!(thread.join().unwrap(), 0, "connections are left");
                outcome
            }
        }
    }
}

impl<S: Socket> End for WebSocket<S> {
    fn read(&mut self) -> Result<Option<Message<'static>>, Error> {
        Self::read(self)
    }

    fn send(&mut self, message: Message<'_>) -> Result<(), Error> {
        Self::send(self, message)
    }

    fn write(&mut self, message: Message<'_>) -> Result<(), Error> {
        Self::write(self, message)
    }

    fn close(&mut self) -> Result<CloseStatus, Error> {
        Self::close(self, CloseCode::NORMAL, "")
    }

    fn close_status(&self) -> Option<CloseStatus> {
        Self::close_status(self)
    }

    fn state(&self) -> ConnectionState {
        Self::state(self)
    }
}

impl<S: Socket> End for (Reader<S>, Writer<S>) {
    fn read(&mut self) -> Result<Option<Message<'static>>, Error> {
        self.0.read()
    }

    fn send(&mut self, message: Message<'_>) -> Result<(), Error> {
        self.1.send(message)
    }

    fn write(&mut self, message: Message<'_>) -> Result<(), Error> {
        self.1.write(message)
    }

    fn close(&mut self) -> Result<CloseStatus, Error> {
        self.0.close(CloseCode::NORMAL, "")
    }

    fn close_status(&self) -> Option<CloseStatus> {
        self.1.close_status()
    }

    fn state(&self) -> ConnectionState {
        self.0.state()
    }
}

/// Asserts that the connection is over for good, without a goodbye from the peer.
#[track_caller]
fn assert_over(end: &mut dyn End) {
    assert_eq!(end.state(), ConnectionState::Closed);
    for _ in 0..3 {
        assert!(end.read().is_err());
        assert_matches!(end.write("more".into()), Err(Error::Usage(UsageError::NotOpen)));
        assert!(end.close().is_err());
    }
    let status = end.close_status().unwrap();
    assert_eq!(status.remote, CloseSignal::Missing);
    assert!(!status.is_clean());
}

/// The same, where neither end has said goodbye.
#[track_caller]
fn assert_lost(end: &mut dyn End) {
    assert_over(end);
    let status = end.close_status().unwrap();
    assert_eq!((status.closed_by, status.local), (ClosedBy::Transport, CloseSignal::Missing));
}

/// Ends TCP with a reset, whatever is still on its way.
fn reset(peer: RawPeer) {
    SockRef::from(peer.stream()).set_linger(Some(Duration::ZERO)).unwrap();
    drop(peer);
}

/// A peer that waits for as long as the test does: masking a long message takes a busy machine some time.
fn unhurried(peer: RawPeer) -> RawPeer {
    peer.stream().set_read_timeout(None).unwrap();
    peer.stream().set_write_timeout(None).unwrap();
    peer
}

/// Takes some of what our end writes.
fn take_some(peer: &RawPeer) {
    let mut stream = peer.stream();
    assert!(stream.read(&mut [0; 1000]).unwrap() > 0);
}
