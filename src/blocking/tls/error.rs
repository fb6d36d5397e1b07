use std::io;

use rustls::{CertificateError, Connection, Error, InvalidMessage};

/// What is wrong with the TLS of the other end.
///
/// On a [`TlsStream`](super::TlsStream) it is inside an [`io::Error`]; [`from_io`](Self::from_io)
/// finds it there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// What the other end says is no TLS: a server of `ws` on this port, a client that says `ws` to
    /// one of `wss`.
    #[error("the other end speaks no TLS")]
    NotTls,
    /// The URL's host is no name that a certificate could be for.
    #[error("no certificate can be for the host {0:?}")]
    ServerName(String),
    /// The certificate was issued by nobody who is trusted.
    #[error("the certificate was issued by nobody who is trusted")]
    UnknownIssuer,
    /// The certificate has expired.
    #[error("the certificate has expired")]
    Expired,
    /// The certificate is not valid yet.
    #[error("the certificate is not valid yet")]
    NotValidYet,
    /// The certificate is for other names than that of the URL.
    #[error("the certificate is not for the host of the URL{}", only_for(.presented))]
    WrongName {
        /// The names for which it is.
        presented: Vec<String>,
    },
    /// The certificate is not acceptable for another reason.
    #[error("the certificate is not acceptable: {0}")]
    Certificate(String),
    /// The other end refused the connection, or ended it, with this alert.
    #[error("the other end ended the TLS connection with the alert {0}")]
    Alert(String),
    /// The two ends have nothing in common, or the other end broke the protocol.
    #[error("TLS failed: {0}")]
    Protocol(String),
    /// The connection ended before the handshake was complete.
    #[error("the connection ended in the TLS handshake")]
    Truncated,
}

impl TlsError {
    /// The error of TLS that is inside this one, if it is one.
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
            // Before anything else that the other end has said made sense.
            Error::InvalidMessage(
                InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
            ) if connection.protocol_version().is_none() => Self::NotTls,
            Error::InvalidCertificate(error) => error.into(),
            Error::AlertReceived(alert) => Self::Alert(format!("{alert:?}")),
            error => Self::Protocol(error.to_string()),
        }
    }
}

impl From<CertificateError> for TlsError {
    fn from(error: CertificateError) -> Self {
        match error {
            CertificateError::UnknownIssuer => Self::UnknownIssuer,
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Self::NotValidYet
            }
            CertificateError::NotValidForName => Self::WrongName { presented: Vec::new() },
            CertificateError::NotValidForNameContext { presented, .. } => {
                Self::WrongName { presented }
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

fn only_for(names: &[String]) -> String {
    match names {
        [] => String::new(),
        names => format!(", but for {}", names.join(", ")),
    }
}

/// Why TLS can't be set up as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsConfigError {
    /// The platform has no list of whom to trust, or one that can't be read.
    #[error("the platform has no certificates of whom to trust{}", because(.0.as_deref()))]
    NoRoots(Option<String>),
    /// The text is no PEM.
    #[error("the PEM is malformed: {0}")]
    Pem(String),
    /// There is no certificate in the text.
    #[error("there is no certificate in the PEM")]
    NoCertificate,
    /// There is no private key in the text.
    #[error("there is no private key in the PEM")]
    NoKey,
    /// The certificate, or the key with it, can't be used.
    #[error("the certificate or its key cannot be used: {0}")]
    Unusable(String),
}

fn because(reason: Option<&str>) -> String {
    reason.map(|reason| format!(": {reason}")).unwrap_or_default()
}
