//! The hot paths, for counting instructions, which a busy machine can't disturb.
//!
//!     .ci/instructions            counts them under callgrind, and compares with counts.txt
//!     .ci/instructions --accept   writes counts.txt anew
//!
//! By itself this program only runs every case once, so that `cargo bench` shows that they work.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a benchmark stops where its set-up is wrong"
)]
#![expect(clippy::disallowed_types, reason = "a stream in memory")]

#[path = "../inputs/browser_request.rs"]
mod browser_request;
mod cases;
#[path = "../inputs/mixed_text.rs"]
mod mixed_text;

use std::env;

use cases::Case;

fn main() {
    // Cargo passes `--bench`, and more if it was given more.
    let chosen: Vec<String> = env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    if env::args().any(|word| word == "--list") {
        for Case { name, units, flat_with, .. } in cases::all() {
            println!("{name} {units} {}", flat_with.unwrap_or("-"));
        }
        return;
    }
    for case in cases::all().iter().filter(|case| chosen.is_empty() || chosen.contains(&case.name))
    {
        let mut run = (case.prepare)();
        measured(&mut *run);
    }
}

/// What is counted: callgrind is told to look at this function alone.
#[inline(never)]
fn measured(run: &mut dyn FnMut()) {
    run();
}
