//! This library's peer for interoperation: plays the end of a connection that it is told to play, and
//! says what it saw. What it reads and prints is described in README.md, one folder up.
//!
//!     interop/run
#![expect(clippy::disallowed_types, reason = "a program does the I/O that the core leaves to it")]

mod client;
mod command;
mod conversation;
mod report;
mod server;

use std::error::Error;
use std::io;
use std::process::ExitCode;

use command::{Command, End};
use report::{Report, print};

/// Whatever keeps a command from being carried out. It is printed, never looked at.
type Failure = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Failure> {
    for line in io::stdin().lines() {
        let command: Command = serde_json::from_str(&line?)?;
        let report = match &command.end {
            End::Client(client) => client::run(client, &command.terms),
            End::Server(server) => server::run(server, &command.terms),
        };
        print(&report.unwrap_or_else(|error| Report::Failed(error.to_string())))?;
    }
    Ok(())
}
