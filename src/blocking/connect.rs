//! From a client's request to an open WebSocket.

use std::borrow::Cow;
use std::io::{Read, Write};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
#[cfg(unix)]
use std::path::Path;

use crate::blocking::budget::TimeBudget;
use crate::blocking::client::Client;
use crate::blocking::client_stream::ClientStream;
use crate::blocking::deadline::Deadline;
use crate::blocking::error::ConnectError;
use crate::blocking::opening::Opening;
use crate::blocking::read_buffer::ReadBuffer;
#[cfg(unix)]
use crate::blocking::route;
use crate::blocking::socket::Socket;
use crate::blocking::stream::Stream;
use crate::blocking::websocket::WebSocket;
use crate::handshake::{ClientHandshake, ClientRequest, Outcome, Rejection};

/// Connects to a `ws:` URL, or with the feature `rustls` to a `wss:` URL, with the defaults of [`Client`].
///
/// ```no_run
/// let mut socket = sansocket::blocking::connect("ws://localhost:9001/chat")?;
/// socket.send("Hello")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`ConnectError`] says at which step it failed.
pub fn connect(url: &str) -> Result<WebSocket<ClientStream>, ConnectError> {
    Client::new(url)?.connect()
}

impl Client {
    /// Connects, and opens the WebSocket.
    ///
    /// If the host has several addresses, IPv6 and IPv4 take turns. Each address is tried as soon as the one
    /// before has failed or been silent for 250 ms, on a thread of its own. The first that accepts gets the
    /// connection; the other attempts are ended.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says at which step it failed.
    pub fn connect(&self) -> Result<WebSocket<ClientStream>, ConnectError> {
        // Deviation: §4.1 wants one connection to a host at a time to be in state CONNECTING, and the next to wait
        // for it. Each call knows of no other: whoever makes many to one host queues them.
        let mut connecting = TimeBudget::new(self.timeouts.connect);
        let mut opening = TimeBudget::new(self.timeouts.handshake);
        let mut redirects = self.redirects;
        let mut request = Cow::Borrowed(&self.request);
        loop {
            let stream = Stream::socket(self.transport(&request, &mut connecting)?);
            let opened = opening.spend(|deadline| {
                self.open(&request, stream, deadline, |opening, rejection| {
                    match redirects.follow(&request, rejection.response()) {
                        Ok(Some(next)) => Unopened::Redirected(Box::new(next)),
                        Ok(None) => ConnectError::Rejected(opening.read_body(rejection)).into(),
                        Err(error) => {
                            let response = opening.read_body(rejection);
                            ConnectError::Redirect { error, response }.into()
                        }
                    }
                })
            });
            match opened {
                Ok(socket) => return Ok(socket),
                Err(Unopened::Redirected(next)) => request = Cow::Owned(*next),
                Err(Unopened::Failed(error)) => return Err(error),
            }
        }
    }

    /// Connects to the Unix socket at this path, whatever the URL's scheme and host, and opens the WebSocket.
    /// The server sees the URL's host as `Host`.
    ///
    /// ```no_run
    /// use sansocket::blocking::Client;
    ///
    /// let socket = Client::new("ws://localhost/chat")?.connect_unix("/run/chat.sock")?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says at which step it failed.
    #[cfg(unix)]
    pub fn connect_unix(
        &self,
        path: impl AsRef<Path>,
    ) -> Result<WebSocket<UnixStream>, ConnectError> {
        let path = path.as_ref();
        let deadline = Deadline::after(self.timeouts.connect);
        let socket = route::connect_unix(path, deadline)
            .map_err(|source| ConnectError::Connect { host: path.display().to_string(), source })?;
        self.connect_on(socket)
    }

    /// Opens the WebSocket on a socket that is already connected, whatever the URL's scheme: a TCP connection
    /// with options of its own, a Unix socket, or any other [`Socket`].
    ///
    /// This can't connect to another server, so a redirection is a rejection.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says at which step it failed.
    pub fn connect_on<S: Socket>(&self, socket: S) -> Result<WebSocket<S>, ConnectError> {
        socket.set_blocking().and_then(|()| socket.set_nodelay()).map_err(ConnectError::Io)?;
        self.open_once(Stream::socket(socket))
    }

    /// Opens the WebSocket over a stream that is already connected, whatever the URL's scheme: a TLS stream,
    /// a proxy's, or one in memory.
    ///
    /// Its timeouts are up to the caller, and so is ending it after the closing handshake. The handshake
    /// deadline is checked between two calls, but can't interrupt one.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says at which step it failed.
    pub fn connect_over<S: Read + Write>(&self, stream: S) -> Result<WebSocket<S>, ConnectError> {
        self.open_once(Stream::uncontrolled(stream))
    }

    /// Returns a stream to the server of this request, ready for the opening handshake.
    fn transport(
        &self,
        request: &ClientRequest,
        budget: &mut TimeBudget,
    ) -> Result<ClientStream, ConnectError> {
        let layer = self.tls.layer(request.uri())?;
        layer.over(self.route.connect(request, budget)?)
    }

    fn open_once<S: Read + Write>(&self, stream: Stream<S>) -> Result<WebSocket<S>, ConnectError> {
        let deadline = Deadline::after(self.timeouts.handshake);
        self.open(&self.request, stream, deadline, |opening, rejection| {
            ConnectError::Rejected(opening.read_body(rejection))
        })
    }

    fn open<S: Read + Write, E: From<ConnectError>>(
        &self,
        request: &ClientRequest,
        mut stream: Stream<S>,
        deadline: Deadline,
        rejected: impl FnOnce(&mut Opening<'_, S>, Rejection) -> E,
    ) -> Result<WebSocket<S>, E> {
        let mut buffer = ReadBuffer::default();
        let handshake = ClientHandshake::with_entropy(request, self.entropy.clone());
        let mut opening = Opening { stream: &mut stream, buffer: &mut buffer, deadline };
        let established = match opening.connect(handshake)? {
            Outcome::Established(established) => established,
            Outcome::Rejected(rejection) => return Err(rejected(&mut opening, rejection)),
        };
        if let Some(show) = &self.on_established {
            show(&established);
        }
        let subprotocol = established.subprotocol().map(Into::into);
        let connection = established.into_connection(self.config);
        WebSocket::new(stream, buffer, connection, self.timeouts, subprotocol)
            .map_err(|error| ConnectError::Io(error).into())
    }
}

/// Why one of several requests opened no WebSocket.
enum Unopened {
    /// The next request may open one.
    Redirected(Box<ClientRequest>),
    Failed(ConnectError),
}

impl From<ConnectError> for Unopened {
    fn from(error: ConnectError) -> Self {
        Self::Failed(error)
    }
}
