use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use crate::blocking::socket::Socket;
use crate::blocking::tls::error::{TlsConfigError, TlsError};
use crate::blocking::tls::stream::TlsStream;

/// The TLS of `wss` clients: whom they trust, and everything else that a [`ClientConfig`] says.
///
/// ```
/// use std::sync::Arc;
/// use sansocket::blocking::{Client, TlsConnector};
/// use sansocket::rustls::{ClientConfig, RootCertStore};
///
/// // A custom configuration, here one that trusts nobody:
/// let config = ClientConfig::builder_with_provider(Arc::new(
///     sansocket::rustls::crypto::ring::default_provider(),
/// ))
/// .with_safe_default_protocol_versions()?
/// .with_root_certificates(RootCertStore::empty())
/// .with_no_client_auth();
/// let client = Client::new("wss://example.com/")?.tls(config);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Connectors made here offer `http/1.1` by ALPN, use the application's default [`CryptoProvider`] if it has
/// installed one and otherwise *ring*'s, and resume sessions: keep one rather than making a new one for each
/// connection.
#[derive(Clone)]
pub struct TlsConnector(Arc<ClientConfig>);

impl TlsConnector {
    /// Trusts the certificate authorities that the platform trusts.
    ///
    /// If the platform has no list of them, as in an empty container, Mozilla's is used with the feature
    /// `rustls-webpki-roots`.
    ///
    /// # Errors
    ///
    /// [`TlsConfigError::NoRoots`], or [`TlsConfigError::Unusable`] when the application's [`CryptoProvider`] can't be
    /// used.
    pub fn with_platform_roots() -> Result<Self, TlsConfigError> {
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        // Platforms have some certificates that nobody can read any more.
        roots.add_parsable_certificates(found.certs);
        #[cfg(feature = "rustls-webpki-roots")]
        if roots.is_empty() {
            return Self::with_webpki_roots();
        }
        if roots.is_empty() {
            return Err(TlsConfigError::NoRoots(found.errors.first().map(ToString::to_string)));
        }
        Self::trusting(roots)
    }

    /// Trusts the certificate authorities that Mozilla trusted when the crate `webpki-roots` was released.
    ///
    /// # Errors
    ///
    /// [`TlsConfigError::Unusable`] when the application's [`CryptoProvider`] can't be used.
    #[cfg(feature = "rustls-webpki-roots")]
    pub fn with_webpki_roots() -> Result<Self, TlsConfigError> {
        Self::trusting(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect())
    }

    /// Trusts the certificate authorities whose certificates are in this text, and no others.
    ///
    /// ```no_run
    /// use sansocket::blocking::{Client, TlsConnector};
    ///
    /// let trusted = TlsConnector::with_pem_roots(&std::fs::read("company.pem")?)?;
    /// let socket = Client::new("wss://chat.company.example/")?.tls(trusted).connect()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`TlsConfigError`] if the text isn't PEM, or has no certificate.
    pub fn with_pem_roots(pem: &[u8]) -> Result<Self, TlsConfigError> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(pem)? {
            roots.add(certificate).map_err(unusable)?;
        }
        Self::trusting(roots)
    }

    fn trusting(roots: RootCertStore) -> Result<Self, TlsConfigError> {
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![HTTP_1_1.to_vec()];
        Ok(config.into())
    }

    /// A TLS connection over a connected socket, to the server of this name: a DNS name or an IP
    /// address, without brackets. The handshake takes place with the first read or write.
    ///
    /// # Errors
    ///
    /// [`TlsError::ServerName`] inside an [`io::Error`], and those of the socket.
    pub fn stream<S: Socket>(&self, host: &str, socket: S) -> io::Result<TlsStream<S>> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| TlsError::ServerName(host.to_owned()))?;
        let connection = ClientConnection::new(Arc::clone(&self.0), name)
            .map_err(|error| TlsError::Protocol(error.to_string()))?;
        TlsStream::new(socket, connection.into())
    }
}

impl From<Arc<ClientConfig>> for TlsConnector {
    fn from(config: Arc<ClientConfig>) -> Self {
        Self(config)
    }
}

impl From<ClientConfig> for TlsConnector {
    fn from(config: ClientConfig) -> Self {
        Self(Arc::new(config))
    }
}

impl fmt::Debug for TlsConnector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TlsConnector").finish_non_exhaustive()
    }
}

/// RFC 7301, §6: the protocol that a WebSocket is opened with.
pub(super) const HTTP_1_1: &[u8] = b"http/1.1";

/// The application's provider, or else the built-in one.
pub(super) fn provider() -> Arc<CryptoProvider> {
    CryptoProvider::get_default().cloned().unwrap_or_else(|| Arc::new(ring::default_provider()))
}

/// The certificates of a PEM file: at least one.
pub(super) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsConfigError> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| TlsConfigError::Pem(error.to_string()))?;
    if certificates.is_empty() {
        return Err(TlsConfigError::NoCertificate);
    }
    Ok(certificates)
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to `map_err`")]
pub(super) fn unusable(error: rustls::Error) -> TlsConfigError {
    TlsConfigError::Unusable(error.to_string())
}
