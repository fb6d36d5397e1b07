use super::{
    no_proxy::NoProxy,
    proxy::{Proxy, ProxyError},
};
use crate::handshake::uri::{Scheme, WebSocketUri};

/// Which proxy the environment names for which server.
///
/// | variable | meaning |
/// |---|---|
/// | `http_proxy` | the proxy for `ws` |
/// | `https_proxy` | the proxy for `wss` |
/// | `all_proxy` | the proxy for both, where theirs isn't set |
/// | `no_proxy` | the servers that are connected to directly |
///
/// Each may be written in upper case as well; where both are set the lower case counts, and one that
/// is empty counts as not set. A program that answers requests by CGI, which `REQUEST_METHOD` tells,
/// ignores `HTTP_PROXY`: the client that it answers could set it, with a header named `Proxy`.
///
/// `no_proxy` is a list with commas or spaces, compared without case:
///
/// | entry | the servers it means |
/// |---|---|
/// | `*` | all |
/// | `example.com`, `.example.com`, `*.example.com` | `example.com`, and all names that end with `.example.com` |
/// | `192.0.2.1`, `2001:db8::1`, `[2001:db8::1]` | those of a URL with this address in the usual form, not `127.1` or a number |
/// | `192.0.2.0/24`, `2001:db8::/32` | those of a URL with an address of this block |
/// | any but a block with `:port` behind it | those of the above with this port (IPv6 in brackets) |
///
/// Names are not resolved to be compared with addresses. What is none of these is passed over.
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

/// A variable that isn't set is no error, and neither is one that is wrong but not needed.
type Setting = Result<Option<Proxy>, ProxyEnvironmentError>;

/// A variable of the environment names a proxy that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {variable}: {error}")]
pub struct ProxyEnvironmentError {
    variable: &'static str,
    #[source]
    error: ProxyError,
}

impl ProxyEnvironment {
    /// What the environment says, of which `variable` looks up one by its name.
    ///
    /// Outside of tests it is `|name| Some(std::env::var_os(name)?.to_string_lossy().into_owned())`: one that isn't
    /// Unicode is an error then, and not taken for unset.
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

    /// The proxy through which this is to be connected to, if not directly.
    ///
    /// # Errors
    ///
    /// [`ProxyEnvironmentError`] if the variable that decides it names no proxy that can be used.
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
    /// The name of the variable.
    pub const fn variable(&self) -> &'static str {
        self.variable
    }

    /// What is wrong with its value.
    pub const fn error(&self) -> ProxyError {
        self.error
    }
}

/// A look-up of variables.
struct Variables<F>(F);

/// A variable that is set, by its name, and its value.
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
            // Where variables are found without case, it is found in lower case too.
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
