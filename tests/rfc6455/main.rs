//! RFC 6455, section by section: what a peer sends, and what this end makes of it.
//!
//! Each module holds the rules of one section, each test one rule, for both roles. [`wire`] writes
//! and reads frames by the text of the RFC alone, and [`endpoint`] feeds them to a connection in
//! every way in which the bytes can be cut.
#![cfg(feature = "std")]
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what went wrong by panicking"
)]

mod endpoint;
mod wire;

mod section_10_4;
mod section_5_1;
mod section_5_2;
mod section_5_3;
mod section_5_4;
mod section_5_5;
mod section_5_5_1;
mod section_5_5_2;
mod section_5_5_3;
mod section_5_6;
mod section_5_7;
mod section_6_1;
mod section_6_2;
mod section_7_1;
mod section_7_4;
mod section_8_1;
mod unwritable;
