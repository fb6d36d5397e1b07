//! TLS below a WebSocket: over loopback TCP with peers that behave and peers that don't, and in
//! memory with a peer that is rustls alone, over a socket whose n-th call fails, for every n.
//!
//! Every test is [`bounded`](bounded::bounded) in time. Nothing leaves this machine.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]
#![allow(clippy::disallowed_types, reason = "the adapters are where I/O and the clock are")]

/// Asserts that a value has this shape, and shows it if it doesn't.
macro_rules! assert_matches {
    ($value:expr, $pattern:pat $(if $guard:expr)? $(, $($context:tt)+)?) => {
        match $value {
            $pattern $(if $guard)? => {}
            other => {
                $(eprintln!($($context)+);)?
                panic!("{other:?} is not {}", stringify!($pattern $(if $guard)?))
            }
        }
    };
}

mod authority;
#[path = "../blocking/bounded.rs"]
mod bounded;
mod cuts;
mod echo;
mod ends;
mod faulty_socket;
mod handles;
mod loopback;
mod refusals;
mod routes;
mod split;
mod timeouts;
mod tls_peer;
mod writes;
