use crate::handshake::client::no_proxy::NoProxy;
use crate::handshake::client::proxy::{Proxy, ProxyError};
use crate::handshake::uri::{Scheme, WebSocketUri};

/// The proxies that the environment names, and for which servers.
///
/// | variable | meaning |
/// |---|---|
/// | `http_proxy` | the proxy for `ws` |
/// | `https_proxy` | the proxy for `wss` |
/// | `all_proxy` | the proxy for both, if their own isn't set |
/// | `no_proxy` | the servers that are connected to directly |
///
/// Each may be written in upper case as well; if both are set, the lower-case one counts, and an
/// empty variable counts as not set. In a program that answers CGI requests, as `REQUEST_METHOD`
/// shows, `HTTP_PROXY` is ignored: its client could set it, with a header named `Proxy`.
///
/// `no_proxy` is a list separated by commas or spaces, in which case does not matter:
///
/// | entry | servers |
/// |---|---|
/// | `*` | all |
/// | `example.com`, `.example.com`, `*.example.com` | `example.com`, and all names that end with `.example.com` |
/// | `192.0.2.1`, `2001:db8::1`, `[2001:db8::1]` | those whose URL has this address in the usual form, not `127.1` or a number |
/// | `192.0.2.0/24`, `2001:db8::/32` | those whose URL has an address in this block |
/// | any but a block, followed by `:port` | the same, but only on this port (IPv6 in brackets) |
///
/// Names are not resolved for comparison with addresses. Any other entry is ignored.
///
/// ```
/// use sansocket::handshake::ProxyEnvironment;
///
/// let environment = ProxyEnvironment::read(|name| match name {
///     "http_proxy" => Some("http://proxy.example.com:3128".into()),
///     "no_proxy" => Some("localhost, 127.0.0.0/8".into()),
///     _ => None,
/// });
/// let proxy = environment.proxy_for(&"ws://example.org/".parse()?)?;
/// assert_eq!(proxy.map(|proxy| proxy.host()), Some("proxy.example.com"));
/// assert_eq!(environment.proxy_for(&"ws://127.0.0.1/".parse()?)?, None);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyEnvironment {
    ws: Setting,
    wss: Setting,
    exceptions: NoProxy,
}

/// A variable that isn't set is not an error, nor is one that is wrong but not needed.
type Setting = Result<Option<Proxy>, ProxyEnvironmentError>;

/// An environment variable names a proxy that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {variable}: {error}")]
pub struct ProxyEnvironmentError {
    variable: &'static str,
    #[source]
    error: ProxyError,
}

impl ProxyEnvironment {
    /// Reads the environment, in which `variable` looks up a variable by its name.
    ///
    /// Outside tests, pass `|name| Some(std::env::var_os(name)?.to_string_lossy().into_owned())`: a value
    /// that isn't Unicode is then an error instead of being taken for unset.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        let variables = Variables(variable);
        let all = variables.either("all_proxy", "ALL_PROXY");
        let http = variables.http_proxy().or_else(|| all.clone());
        let https = variables.either("https_proxy", "HTTPS_PROXY").or(all);
        let exceptions = variables.either("no_proxy", "NO_PROXY");
        Self {
            ws: setting(http),
            wss: setting(https),
            exceptions: exceptions.map(|(_, list)| NoProxy::parse(&list)).unwrap_or_default(),
        }
    }

    /// Returns the proxy through which to connect to this URI, or `None` to connect directly.
    ///
    /// # Errors
    ///
    /// [`ProxyEnvironmentError`] if the variable that decides this does not name a usable proxy.
    pub fn proxy_for(&self, uri: &WebSocketUri) -> Result<Option<&Proxy>, ProxyEnvironmentError> {
        if self.exceptions.contain(uri) {
            return Ok(None);
        }
        let setting = match uri.scheme() {
            Scheme::Ws => &self.ws,
            Scheme::Wss => &self.wss,
        };
        setting.as_ref().map(Option::as_ref).map_err(Clone::clone)
    }
}

impl ProxyEnvironmentError {
    /// Returns the name of the variable.
    pub const fn variable(&self) -> &'static str {
        self.variable
    }

    /// Returns what is wrong with its value.
    pub const fn error(&self) -> ProxyError {
        self.error
    }
}

/// Looks up variables.
struct Variables<F>(F);

/// The name and the value of a variable that is set.
type Variable = (&'static str, String);

impl<F: Fn(&str) -> Option<String>> Variables<F> {
    fn get(&self, name: &'static str) -> Option<Variable> {
        let value = (self.0)(name)?;
        let value = value.trim();
        (!value.is_empty()).then(|| (name, value.to_owned()))
    }

    fn either(&self, lower: &'static str, upper: &'static str) -> Option<Variable> {
        self.get(lower).or_else(|| self.get(upper))
    }

    fn http_proxy(&self) -> Option<Variable> {
        match self.get("REQUEST_METHOD") {
            None => self.either("http_proxy", "HTTP_PROXY"),
            // RFC 3875, §4.1.18: a header of the request becomes `HTTP_` and its name in upper case.
            // Where the names of variables are case-insensitive, it is found in lower case too.
            Some(_) if cfg!(windows) => None,
            Some(_) => self.get("http_proxy"),
        }
    }
}

fn setting(variable: Option<Variable>) -> Setting {
    let proxy = variable.map(|(variable, value)| {
        value.parse().map_err(|error| ProxyEnvironmentError { variable, error })
    });
    proxy.transpose()
}
