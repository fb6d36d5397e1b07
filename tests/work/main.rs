//! How much there is to do: it grows with the bytes and no faster, however they are cut.
//!
//! `cargo test` does each once and looks at what comes of it. `.ci/work` does it in several sizes, and
//! counts the instructions.
#![cfg(feature = "handshake")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

#[cfg(feature = "deflate")]
mod compression;
mod frames;
mod heads;

use sansocket::Role;

const ROLES: [Role; 2] = [Role::Client, Role::Server];

/// How many bytes to do it with.
fn size() -> usize {
    match std::env::var("WORK_SIZE") {
        Ok(size) => size.parse().expect("a number of bytes"),
        Err(_) => 16 * 1024,
    }
}

/// Whatever has arrived is looked at again whenever a byte arrives.
#[test]
#[ignore = "`.ci/work` has to find this one guilty"]
fn planted_work_that_grows_with_the_square() {
    let bytes: Vec<u32> = vec![1; size() / 16];
    let arrived = (1..=bytes.len()).map(|end| bytes[..end].iter().sum::<u32>());
    assert_eq!(arrived.max(), u32::try_from(bytes.len()).ok());
}
