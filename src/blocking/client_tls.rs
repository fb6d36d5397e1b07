use std::net::TcpStream;
#[cfg(feature = "rustls")]
use std::sync::{Arc, OnceLock};

use crate::blocking::client_stream::ClientStream;
use crate::blocking::error::ConnectError;
#[cfg(feature = "rustls")]
use crate::blocking::tls::{TlsConnector, TlsError};
use crate::handshake::{Scheme, WebSocketUri};

/// A client's TLS for `wss`. It is set up for the first such URL, once for all clones of the client.
#[derive(Debug, Clone, Default)]
pub(super) struct ClientTls {
    #[cfg(feature = "rustls")]
    connector: Arc<OnceLock<TlsConnector>>,
}

/// The layer over the TCP connection to a server.
#[derive(Debug)]
pub(super) enum Layer {
    Nothing,
    #[cfg(feature = "rustls")]
    Tls {
        connector: TlsConnector,
        host: String,
    },
}

impl ClientTls {
    #[cfg(feature = "rustls")]
    pub(super) fn new(connector: TlsConnector) -> Self {
        Self { connector: Arc::new(OnceLock::from(connector)) }
    }

    /// Returns the layer that a URL asks for, before anything is connected.
    #[cfg_attr(
        not(feature = "rustls"),
        expect(clippy::unused_self, reason = "with TLS it has something to say")
    )]
    pub(super) fn layer(&self, uri: &WebSocketUri) -> Result<Layer, ConnectError> {
        match uri.scheme() {
            Scheme::Ws => Ok(Layer::Nothing),
            #[cfg(not(feature = "rustls"))]
            Scheme::Wss => Err(ConnectError::TlsUnsupported),
            #[cfg(feature = "rustls")]
            Scheme::Wss => {
                let connector = self.connector()?.clone();
                Ok(Layer::Tls { connector, host: uri.host().to_owned() })
            }
        }
    }

    #[cfg(feature = "rustls")]
    fn connector(&self) -> Result<&TlsConnector, ConnectError> {
        if let Some(connector) = self.connector.get() {
            return Ok(connector);
        }
        let connector = TlsConnector::with_platform_roots()?;
        Ok(self.connector.get_or_init(|| connector))
    }
}

impl Layer {
    /// Returns the stream for the opening handshake. The TLS handshake takes place along with it.
    #[cfg_attr(
        not(feature = "rustls"),
        expect(clippy::unnecessary_wraps, reason = "with TLS it may fail")
    )]
    pub(super) fn over(self, tcp: TcpStream) -> Result<ClientStream, ConnectError> {
        match self {
            Self::Nothing => Ok(tcp.into()),
            #[cfg(feature = "rustls")]
            Self::Tls { connector, host } => match connector.stream(&host, tcp) {
                Ok(stream) => Ok(stream.into()),
                Err(error) => Err(match TlsError::from_io(&error) {
                    Some(error) => error.clone().into(),
                    None => ConnectError::Io(error),
                }),
            },
        }
    }
}
