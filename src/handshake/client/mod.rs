//! The client's side of the opening handshake (RFC 6455, section 4.1).

mod chunked;
mod error;
mod established;
mod location;
mod no_proxy;
mod opening;
mod proxy;
mod proxy_environment;
mod redirect;
mod rejection;
mod request;
mod response;
mod tunnel;

pub use error::{OptionError, ProxyResponseError, ResponseError};
pub use established::Established;
pub use opening::{ClientHandshake, Outcome};
pub use proxy::{Proxy, ProxyError};
pub use proxy_environment::{ProxyEnvironment, ProxyEnvironmentError};
pub use redirect::{RedirectError, Redirects};
pub use rejection::Rejection;
pub use request::ClientRequest;
pub(super) use response::ResponseHead;
pub use tunnel::{ProxyHandshake, ProxyOutcome};
