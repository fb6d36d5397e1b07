//! The blocking adapters: over loopback TCP with peers that behave and peers that don't, and in
//! memory over a stream whose n-th call fails, for every n.
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

mod accept_loop;
mod altered;
mod batches;
mod bounded;
mod byte_stream;
mod chunks;
mod closing;
mod dialing;
mod echo;
mod either_role;
mod faults;
mod faulty_stream;
mod handshake;
mod hostile;
mod keepalive;
mod loopback;
mod lost;
mod memory_peer;
mod options;
mod other_streams;
mod pipe;
mod proxies;
mod proxy_peer;
mod raw_peer;
mod redirects;
mod serve;
mod split;
mod streaming;
mod timeouts;
#[cfg(unix)]
mod unix;
mod unsent;
mod violations;
