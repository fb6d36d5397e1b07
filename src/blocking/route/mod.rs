//! The way to a server, up to a stream on which TLS or the opening handshake may begin.
//!
//! ```text
//!  Route ── a proxy? ──▶ Dialer ── its addresses ──▶ race ──▶ Attempt ──▶ TcpStream
//!             └── yes: the Dialer gets to the proxy, and the tunnel from there to the server
//! ```

mod attempt;
mod dialer;
mod race;
#[expect(clippy::module_inception, reason = "the file of `Route` is named for it")]
mod route;
mod tcp_options;
mod tunnel;

#[cfg(unix)]
pub(crate) use attempt::connect_unix;
pub(crate) use route::{Proxies, Route};
pub use tcp_options::TcpOptions;
