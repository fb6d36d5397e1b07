//! A soak: hundreds of clients do at random what clients do to the example `echo_server`, for as long as
//! wanted, and everything that was sent, and everything that was taken from the system, is accounted for.
//!
//!     .ci/soak [--seconds N] [--clients N] [--seed N]
//!
//! What has to hold:
//!
//! - Each message comes back once, in order, with the kind, the length and the checksum that it had, unless
//!   its client has dropped the connection, or the server has gone.
//! - When all clients have left, both processes have again the threads and descriptors that they had before.
//! - The memory of both is flat: the minimum in the last third of the time is not over the maximum in the
//!   first third, apart from the slack in `process.rs`.
//! - The server complains only of connections that were dropped, and no more often than that.
//! - When the server is interrupted in the middle of everything, every client is told 1001, and the server
//!   ends with status 0.
//!
//! The same seed repeats what the clients do; when it happens is up to the system.
#![expect(clippy::disallowed_types, reason = "a program does the I/O that the core leaves to it")]

mod client;
mod conversation;
mod course;
mod halves;
mod ledger;
mod operations;
mod options;
mod process;
mod random;
mod server;
mod whole;
mod world;

use std::error::Error;
use std::fmt::Display;
use std::process::ExitCode;

use options::Options;

fn main() -> ExitCode {
    match run() {
        Ok(Verdict { failures: 0 }) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<Verdict, Box<dyn Error>> {
    let options = Options::parse()?;
    let (seed, clients, seconds) = (options.seed, options.clients, options.duration.as_secs());
    println!("seed {seed}, {clients} clients, {seconds} seconds");
    let verdict = course::run(&options)?;
    match verdict.failures {
        0 => println!("the soak holds (--seed {seed})"),
        failures => println!("the soak FAILED in {failures} ways; again with --seed {seed}"),
    }
    Ok(verdict)
}

/// What was found out, each thing on a line of its own as soon as it is known.
#[derive(Debug, Default)]
struct Verdict {
    failures: usize,
}

impl Verdict {
    fn fail(&mut self, what: impl Display) {
        self.failures += 1;
        println!("FAILED: {what}");
    }

    /// Records whether this holds.
    fn check<T: Display, E: Display>(&mut self, outcome: Result<T, E>) {
        match outcome {
            Ok(what) => println!("ok: {what}"),
            Err(what) => self.fail(what),
        }
    }
}
