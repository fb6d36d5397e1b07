use std::io;

use http::{Response, StatusCode};

#[cfg(feature = "rustls")]
use crate::blocking::tls::{TlsConfigError, TlsError};
use crate::connection::{SendError, TimeoutError, UsageError};
use crate::error::ProtocolError;
use crate::handshake::{
    DecisionError, OptionError, ProxyEnvironmentError, ProxyResponseError, RedirectError,
    RequestError, ResponseError, UriError,
};
use crate::message::Message;

/// Why an operation on a [`WebSocket`](super::WebSocket) failed.
///
/// ```no_run
/// use std::time::Duration;
/// use sansocket::blocking::{Client, Error, Timeouts};
///
/// let timeouts = Timeouts::default().read(Some(Duration::from_secs(1)));
/// let mut socket = Client::new("ws://localhost:9001/feed")?.timeouts(timeouts).connect()?;
/// loop {
///     match socket.read() {
///         Ok(Some(message)) => println!("{} bytes", message.len()),
///         Ok(None) => break,
///         Err(Error::ReadTimedOut) => println!("nothing new"),
///         Err(Error::Protocol(error)) => return Err(format!("a broken peer: {error}").into()),
///         // Lost, or not to be reached any more: connect again.
///         Err(error) => return Err(error.into()),
///     }
/// }
/// println!("closed: {:?}", socket.close_status());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No bytes arrived within the read timeout. Nothing is lost: read again.
    #[error("nothing arrived within the read timeout")]
    ReadTimedOut,
    /// The peer took no bytes within the write timeout. What is queued stays queued: flush again,
    /// or give up.
    #[error("the peer took nothing within the write timeout")]
    WriteTimedOut,
    /// The peer took no bytes within the write timeout, and the queue has no room left for this message.
    #[error("the peer takes nothing and the outgoing queue is full")]
    BufferFull(Message<'static>),
    /// The peer left a Ping unanswered, and sent nothing else, for the time of
    /// [`Timeouts::keepalive`](super::Timeouts::keepalive), or took nothing while the Ping waited to be written. The
    /// connection is lost.
    #[error("the peer did not answer a Ping in time")]
    PongTimedOut,
    /// No message was sent or received within [`Timeouts::idle`](super::Timeouts::idle). The peer has
    /// been told, and the connection is closed.
    #[error("no message was sent or received within the idle timeout")]
    IdleTimedOut,
    /// The closing handshake didn't end within its deadline.
    #[error("the closing handshake did not end within its deadline")]
    CloseTimedOut,
    /// The peer broke the protocol, or a limit. It has been told, and the connection is closed.
    #[error("the peer broke the protocol: {0}")]
    Protocol(#[from] ProtocolError),
    /// The transport ended before the closing handshake: an abnormal closure (RFC 6455, section
    /// 7.1.5).
    #[error("the connection was lost before the closing handshake")]
    Lost,
    /// The protocol doesn't allow what was asked for.
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// The transport failed.
    #[error("the transport failed: {0}")]
    Io(#[source] io::Error),
}

impl From<Error> for io::Error {
    /// A read or write timeout becomes [`TimedOut`](io::ErrorKind::TimedOut), a failure of the transport
    /// keeps its kind, and the rest get the kind that fits best. The error itself is inside.
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::ReadTimedOut | Error::WriteTimedOut => io::ErrorKind::TimedOut,
            Error::BufferFull(_) | Error::Usage(UsageError::BacklogFull) => {
                io::ErrorKind::WouldBlock
            }
            Error::Protocol(_) => io::ErrorKind::InvalidData,
            Error::Lost => io::ErrorKind::UnexpectedEof,
            Error::Usage(UsageError::NotOpen) => io::ErrorKind::BrokenPipe,
            Error::Usage(_) => io::ErrorKind::InvalidInput,
            Error::PongTimedOut | Error::IdleTimedOut | Error::CloseTimedOut => {
                io::ErrorKind::ConnectionAborted
            }
            Error::Io(source) => source.kind(),
        };
        Self::new(kind, error)
    }
}

impl From<TimeoutError> for Error {
    fn from(error: TimeoutError) -> Self {
        match error {
            TimeoutError::Pong => Self::PongTimedOut,
            TimeoutError::Idle => Self::IdleTimedOut,
            TimeoutError::Close => Self::CloseTimedOut,
        }
    }
}

impl From<SendError> for Error {
    fn from(error: SendError) -> Self {
        match error {
            SendError::BufferFull(message) => Self::BufferFull(message),
            SendError::Refused(error) => Self::Usage(error),
        }
    }
}

/// Why a client got no connection.
///
/// ```no_run
/// use sansocket::blocking::{ConnectError, connect};
/// use sansocket::http::StatusCode;
///
/// match connect("ws://localhost:9001/feed") {
///     Ok(mut socket) => socket.send("Hello")?,
///     Err(ConnectError::Rejected(response)) if response.status() == StatusCode::UNAUTHORIZED => {
///         println!("log in first: {}", String::from_utf8_lossy(response.body()));
///     }
///     Err(ConnectError::Connect { host, source }) => println!("is {host} up? {source}"),
///     Err(error) => println!("{error}"),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The URL can't be connected to.
    #[error("the URL is not valid: {0}")]
    Uri(#[from] UriError),
    /// An option can't be part of the request.
    #[error(transparent)]
    Option(#[from] OptionError),
    /// The URL's scheme is `wss`, and the crate was built without the feature `rustls`: connect a TLS stream
    /// and use [`Client::connect_over`](super::Client::connect_over).
    #[error("wss needs the feature rustls, or a TLS stream to connect over")]
    TlsUnsupported,
    /// TLS can't be set up: for example, there are no certificate authorities to trust.
    #[cfg(feature = "rustls")]
    #[error(transparent)]
    TlsConfig(#[from] TlsConfigError),
    /// The TLS handshake failed, or TLS did before the opening handshake was complete.
    #[cfg(feature = "rustls")]
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The host's addresses could not be looked up.
    #[error("the host name could not be resolved: {0}")]
    Resolve(#[source] io::Error),
    /// No address of the host accepted a connection.
    #[error("could not connect to {host}: {source}")]
    Connect {
        /// The host of the URL, with its port where that isn't the default, or the path of the Unix socket.
        host: String,
        /// The most informative of the addresses' errors.
        source: io::Error,
    },
    /// An environment variable names no usable proxy.
    #[error(transparent)]
    ProxyEnvironment(#[from] ProxyEnvironmentError),
    /// The proxy could not be connected to, or the connection to it failed.
    #[error("could not connect to the proxy {proxy}: {source}")]
    ProxyConnect {
        /// The URL of the proxy, without user name and password.
        proxy: String,
        /// The error of the look-up or the transport, or the most informative of the addresses' errors.
        source: io::Error,
    },
    /// The proxy's answer took longer than connecting may take.
    #[error("the proxy did not open a tunnel in time")]
    ProxyTimedOut,
    /// The proxy's answer isn't valid.
    #[error("the proxy's response is not valid: {0}")]
    ProxyResponse(#[from] ProxyResponseError),
    /// The proxy refuses to open a tunnel: here is its response, with as much of its body as
    /// arrived. Status 407 asks for a user name and password.
    #[error("the proxy answered with the status {}", .0.status())]
    ProxyRefused(Box<Response<Vec<u8>>>),
    /// The server sent a redirection that the client doesn't follow.
    #[error("{error}")]
    Redirect {
        /// Why not.
        #[source]
        error: RedirectError,
        /// The last redirection, with as much of its body as arrived.
        response: Box<Response<Vec<u8>>>,
    },
    /// The server's answer took longer than the handshake may take.
    #[error("the server did not complete the handshake in time")]
    TimedOut,
    /// The server's answer isn't valid.
    #[error("the server's response is not valid: {0}")]
    Response(#[from] ResponseError),
    /// The server answered with something other than a WebSocket: here it is, with as much of its
    /// body as arrived.
    #[error("the server answered with the status {}", .0.status())]
    Rejected(Box<Response<Vec<u8>>>),
    /// The transport failed.
    #[error("the transport failed during the handshake: {0}")]
    Io(#[source] io::Error),
}

/// Why a server got no connection. The client has been answered, where that was possible.
///
/// ```no_run
/// # fn serve(stream: std::net::TcpStream) -> Result<(), sansocket::blocking::Error> {
/// use sansocket::blocking::{AcceptError, accept};
///
/// match accept(stream) {
///     Ok(mut socket) => return socket.serve(|message, outbox| outbox.send(message)),
///     // Somebody's browser, or a health check.
///     Err(AcceptError::Refused { status, .. }) => println!("answered with {status}"),
///     Err(error) => println!("gone: {error}"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// The request was answered with this status instead of a WebSocket.
    #[error("the request was answered with the status {status}{}", reason(.error.as_ref()))]
    Refused {
        /// The status of the answer.
        status: StatusCode,
        /// What was wrong with the request; `None` if the answer is the application's own.
        error: Option<RequestError>,
    },
    /// The client's request took longer than the handshake may take.
    #[error("the client did not complete the handshake in time")]
    TimedOut,
    /// The application's decision can't be carried out. The client was answered with a 500.
    #[error(transparent)]
    Decision(#[from] DecisionError),
    /// The TLS handshake failed, or TLS did before the opening handshake was complete.
    #[cfg(feature = "rustls")]
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The client ended the connection before its request was complete.
    #[error("the client ended the connection before its request was complete")]
    Truncated,
    /// The transport failed.
    #[error("the transport failed during the handshake: {0}")]
    Io(#[source] io::Error),
}

fn reason(error: Option<&RequestError>) -> String {
    error.map(|error| format!(": {error}")).unwrap_or_default()
}
