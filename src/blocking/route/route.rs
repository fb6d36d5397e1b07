use std::net::{SocketAddr, TcpStream};

use crate::blocking::budget::TimeBudget;
use crate::blocking::error::ConnectError;
use crate::blocking::route::dialer::{DialError, Dialer};
use crate::blocking::route::tcp_options::TcpOptions;
use crate::blocking::route::tunnel::open_tunnel;
use crate::handshake::{ClientRequest, Proxy, ProxyEnvironment, ProxyEnvironmentError};

/// How a client gets from a request to a connection with its server.
#[derive(Debug, Clone, Default)]
pub(crate) struct Route {
    proxies: Proxies,
    dialer: Dialer,
}

/// Which proxy to use for which server.
#[derive(Debug, Clone, Default)]
pub(crate) enum Proxies {
    #[default]
    None,
    /// This one, whatever the server.
    One(Proxy),
    Environment(ProxyEnvironment),
}

impl Route {
    pub(crate) fn set_proxies(&mut self, proxies: Proxies) {
        self.proxies = proxies;
    }

    pub(crate) const fn set_options(&mut self, options: TcpOptions) {
        self.dialer.options = options;
    }

    pub(crate) const fn set_local(&mut self, local: SocketAddr) {
        self.dialer.local = Some(local);
    }

    /// Returns a TCP connection on which whatever the URI's scheme wants may begin, as if the server were at
    /// its other end: TLS, or the opening handshake itself. Nothing that came from the server has been read,
    /// and no timeout is set.
    ///
    /// The time for connecting comes out of the budget, and so does the time for a proxy's answer.
    pub(crate) fn connect(
        &self,
        request: &ClientRequest,
        budget: &mut TimeBudget,
    ) -> Result<TcpStream, ConnectError> {
        let uri = request.uri();
        let Some(proxy) = self.proxies.proxy_for(request)? else {
            return self.dialer.dial((uri.host(), uri.port()), budget).map_err(
                |error| match error {
                    DialError::Resolve(source) => ConnectError::Resolve(source),
                    DialError::Connect(source) => {
                        ConnectError::Connect { host: uri.host_field().to_owned(), source }
                    }
                },
            );
        };
        let dialed = self.dialer.dial((proxy.host(), proxy.port()), budget);
        let stream =
            dialed.map_err(|(DialError::Resolve(source) | DialError::Connect(source))| {
                ConnectError::ProxyConnect { proxy: proxy.to_string(), source }
            })?;
        budget.spend(|deadline| open_tunnel(stream, proxy, request, deadline))
    }
}

impl Proxies {
    fn proxy_for(&self, request: &ClientRequest) -> Result<Option<&Proxy>, ProxyEnvironmentError> {
        match self {
            Self::None => Ok(None),
            Self::One(proxy) => Ok(Some(proxy)),
            Self::Environment(environment) => environment.proxy_for(request.uri()),
        }
    }
}
