//! What holds for any input.
//!
//! A law is a function that panics where it is broken. Each is run in two ways: by a fuzz target of
//! its name, on bytes from which it derives everything (`law`), and by the tests of the library,
//! which replay the seeds and what the fuzzer found (`tests/replay`) and call the parts below `law`
//! with what proptest makes up (`tests/properties`).
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests by another name: to panic is how a law says that it is broken"
)]

pub mod connection;
pub mod decoder;
pub mod differential;
pub mod frame_header;
pub mod halves;
pub mod prepared;
pub mod round_trip;

#[cfg(feature = "handshake")]
pub mod client_handshake;
#[cfg(feature = "handshake")]
pub mod http_head;
#[cfg(feature = "handshake")]
pub mod pipe;
#[cfg(feature = "handshake")]
pub mod proxy_handshake;
#[cfg(feature = "handshake")]
pub mod redirect;
#[cfg(feature = "handshake")]
pub mod server_handshake;

#[cfg(feature = "blocking")]
pub mod streams;

#[cfg(feature = "deflate")]
pub mod deflate_offers;
#[cfg(feature = "deflate")]
pub mod inflate;
#[cfg(feature = "deflate")]
pub mod reference_inflate;

pub mod payload;
pub mod reference;
pub mod script;
pub mod setup;
pub mod transcript;

/// Panics if an input breaks it.
pub type Law = fn(&[u8]);

/// The laws by the names of their fuzz targets.
pub const ALL: &[(&str, Law)] = &[
    ("connection", connection::law),
    ("decoder", decoder::law),
    ("differential", differential::law),
    ("frame_header", frame_header::law),
    ("halves", halves::law),
    ("prepared", prepared::law),
    ("round_trip", round_trip::law),
    #[cfg(feature = "handshake")]
    ("client_handshake", client_handshake::law),
    #[cfg(feature = "handshake")]
    ("pipe", pipe::law),
    #[cfg(feature = "handshake")]
    ("proxy_handshake", proxy_handshake::law),
    #[cfg(feature = "handshake")]
    ("redirect", redirect::law),
    #[cfg(feature = "handshake")]
    ("server_handshake", server_handshake::law),
    #[cfg(feature = "blocking")]
    ("streams", streams::law),
    #[cfg(feature = "deflate")]
    ("deflate_offers", deflate_offers::law),
    #[cfg(feature = "deflate")]
    ("inflate", inflate::law),
];
