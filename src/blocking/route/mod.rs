//! The way to a server, up to a stream on which TLS or the opening handshake may begin.
//!
//! ```text
//!  Route ──▶ Dialer ── the host's addresses ──▶ race ──▶ Attempt ──▶ TcpStream
//! ```

mod attempt;
mod dialer;
mod race;
#[expect(clippy::module_inception, reason = "the file of `Route` is named for it")]
mod route;
mod tcp_options;

#[cfg(unix)]
pub(crate) use attempt::connect_unix;
pub(crate) use route::Route;
pub use tcp_options::TcpOptions;
