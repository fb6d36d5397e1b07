use std::fmt;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::blocking::listener::Listener;
use crate::blocking::pending::Pending;
use crate::blocking::server::Server;
use crate::blocking::shutdown::{Registry, ShutdownHandle};
use crate::close_code::CloseCode;
use crate::connection::CloseFrame;

/// A server loop: takes connections from a listener, gives each a thread, and shuts down gracefully.
///
/// ```
/// use std::net::TcpListener;
/// use std::thread;
/// use sansocket::blocking::{AcceptLoop, Server, connect};
///
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let url = format!("ws://{}/", listener.local_addr()?);
///
/// let accept_loop = AcceptLoop::new(Server::new()).max_connections(100);
/// let shutdown = accept_loop.shutdown_handle();
/// let server = thread::spawn(move || {
///     accept_loop.run(&listener, |pending| match pending.accept() {
///         Ok((mut reader, _)) => drop(reader.serve(|message, outbox| outbox.send(message))),
///         Err(error) => eprintln!("{error}"),
///     })
/// });
///
/// let mut socket = connect(&url)?;
/// socket.send("Hello")?;
/// assert_eq!(socket.read()?, Some("Hello".into()));
/// shutdown.shut_down();
/// assert_eq!(socket.read()?, None);
/// assert_eq!(socket.close_status().unwrap().remote.number(), 1001);
/// assert_eq!(server.join().unwrap()?, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct AcceptLoop {
    server: Server,
    max_connections: usize,
    shutdown_deadline: Duration,
    goodbye: CloseFrame<'static>,
    on_error: Box<dyn Fn(&io::Error) + Send + Sync>,
    registry: Arc<Registry>,
}

/// How long the loop rests when it can't accept, say for lack of file descriptors. That improves as
/// connections end.
const REST: Duration = Duration::from_millis(100);

impl AcceptLoop {
    /// A loop that accepts connections as `server` says.
    pub fn new(server: Server) -> Self {
        Self {
            server,
            max_connections: 1000,
            shutdown_deadline: Duration::from_secs(10),
            goodbye: CloseFrame::from(CloseCode::GOING_AWAY),
            on_error: Box::new(|_| {}),
            registry: Arc::new(Registry::new()),
        }
    }

    /// The maximum number of connections, and of threads, at the same time; 1000 by default. Any more are
    /// closed without an answer.
    ///
    /// Each uses two file descriptors, and a third while it is being accepted: make sure that the process may
    /// have that many. The loop itself uses one, so that a shutdown always has it.
    #[must_use]
    pub const fn max_connections(mut self, most: usize) -> Self {
        self.max_connections = most;
        self
    }

    /// How long a shutdown waits for the connections to close; 10 seconds by default.
    #[must_use]
    pub const fn shutdown_deadline(mut self, deadline: Duration) -> Self {
        self.shutdown_deadline = deadline;
        self
    }

    /// The Close frame that connections are sent at a shutdown; 1001 without a reason by default.
    #[must_use]
    pub fn goodbye(mut self, frame: CloseFrame<'static>) -> Self {
        self.goodbye = frame;
        self
    }

    /// Calls `handle` with each error from the listener, or from starting a thread; ignores them by default.
    /// The loop then rests for a moment and goes on, or at once if a client was merely gone before it was
    /// accepted.
    #[must_use]
    pub fn on_error(mut self, handle: impl Fn(&io::Error) + Send + Sync + 'static) -> Self {
        self.on_error = Box::new(handle);
        self
    }

    /// Returns a handle that stops the loop from any thread: a signal handler's, say.
    pub fn shutdown_handle(&self) -> ShutdownHandle {
        ShutdownHandle { registry: Arc::clone(&self.registry) }
    }

    /// Accepts connections until it is [shut down](ShutdownHandle::shut_down), and runs `handle` for each in
    /// a thread of its own, opening handshake included. A handler may hand the ends of its connection to other
    /// threads: it counts, even once it is closed, and a shutdown reaches it, until the handler has returned and
    /// both ends are dropped.
    ///
    /// Returns how many connections had not ended by the deadline: their transport has been ended, or will be
    /// when a thread that is waiting to write releases it. Their threads may still run.
    ///
    /// Several threads can run the same loop, with one listener or several. A shutdown connects to the
    /// listener to wake a thread that waits, so the listener must be reachable at the address it reports, and
    /// no other loop may accept from it: otherwise the loop ends only with the next connection that anybody
    /// makes.
    ///
    /// # Errors
    ///
    /// Fails if the listener's address, which a shutdown needs, can't be determined. No other error ends the
    /// loop.
    pub fn run<L: Listener>(
        &self,
        listener: &L,
        handle: impl Fn(Pending<L>) + Send + Sync + 'static,
    ) -> io::Result<usize> {
        let handle = Arc::new(handle);
        let accepting = self.registry.start(listener.waker()?);
        while !self.registry.is_stopping() {
            if let Err(error) = self.accept(listener, &handle) {
                (self.on_error)(&error);
                if !is_of_one_connection(&error) {
                    self.registry.pause(REST);
                }
            }
        }
        drop(accepting);
        Ok(self.registry.drain(&self.goodbye, self.shutdown_deadline))
    }

    fn accept<L: Listener, H: Fn(Pending<L>) + Send + Sync + 'static>(
        &self,
        listener: &L,
        handle: &Arc<H>,
    ) -> io::Result<()> {
        let accepted = listener.accept()?;
        if self.registry.is_stopping() {
            return Ok(()); // it may be the connection that woke the listener
        }
        let Some(slot) = self.registry.admit(self.max_connections) else {
            return Ok(());
        };
        let slot = Arc::new(slot);
        let pending =
            Pending::new(accepted, self.server.clone(), self.goodbye.clone(), Arc::clone(&slot));
        let handle = Arc::clone(handle);
        let run = move || {
            handle(pending);
            drop(slot);
        };
        thread::Builder::new().spawn(run).map(drop)
    }
}

/// Whether a client ended its connection before it was accepted, which some systems report: the next
/// connection is unaffected.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset)
}

impl fmt::Debug for AcceptLoop {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AcceptLoop")
            .field("server", &self.server)
            .field("max_connections", &self.max_connections)
            .field("shutdown_deadline", &self.shutdown_deadline)
            .field("goodbye", &self.goodbye)
            .finish_non_exhaustive()
    }
}
