//! The opening handshake, rule by rule: one module per section of RFC 6455, one for the syntax of
//! RFC 9112, one for the law that cutting the bytes changes nothing, one for the law that no caller can add
//! to a head, and others for a client's way to its server: proxies and redirections.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::mut_mut,
    reason = "a test that fails panics"
)]

mod both_sides;
mod cuts;
mod foreign_text;
mod injection;
mod peer;
mod proxies;
mod proxy_environment;
mod redirects;
mod rfc_9112;
mod section_10_2;
mod section_11_3;
mod section_3;
mod section_4_1;
mod section_4_2;
mod section_9_1;
