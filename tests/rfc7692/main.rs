//! One module for each section of RFC 7692 that states rules, and one for what the library adds to
//! them. Names say the rule.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod bounds;
mod peers;
mod prepared;
mod round_trips;
mod section_5;
mod section_6_1;
mod section_6_2;
mod section_7_1_1;
mod section_7_1_2;
mod section_7_2_1;
mod section_7_2_2;
mod section_7_2_3;
mod wire;
