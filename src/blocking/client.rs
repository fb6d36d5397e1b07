use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};

use crate::blocking::deadline::Deadline;
use crate::blocking::error::ConnectError;
use crate::blocking::opening::Opening;
use crate::blocking::read_buffer::ReadBuffer;
use crate::blocking::socket::Socket;
use crate::blocking::stream::Stream;
use crate::blocking::timeouts::Timeouts;
use crate::blocking::websocket::WebSocket;
use crate::config::Config;
use crate::entropy::Entropy;
#[cfg(feature = "deflate")]
use crate::extension::Deflate;
use crate::handshake::{
    ClientHandshake, ClientRequest, HeadLimits, OptionError, Origin, Scheme, UriError,
};

/// Connects to a `ws:` URL, with the defaults of [`Client`].
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
pub fn connect(url: &str) -> Result<WebSocket<TcpStream>, ConnectError> {
    Client::new(url)?.connect()
}

/// What a client asks for and allows: the builder of client connections.
///
/// ```no_run
/// use std::time::Duration;
/// use sansocket::Config;
/// use sansocket::blocking::{Client, Timeouts};
///
/// let mut socket = Client::new("ws://localhost:9001/chat")?
///     .subprotocol("chat")?
///     .header("Authorization", "Bearer abc")?
///     .config(Config::default().max_message_size(1 << 20))
///     .timeouts(Timeouts::default().connect(Duration::from_secs(3)))
///     .connect()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Client {
    request: ClientRequest,
    config: Config,
    timeouts: Timeouts,
    entropy: Entropy,
}

impl Client {
    /// A client for this URL.
    ///
    /// # Errors
    ///
    /// [`UriError`] if it is no `ws:` or `wss:` URL that can be connected to.
    pub fn new(url: &str) -> Result<Self, UriError> {
        url.parse().map(ClientRequest::new).map(Self::from)
    }

    /// Offers a subprotocol, after those that were offered before.
    ///
    /// # Errors
    ///
    /// [`OptionError`] if the name isn't a token, or was offered before.
    pub fn subprotocol(mut self, name: &str) -> Result<Self, OptionError> {
        self.request = self.request.subprotocol(name)?;
        Ok(self)
    }

    /// Adds a header to the request.
    ///
    /// # Errors
    ///
    /// [`OptionError`] if the name or value is malformed, or the header is one of those that make up
    /// the handshake.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, OptionError> {
        self.request = self.request.header_line(name, value)?;
        Ok(self)
    }

    /// Says on behalf of which web page the connection is opened.
    #[must_use]
    pub fn origin(mut self, origin: Origin) -> Self {
        self.request = self.request.origin(origin);
        self
    }

    /// Offers to compress messages (RFC 7692); off by default.
    ///
    /// ```no_run
    /// use sansocket::blocking::Client;
    /// use sansocket::extension::Deflate;
    ///
    /// let socket = Client::new("ws://localhost:9001/")?.deflate(&Deflate::default()).connect()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn deflate(mut self, deflate: &Deflate) -> Self {
        self.request = self.request.deflate(deflate);
        self
    }

    /// Limits of the response's head.
    #[must_use]
    pub fn head_limits(mut self, limits: HeadLimits) -> Self {
        self.request = self.request.head_limits(limits);
        self
    }

    /// How many bytes of the body are kept of a response that rejects the handshake; 64 KiB by
    /// default.
    #[must_use]
    pub fn max_body_size(mut self, bytes: usize) -> Self {
        self.request = self.request.max_body_size(bytes);
        self
    }

    /// Limits and choices of the connection.
    #[must_use]
    pub const fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// How long each kind of waiting may take.
    #[must_use]
    pub const fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Where the handshake's nonce and the masking keys come from; the thread's CSPRNG by default.
    #[must_use]
    pub fn entropy(mut self, entropy: Entropy) -> Self {
        self.entropy = entropy;
        self
    }

    /// Connects: tries the addresses of the host one after the other, and opens the WebSocket on
    /// the first that accepts. `TCP_NODELAY` is on.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says at which step it failed.
    pub fn connect(&self) -> Result<WebSocket<TcpStream>, ConnectError> {
        let uri = self.request.uri();
        if uri.scheme() == Scheme::Wss {
            return Err(ConnectError::TlsUnsupported);
        }
        let addresses =
            (uri.host(), uri.port()).to_socket_addrs().map_err(ConnectError::Resolve)?;
        let deadline = Deadline::after(self.timeouts.connect);
        let stream = connect_to_any(addresses, deadline)
            .map_err(|source| ConnectError::Connect { host: uri.host_field(), source })?;
        self.connect_on(stream)
    }

    /// Opens the WebSocket on a socket that is connected already, whatever the URL's scheme: a TCP
    /// connection with options of its own, a Unix socket, any other [`Socket`].
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says at which step it failed.
    pub fn connect_on<S: Socket>(&self, socket: S) -> Result<WebSocket<S>, ConnectError> {
        socket.set_nodelay().map_err(ConnectError::Io)?;
        self.open(Stream::socket(socket))
    }

    /// Opens the WebSocket over a stream that is connected already, whatever the URL's scheme: a
    /// TLS stream, a proxy's, one in memory.
    ///
    /// Its timeouts are the caller's affair, and so is ending it after the closing handshake. The
    /// handshake deadline is looked at between two calls, but can't interrupt one.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says at which step it failed.
    pub fn connect_over<S: Read + Write>(&self, stream: S) -> Result<WebSocket<S>, ConnectError> {
        self.open(Stream::uncontrolled(stream))
    }

    fn open<S: Read + Write>(&self, mut stream: Stream<S>) -> Result<WebSocket<S>, ConnectError> {
        let mut buffer = ReadBuffer::default();
        let deadline = Deadline::after(self.timeouts.handshake);
        let handshake = ClientHandshake::with_entropy(&self.request, self.entropy.clone());
        let established =
            Opening { stream: &mut stream, buffer: &mut buffer, deadline }.connect(handshake)?;
        let subprotocol = established.subprotocol().map(Into::into);
        let connection = established.into_connection(self.config);
        WebSocket::new(stream, buffer, connection, self.timeouts, subprotocol)
            .map_err(ConnectError::Io)
    }
}

impl From<ClientRequest> for Client {
    /// A client for a request that was put together by itself.
    fn from(request: ClientRequest) -> Self {
        Self {
            request,
            config: Config::default(),
            timeouts: Timeouts::default(),
            entropy: Entropy::default(),
        }
    }
}

/// The first connection that is accepted, or the error of the last address.
fn connect_to_any(
    addresses: impl Iterator<Item = SocketAddr>,
    deadline: Deadline,
) -> io::Result<TcpStream> {
    let mut outcome = Err(io::ErrorKind::AddrNotAvailable.into());
    for address in addresses {
        outcome = match deadline.remaining()? {
            Some(remaining) => TcpStream::connect_timeout(&address, remaining),
            None => TcpStream::connect(address),
        };
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}
