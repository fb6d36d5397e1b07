//! What holds for anything that proptest can make up.
//!
//! The laws themselves are shared with the fuzz targets, in `fuzz/laws`; here they are tried on
//! mostly meaningful input, and input that breaks one is made small.
#![cfg(feature = "std")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test says what went wrong by panicking"
)]

#[allow(dead_code, unreachable_pub, reason = "written as a library for the fuzz targets")]
#[path = "../../fuzz/laws/mod.rs"]
mod laws;
mod strategies;

mod anything;
#[cfg(feature = "deflate")]
mod compressed;
mod cuts;
mod halves;
#[cfg(feature = "handshake")]
mod handshake;
mod headers;
mod limits;
mod masking;
mod outgoing;
mod peers;
#[cfg(feature = "handshake")]
mod proxies_and_redirects;
mod timers;
mod utf8;
