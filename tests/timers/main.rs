//! What a connection does by the clock. The clock is the test's: nothing here waits.
#![cfg(feature = "std")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test says what went wrong by panicking"
)]
#![allow(clippy::disallowed_types, reason = "times that the tests make up")]

mod closing;
mod endpoint;
mod idle;
mod keepalive;
mod off;
