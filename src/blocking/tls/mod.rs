//! TLS by rustls, for `wss` on both sides.
//!
//! A [`TlsStream`] is a [`Socket`](crate::blocking::Socket) around another one. It performs its handshake
//! with the first read or write, so the deadline of the opening handshake covers both.

mod acceptor;
mod ciphertext;
mod connector;
mod error;
mod session;
mod stream;

pub use acceptor::TlsAcceptor;
pub use connector::TlsConnector;
pub use error::{TlsConfigError, TlsError};
pub use stream::TlsStream;
