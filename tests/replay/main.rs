//! Every seed of every fuzz target, and so everything that the fuzzer ever found, held to the law of
//! its target: without nightly, in every `cargo test`.
#![cfg(feature = "std")]
#![allow(clippy::expect_used, reason = "a test panics")]

#[allow(dead_code, unreachable_pub, reason = "written as a library for the fuzz targets")]
#[path = "../../fuzz/laws/mod.rs"]
mod laws;

use std::path::Path;
use std::{fs, panic};

use laws::{connection, decoder, differential, frame_header, halves, prepared, round_trip};

#[test]
fn frame_header() {
    replay("frame_header", frame_header::law);
}

#[test]
fn decoder() {
    replay("decoder", decoder::law);
}

#[test]
fn differential() {
    replay("differential", differential::law);
}

#[test]
fn connection() {
    replay("connection", connection::law);
}

#[test]
fn halves() {
    replay("halves", halves::law);
}

#[test]
fn prepared() {
    replay("prepared", prepared::law);
}

#[test]
fn round_trip() {
    replay("round_trip", round_trip::law);
}

#[cfg(feature = "handshake")]
#[test]
fn server_handshake() {
    replay("server_handshake", laws::server_handshake::law);
}

#[cfg(feature = "handshake")]
#[test]
fn client_handshake() {
    replay("client_handshake", laws::client_handshake::law);
}

#[cfg(feature = "handshake")]
#[test]
fn pipe() {
    replay("pipe", laws::pipe::law);
}

#[cfg(feature = "handshake")]
#[test]
fn proxy_handshake() {
    replay("proxy_handshake", laws::proxy_handshake::law);
}

#[cfg(feature = "handshake")]
#[test]
fn redirect() {
    replay("redirect", laws::redirect::law);
}

#[cfg(feature = "blocking")]
#[test]
fn streams() {
    replay("streams", laws::streams::law);
}

#[cfg(feature = "deflate")]
#[test]
fn inflate() {
    replay("inflate", laws::inflate::law);
}

#[cfg(feature = "deflate")]
#[test]
fn deflate_offers() {
    replay("deflate_offers", laws::deflate_offers::law);
}

/// Fails naming all the seeds with which the law is broken.
fn replay(target: &str, law: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let entries = fs::read_dir(&folder).expect("the target has seeds");
    let mut seeds: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    seeds.sort();
    let is_broken = |seed: &&_| {
        let data = fs::read(seed).expect("a seed that can be read");
        panic::catch_unwind(|| law(&data)).is_err()
    };
    assert!(!seeds.is_empty());
    let broken: Vec<_> = seeds.iter().filter(is_broken).collect();
    assert!(broken.is_empty(), "broken with {broken:#?}");
}
