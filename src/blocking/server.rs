use std::fmt;
use std::io::{Read, Write};
use std::sync::Arc;

use http::Request;

use crate::blocking::deadline::Deadline;
use crate::blocking::error::AcceptError;
use crate::blocking::opening::Opening;
use crate::blocking::read_buffer::ReadBuffer;
use crate::blocking::socket::Socket;
use crate::blocking::stream::Stream;
use crate::blocking::timeouts::Timeouts;
use crate::blocking::websocket::WebSocket;
use crate::config::Config;
#[cfg(feature = "deflate")]
use crate::extension::Deflate;
use crate::extension::Supported;
use crate::handshake::{
    Decision, HeadLimits, OriginPolicy, RequestError, RequestHead, UpgradeRequest,
};

/// Accepts a WebSocket on a TCP connection or another [`Socket`], with the defaults of [`Server`].
///
/// ```no_run
/// use std::net::TcpListener;
///
/// let (stream, _) = TcpListener::bind("127.0.0.1:9001")?.accept()?;
/// let mut socket = sansocket::blocking::accept(stream)?;
/// while let Some(message) = socket.read()? {
///     socket.write(message)?;
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`AcceptError`] says why it failed. The client has been answered, unless it was too slow or is gone.
pub fn accept<S: Socket>(stream: S) -> Result<WebSocket<S>, AcceptError> {
    Server::new().accept(stream)
}

/// What a server offers and allows: the builder for server connections.
///
/// One `Server` serves any number of connections, from any number of threads.
///
/// ```no_run
/// use std::net::TcpListener;
/// use sansocket::blocking::Server;
///
/// let server = Server::new().subprotocols(["chat.v2", "chat.v1"]);
/// for stream in TcpListener::bind("127.0.0.1:9001")?.incoming() {
///     let (server, stream) = (server.clone(), stream?);
///     std::thread::spawn(move || -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
///         let mut socket = server.accept(stream)?;
///         socket.serve(|message, outbox| outbox.send(message))?;
///         Ok(())
///     });
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct Server {
    subprotocols: Arc<[String]>,
    origins: Arc<OriginPolicy>,
    decide: Option<Arc<Decide>>,
    extensions: Supported,
    head_limits: HeadLimits,
    config: Config,
    timeouts: Timeouts,
}

type Decide =
    dyn Fn(&Request<()>, Result<&UpgradeRequest<'_>, &RequestError>) -> Decision + Send + Sync;

impl Default for Server {
    fn default() -> Self {
        Self::new()
    }
}

impl Server {
    /// A server that accepts every valid opening handshake, from pages of any origin, without a
    /// subprotocol.
    pub fn new() -> Self {
        Self {
            subprotocols: Arc::new([]),
            origins: Arc::new(OriginPolicy::any()),
            decide: None,
            extensions: Supported::default(),
            head_limits: HeadLimits::default(),
            config: Config::default(),
            timeouts: Timeouts::default(),
        }
    }

    /// The subprotocols that this server speaks, the one it likes best first. The first of them that the
    /// client offers is used; a client that offers none of them is accepted without one.
    #[must_use]
    pub fn subprotocols<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.subprotocols = names.into_iter().map(Into::into).collect();
        self
    }

    /// Which web pages may open a connection. A server that identifies its users by cookies needs such a
    /// policy.
    #[must_use]
    pub fn origins(mut self, policy: OriginPolicy) -> Self {
        self.origins = Arc::new(policy);
        self
    }

    /// Decides about each request.
    ///
    /// The closure sees the whole request and what the protocol makes of it, even if it isn't an opening
    /// handshake, so that it can answer a plain `GET` with a page. It is asked after the origin policy. If it
    /// accepts without naming a subprotocol, the one from [`subprotocols`](Self::subprotocols) is used.
    ///
    /// ```
    /// use sansocket::blocking::Server;
    /// use sansocket::handshake::{Decision, RequestError};
    ///
    /// let server = Server::new().on_request(|request, upgrade| match (request.uri().path(), upgrade) {
    ///     // A valid request for something else; requests with other errors are refused.
    ///     ("/health", Err(RequestError::Upgrade)) => {
    ///         Decision::Respond(sansocket::http::Response::new("healthy".into()))
    ///     }
    ///     _ => Decision::accept(),
    /// });
    /// ```
    #[must_use]
    pub fn on_request(
        mut self,
        decide: impl Fn(&Request<()>, Result<&UpgradeRequest<'_>, &RequestError>) -> Decision
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.decide = Some(Arc::new(decide));
        self
    }

    /// Decides about each request that was accepted so far, and adds to the terms.
    pub(super) fn then_on_request(
        mut self,
        decide: impl Fn(&Request<()>, Result<&UpgradeRequest<'_>, &RequestError>) -> Decision
        + Send
        + Sync
        + 'static,
    ) -> Self {
        let Some(earlier) = self.decide.take() else { return self.on_request(decide) };
        self.on_request(move |request, upgrade| match earlier(request, upgrade) {
            Decision::Accept(terms) => match decide(request, upgrade) {
                Decision::Accept(others) => others.added_to(terms).into(),
                response @ Decision::Respond(_) => response,
            },
            response @ Decision::Respond(_) => response,
        })
    }

    /// Compresses messages with clients that offer it (RFC 7692); off by default.
    ///
    /// ```
    /// use sansocket::blocking::Server;
    /// use sansocket::extension::Deflate;
    ///
    /// // What a server with many connections wants: nothing is kept between two messages.
    /// let deflate = Deflate::default().server_no_context_takeover().client_no_context_takeover();
    /// let server = Server::new().deflate(&deflate);
    /// ```
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn deflate(mut self, deflate: &Deflate) -> Self {
        self.extensions.deflate = Some(deflate.clone());
        self
    }

    /// Limits of the request's head.
    #[must_use]
    pub const fn head_limits(mut self, limits: HeadLimits) -> Self {
        self.head_limits = limits;
        self
    }

    /// Limits and options of the connections; those of [`Config::default`] by default.
    #[must_use]
    pub const fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// How long each kind of waiting may take; [`Timeouts::default`] by default.
    #[must_use]
    pub const fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Accepts a WebSocket on a TCP connection, on which it turns on `TCP_NODELAY`, or on another [`Socket`].
    ///
    /// # Errors
    ///
    /// [`AcceptError`] says why it failed. The client has been answered, unless it was too slow or is gone.
    pub fn accept<S: Socket>(&self, stream: S) -> Result<WebSocket<S>, AcceptError> {
        stream.set_blocking().and_then(|()| stream.set_nodelay()).map_err(AcceptError::Io)?;
        self.open(Stream::socket(stream))
    }

    /// Accepts a WebSocket over any other stream, such as TLS or one in memory.
    ///
    /// Its timeouts are up to the caller, and so is ending it after the closing handshake or a refusal. The
    /// handshake deadline is checked between two calls, but can't interrupt one.
    ///
    /// # Errors
    ///
    /// [`AcceptError`] says why it failed. The client has been answered, unless it was too slow or is gone.
    pub fn accept_over<S: Read + Write>(&self, stream: S) -> Result<WebSocket<S>, AcceptError> {
        self.open(Stream::uncontrolled(stream))
    }

    fn open<S: Read + Write>(&self, mut stream: Stream<S>) -> Result<WebSocket<S>, AcceptError> {
        let mut buffer = ReadBuffer::default();
        let deadline = Deadline::after(self.timeouts.handshake);
        let mut opening = Opening { stream: &mut stream, buffer: &mut buffer, deadline };
        let accepted =
            opening.accept(self.head_limits, |request, upgrade| self.decide(request, upgrade))?;
        let subprotocol = accepted.subprotocol().map(Into::into);
        let connection = accepted.into_connection(self.config);
        WebSocket::new(stream, buffer, connection, self.timeouts, subprotocol)
            .map_err(AcceptError::Io)
    }

    fn decide(
        &self,
        request: &RequestHead<'_>,
        upgrade: Result<&UpgradeRequest<'_>, &RequestError>,
    ) -> Result<Decision, RequestError> {
        if let Ok(upgrade) = upgrade {
            self.origins.check(upgrade)?;
        }
        let decision = match &self.decide {
            Some(decide) => decide(&request.to_request()?, upgrade),
            None => Decision::accept(),
        };
        Ok(match (decision, upgrade) {
            (Decision::Accept(acceptance), Ok(upgrade)) => {
                let supported: Vec<&str> = self.subprotocols.iter().map(String::as_str).collect();
                let selected = upgrade.select_subprotocol(&supported);
                acceptance.or_subprotocol(selected).or_extensions(&self.extensions).into()
            }
            (decision, _) => decision,
        })
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Server")
            .field("subprotocols", &self.subprotocols)
            .field("origins", &self.origins)
            .field("head_limits", &self.head_limits)
            .field("config", &self.config)
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}
