//! The testing aid: that a socket in memory behaves as the system's sockets do, and that connections
//! over it are real ones.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]
#![allow(clippy::disallowed_types, reason = "sockets are compared with each other")]

#[path = "../blocking/bounded.rs"]
mod bounded;

mod entropy;
mod laws;
mod memory_socket;
mod pair;
mod sockets;
