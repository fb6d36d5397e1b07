use std::env;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::blocking::client_tls::ClientTls;
use crate::blocking::route::{Proxies, Route, TcpOptions};
use crate::blocking::timeouts::Timeouts;
#[cfg(feature = "rustls")]
use crate::blocking::tls::TlsConnector;
use crate::config::Config;
use crate::entropy::Entropy;
#[cfg(feature = "deflate")]
use crate::extension::Deflate;
use crate::handshake::{
    ClientRequest, Established, HeadLimits, OptionError, Origin, Proxy, ProxyEnvironment,
    Redirects, UriError,
};

/// What a client asks for and allows: the builder for client connections.
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
#[derive(Clone)]
pub struct Client {
    pub(super) request: ClientRequest,
    pub(super) config: Config,
    pub(super) timeouts: Timeouts,
    pub(super) entropy: Entropy,
    pub(super) route: Route,
    pub(super) redirects: Redirects,
    pub(super) tls: ClientTls,
    pub(super) on_established: Option<Arc<OnEstablished>>,
}

type OnEstablished = dyn Fn(&Established) + Send + Sync;

impl Client {
    /// A client for this URL.
    ///
    /// # Errors
    ///
    /// [`UriError`] if it isn't a `ws:` or `wss:` URL that can be connected to.
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

    /// Sets the origin of the web page on whose behalf the connection is opened.
    #[must_use]
    pub fn origin(mut self, origin: Origin) -> Self {
        self.request = self.request.origin(origin);
        self
    }

    /// Calls `show` for each WebSocket that opens, with what the server agreed to and the headers it added.
    ///
    /// ```no_run
    /// use sansocket::blocking::Client;
    ///
    /// let socket = Client::new("ws://localhost:9001/")?
    ///     .on_established(|established| {
    ///         for cookie in established.response().headers().get_all("set-cookie") {
    ///             println!("{cookie:?}");
    ///         }
    ///     })
    ///     .connect()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn on_established(mut self, show: impl Fn(&Established) + Send + Sync + 'static) -> Self {
        self.on_established = Some(Arc::new(show));
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

    /// The TLS to use for `wss`, redirections included; above all, the certificate authorities to trust. By
    /// default they are those that the platform trusts.
    ///
    /// ```no_run
    /// use sansocket::blocking::{Client, TlsConnector};
    ///
    /// let trusted = TlsConnector::with_pem_roots(&std::fs::read("company.pem")?)?;
    /// let socket = Client::new("wss://chat.company.example/")?.tls(trusted).connect()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn tls(mut self, connector: impl Into<TlsConnector>) -> Self {
        self.tls = ClientTls::new(connector.into());
        self
    }

    /// Limits of the response's head.
    #[must_use]
    pub fn head_limits(mut self, limits: HeadLimits) -> Self {
        self.request = self.request.head_limits(limits);
        self
    }

    /// How many bytes are kept of the body of a response that rejects the handshake; 64 KiB by default.
    #[must_use]
    pub fn max_body_size(mut self, bytes: usize) -> Self {
        self.request = self.request.max_body_size(bytes);
        self
    }

    /// Limits and options of the connection; those of [`Config::default`] by default.
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

    /// Asks this proxy for a tunnel to the server, and connects through that; connects directly by default.
    ///
    /// Connecting to the proxy and waiting for its answer are part of connecting, and so bounded by
    /// [`Timeouts::connect`].
    ///
    /// ```no_run
    /// use sansocket::blocking::Client;
    ///
    /// let socket = Client::new("ws://example.com/")?
    ///     .proxy("http://user:password@proxy.example.com:3128".parse()?)
    ///     .connect()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.route.set_proxies(Proxies::One(proxy));
        self
    }

    /// Connects through the proxy that the environment names for the server, if any: as the variables
    /// `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy` say now, see [`ProxyEnvironment`].
    ///
    /// A variable that names no usable proxy is an error of [`connect`](Self::connect), and only where that
    /// variable decides.
    #[must_use]
    pub fn proxy_from_env(mut self) -> Self {
        let environment = ProxyEnvironment::read(|name| {
            // A value that isn't Unicode can't be used, which should be reported.
            env::var_os(name).map(|value| value.to_string_lossy().into_owned())
        });
        self.route.set_proxies(Proxies::Environment(environment));
        self
    }

    /// Follows up to this many redirections before the WebSocket is open; none by default. A redirection is
    /// then [`Rejected`](super::ConnectError::Rejected), like any other answer that opens no WebSocket.
    ///
    /// [`Redirects::follow`] tells where they lead and what is sent there. The deadlines of [`Timeouts`]
    /// cover all of them together, one for connecting and one for the handshakes.
    #[must_use]
    pub const fn redirects(mut self, limit: u32) -> Self {
        self.redirects = Redirects::up_to(limit);
        self
    }

    /// The options that are set on the TCP socket.
    #[must_use]
    pub const fn tcp(mut self, options: TcpOptions) -> Self {
        self.route.set_options(options);
        self
    }

    /// Connects from this local address, and only to addresses of its family. If the port is 0, the system
    /// chooses one.
    ///
    /// ```no_run
    /// use std::net::Ipv4Addr;
    /// use sansocket::blocking::Client;
    ///
    /// let socket = Client::new("ws://localhost:9001/")?.bind((Ipv4Addr::LOCALHOST, 0)).connect()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn bind(mut self, local: impl Into<SocketAddr>) -> Self {
        self.route.set_local(local.into());
        self
    }
}

impl From<ClientRequest> for Client {
    /// A client for a request that was built separately.
    fn from(request: ClientRequest) -> Self {
        Self {
            request,
            config: Config::default(),
            timeouts: Timeouts::default(),
            entropy: Entropy::default(),
            route: Route::default(),
            redirects: Redirects::default(),
            tls: ClientTls::default(),
            on_established: None,
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Client")
            .field("request", &self.request)
            .field("config", &self.config)
            .field("timeouts", &self.timeouts)
            .field("route", &self.route)
            .field("redirects", &self.redirects)
            .finish_non_exhaustive()
    }
}
