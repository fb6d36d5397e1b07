use std::io;

use rustls::{CertificateError, Connection, Error, InvalidMessage};

/// What is wrong with the TLS of the other end.
///
/// On a [`TlsStream`](super::TlsStream) it is inside an [`io::Error`]; [`from_io`](Self::from_io)
/// finds it there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The other end doesn't speak TLS: a server of `ws` on this port, or a client that speaks `ws` to a
    /// server of `wss`.
    #[error("the other end does not speak TLS")]
    NotTls,
    /// The URL's host isn't a name that a certificate could be for.
    #[error("no certificate can name the host {0:?}")]
    ServerName(String),
    /// The certificate's issuer is not trusted.
    #[error("the certificate's issuer is not trusted")]
    UnknownIssuer,
    /// The certificate has expired.
    #[error("the certificate has expired")]
    Expired,
    /// The certificate is not valid yet.
    #[error("the certificate is not valid yet")]
    NotValidYet,
    /// The certificate is for names other than the URL's host.
    #[error("the certificate is not for the host of the URL{}", only_for(.presented))]
    WrongName {
        /// The names that it is for.
        presented: Vec<String>,
    },
    /// The certificate is unacceptable for another reason.
    #[error("the certificate is not acceptable: {0}")]
    Certificate(String),
    /// The other end refused the connection, or ended it, with this alert.
    #[error("the other end ended the TLS connection with the alert {0}")]
    Alert(String),
    /// The two ends have nothing in common, or the other end broke the protocol.
    #[error("TLS failed: {0}")]
    Protocol(String),
    /// The connection ended before the handshake was complete.
    #[error("the connection ended during the TLS handshake")]
    Truncated,
}

impl TlsError {
    /// The TLS error inside this one, if there is one.
    ///
    /// ```
    /// use std::io;
    /// use sansocket::blocking::TlsError;
    ///
    /// assert_eq!(TlsError::from_io(&TlsError::NotTls.into()), Some(&TlsError::NotTls));
    /// assert_eq!(TlsError::from_io(&io::ErrorKind::TimedOut.into()), None);
    /// ```
    pub fn from_io(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    pub(super) fn from_rustls(error: Error, connection: &Connection) -> Self {
        match error {
            // Only while nothing that the other end has sent has made sense.
            Error::InvalidMessage(
                InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
            ) if connection.protocol_version().is_none() => Self::NotTls,
            Error::InvalidCertificate(error) => Self::from_certificate(error),
            Error::AlertReceived(alert) => Self::Alert(format!("{alert:?}")),
            error => Self::Protocol(error.to_string()),
        }
    }

    fn from_certificate(error: CertificateError) -> Self {
        match error {
            CertificateError::UnknownIssuer => Self::UnknownIssuer,
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Self::NotValidYet
            }
            CertificateError::NotValidForName => Self::WrongName { presented: Vec::new() },
            CertificateError::NotValidForNameContext { presented, .. } => {
                let presented = presented.iter().map(|name| without_type(name).to_owned());
                Self::WrongName { presented: presented.collect() }
            }
            error => Self::Certificate(error.to_string()),
        }
    }
}

impl From<TlsError> for io::Error {
    fn from(error: TlsError) -> Self {
        let kind = match error {
            TlsError::ServerName(_) => io::ErrorKind::InvalidInput,
            TlsError::Truncated => io::ErrorKind::ConnectionAborted,
            _ => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}

/// Returns the name in `DnsName("example.com")`, as which names are reported.
fn without_type(name: &str) -> &str {
    let quoted = name.split_once("(\"").and_then(|(_, rest)| rest.strip_suffix("\")"));
    quoted.unwrap_or(name)
}

fn only_for(names: &[String]) -> String {
    match names {
        [] => String::new(),
        names => format!(", but for {}", names.join(", ")),
    }
}

/// Why TLS can't be set up as requested.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsConfigError {
    /// The platform has no list of trusted certificate authorities, or one that can't be read.
    #[error("the platform has no trusted certificate authorities{}", because(.0.as_deref()))]
    NoRoots(Option<String>),
    /// The text isn't valid PEM.
    #[error("the PEM is malformed: {0}")]
    Pem(String),
    /// There is no certificate in the text.
    #[error("there is no certificate in the PEM")]
    NoCertificate,
    /// There is no private key in the text.
    #[error("there is no private key in the PEM")]
    NoKey,
    /// The certificate or its key can't be used.
    #[error("the certificate or its key cannot be used: {0}")]
    Unusable(String),
}

fn because(reason: Option<&str>) -> String {
    reason.map(|reason| format!(": {reason}")).unwrap_or_default()
}
