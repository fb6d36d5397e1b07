//! The client's side of the opening handshake (RFC 6455, section 4.1).

mod chunked;
mod error;
mod established;
mod opening;
mod rejection;
mod request;
mod response;

pub use error::{OptionError, ResponseError};
pub use established::Established;
pub use opening::{ClientHandshake, Outcome};
pub use rejection::Rejection;
pub use request::ClientRequest;
