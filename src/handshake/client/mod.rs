//! The client's side of the opening handshake (RFC 6455, section 4.1).

mod chunked;
mod error;
mod established;
mod opening;
mod proxy;
mod rejection;
mod request;
mod response;
mod tunnel;

pub use error::{OptionError, ProxyResponseError, ResponseError};
pub use established::Established;
pub use opening::{ClientHandshake, Outcome};
pub use proxy::{Proxy, ProxyError};
pub use rejection::Rejection;
pub use request::ClientRequest;
pub use tunnel::{ProxyHandshake, ProxyOutcome};
