//! An echo server for many connections on one thread: `mio` says which sockets are ready, and the core
//! does the rest.
//!
//!     cargo run --release --example echo_event_loop -- [--max-connections N] [--patience SECONDS] [ADDR]
//!
//! With `--features deflate`, it compresses if the client wants to. What to read:
//!
//! | file | contents |
//! |---|---|
//! | `peer.rs` | how a connection of the core is driven: start here |
//! | `replies.rs` | what is written at once, and what together |
//! | `socket.rs` | reads and writes that never wait |
//! | `event_loop.rs` | whose turn it is when |
//! | `deadlines.rs`, `alarm.rs` | the clock, which the core leaves to its user |
//! | `application.rs`, and below | what this server is for |
//!
//! An idle connection costs the slot of its [`Peer`](peer::Peer), its timers and an entry among the
//! deadlines: about 500 bytes. All of them share the one buffer that everything is read into.
#![expect(clippy::disallowed_types, reason = "a program does the I/O that the core leaves to it")]

mod alarm;
mod application;
mod deadlines;
mod event_loop;
mod peer;
mod replies;
mod settings;
mod socket;

use std::error::Error;
use std::io::{self, Write};
use std::process::{self, ExitCode};
use std::time::Duration;

use lexopt::{Arg, ValueExt};
use sansocket::handshake::{Acceptance, Decision, RequestError, UpgradeRequest};
use sansocket::http::Request;
use sansocket::{Message, SendError};

use application::Application;
use event_loop::EventLoop;
use replies::Replies;
use settings::Settings;

const USAGE: &str = "\
usage: echo_event_loop [OPTIONS] [ADDR]

Listens on ADDR, 127.0.0.1:9001 by default, and sends every message back.

options:
  --max-connections N   close further connections at once; 10000 by default
  --patience SECONDS    how long any peer may keep the server waiting; 20 by default
  -h, --help            show this";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let Arguments { address, max_connections, patience } = Arguments::parse()?;
    let parsed =
        address.parse().map_err(|_| format!("{address:?} is not an IP address with a port"))?;
    let event_loop =
        EventLoop::bind(parsed, Settings::new(max_connections, patience), Echo::default())
            .map_err(|error| format!("cannot listen on {address}: {error}"))?;

    let stopper = event_loop.stopper()?;
    ctrlc::set_handler(move || drop(stopper.wake()))?;

    let mut stdout = io::stdout();
    writeln!(stdout, "listening on ws://{}", event_loop.local_addr()?)?;
    stdout.flush()?;
    Ok(event_loop.run()?)
}

/// Every request opens a WebSocket, and every message is sent back.
#[derive(Default)]
struct Echo {
    /// For all connections, which share its pool.
    #[cfg(feature = "deflate")]
    deflate: sansocket::extension::Deflate,
}

impl Application for Echo {
    fn on_request(
        &mut self,
        _: &Request<()>,
        _: Result<&UpgradeRequest<'_>, &RequestError>,
    ) -> Decision {
        let acceptance = Acceptance::new();
        #[cfg(feature = "deflate")]
        let acceptance = acceptance.deflate(&self.deflate);
        acceptance.into()
    }

    #[inline]
    fn on_message(
        &mut self,
        message: Message<'_>,
        replies: &mut Replies<'_>,
    ) -> Result<(), SendError> {
        replies.send(message)
    }
}

struct Arguments {
    address: String,
    max_connections: usize,
    patience: Duration,
}

impl Arguments {
    fn parse() -> Result<Self, lexopt::Error> {
        let mut address = None;
        let mut max_connections = 10_000;
        let mut patience = Duration::from_secs(20);
        let mut arguments = lexopt::Parser::from_env();
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Short('h') | Arg::Long("help") => {
                    println!("{USAGE}");
                    process::exit(0);
                }
                Arg::Long("max-connections") => max_connections = arguments.value()?.parse()?,
                Arg::Long("patience") => {
                    patience = arguments.value()?.parse_with(seconds)?;
                }
                Arg::Value(value) if address.is_none() => address = Some(value.string()?),
                _ => return Err(argument.unexpected()),
            }
        }
        let address = address.unwrap_or_else(|| "127.0.0.1:9001".to_owned());
        Ok(Self { address, max_connections, patience })
    }
}

/// Parses a time that can be waited for: more than nothing, and no more than a year.
fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 1..=31_536_000) => Ok(Duration::from_secs(seconds)),
        _ => Err("a number of seconds from 1 to 31536000 is needed".to_owned()),
    }
}
