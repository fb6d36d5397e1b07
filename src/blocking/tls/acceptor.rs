use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::{self, PemObject};
use rustls::{ServerConfig, ServerConnection};

use crate::blocking::socket::Socket;
use crate::blocking::tls::connector::{HTTP_1_1, certificates, provider, unusable};
use crate::blocking::tls::error::{TlsConfigError, TlsError};
use crate::blocking::tls::stream::TlsStream;

/// The TLS of a `wss` server: its certificate, and everything else that a [`ServerConfig`] says.
///
/// ```no_run
/// use std::net::TcpListener;
/// use sansocket::blocking::{Server, TlsAcceptor};
///
/// let tls = TlsAcceptor::from_pem(&std::fs::read("chain.pem")?, &std::fs::read("key.pem")?)?;
/// let server = Server::new();
/// for stream in TcpListener::bind("0.0.0.0:443")?.incoming() {
///     let (tls, server, stream) = (tls.clone(), server.clone(), stream?);
///     std::thread::spawn(move || -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
///         // Both handshakes, within one deadline.
///         let mut socket = server.accept(tls.stream(stream)?)?;
///         socket.serve(|message, outbox| outbox.send(message))?;
///         Ok(())
///     });
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// In the handler of an [`AcceptLoop`](crate::blocking::AcceptLoop), use
/// `pending.accept_over(|stream| tls.stream(stream).map_err(AcceptError::Io))`.
///
/// A custom [`ServerConfig`] must not accept early data (RFC 8446, section 2.3), because nothing reads it. By
/// default none does.
#[derive(Clone)]
pub struct TlsAcceptor(Arc<ServerConfig>);

impl TlsAcceptor {
    /// A server with one certificate: its chain, with its own first and the root left out, and its private
    /// key, both as PEM. It accepts `http/1.1` by ALPN and doesn't ask clients for certificates.
    ///
    /// # Errors
    ///
    /// [`TlsConfigError`] if one of the two is missing, or they don't belong together.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, TlsConfigError> {
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| match error {
            pem::Error::NoItemsFound => TlsConfigError::NoKey,
            error => TlsConfigError::Pem(error.to_string()),
        })?;
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .with_no_client_auth()
            .with_single_cert(certificates(chain)?, key)
            .map_err(unusable)?;
        config.alpn_protocols = vec![HTTP_1_1.to_vec()];
        Ok(config.into())
    }

    /// A TLS connection over an accepted socket. The handshake takes place with the first read or write, so
    /// [`Server::accept`](crate::blocking::Server::accept) performs it, within its deadline.
    ///
    /// # Errors
    ///
    /// Those of the socket.
    pub fn stream<S: Socket>(&self, socket: S) -> io::Result<TlsStream<S>> {
        let connection = ServerConnection::new(Arc::clone(&self.0))
            .map_err(|error| TlsError::Protocol(error.to_string()))?;
        TlsStream::new(socket, connection.into())
    }
}

impl From<Arc<ServerConfig>> for TlsAcceptor {
    fn from(config: Arc<ServerConfig>) -> Self {
        Self(config)
    }
}

impl From<ServerConfig> for TlsAcceptor {
    fn from(config: ServerConfig) -> Self {
        Self(Arc::new(config))
    }
}

impl fmt::Debug for TlsAcceptor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TlsAcceptor").finish_non_exhaustive()
    }
}
