use std::net::{SocketAddr, TcpStream};

use crate::blocking::budget::TimeBudget;
use crate::blocking::error::ConnectError;
use crate::blocking::route::dialer::{DialError, Dialer};
use crate::blocking::route::tcp_options::TcpOptions;
use crate::handshake::ClientRequest;

/// How a client gets from a request to a connection with its server.
#[derive(Debug, Clone, Default)]
pub(crate) struct Route {
    dialer: Dialer,
}

impl Route {
    pub(crate) const fn set_options(&mut self, options: TcpOptions) {
        self.dialer.options = options;
    }

    pub(crate) const fn set_local(&mut self, local: SocketAddr) {
        self.dialer.local = Some(local);
    }

    /// A TCP connection on which whatever the URI's scheme wants may begin, as if the server were
    /// at its other end: TLS, or the opening handshake itself. Nothing that came from the server has
    /// been read, and no timeout is set.
    ///
    /// What connecting takes is taken from the budget.
    pub(crate) fn connect(
        &self,
        request: &ClientRequest,
        budget: &mut TimeBudget,
    ) -> Result<TcpStream, ConnectError> {
        let uri = request.uri();
        self.dialer.dial((uri.host(), uri.port()), budget).map_err(|error| match error {
            DialError::Resolve(source) => ConnectError::Resolve(source),
            DialError::Connect(source) => ConnectError::Connect { host: uri.host_field(), source },
        })
    }
}
