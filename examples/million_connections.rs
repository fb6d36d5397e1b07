//! A million connections of the core in one process, with messages through each: what does a connection
//! cost?
//!
//!     cargo run --release --example million_connections -- [N]
//!
//! It uses no sockets, as no machine has a million of them to spare. It measures the memory of the
//! library, to the byte, with an allocator that counts.
#![expect(clippy::disallowed_types, reason = "a program may look at the clock")]

use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::num::NonZeroU32;
use std::process::{self, ExitCode};
use std::time::Instant;

use allocation_counter::measure;
use lexopt::{Arg, ValueExt};
use sansocket::bytes::Buf;
use sansocket::{Config, Connection, Event, Role};

const USAGE: &str = "\
usage: million_connections [N]

Holds N connections, 1000000 by default, passes messages through each, and shows what they cost.";

const MESSAGE: &str = "What every connection receives and sends back.";

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
    let count = count_argument()?;
    let mut stdout = io::stdout();
    writeln!(stdout, "{count} connections of {} bytes", size_of::<Connection>())?;
    writeln!(stdout, "on the heap, bytes for each of them:")?;

    let resident_before = resident_memory();
    let mut connections = Vec::new();
    connections.try_reserve_exact(count.get() as usize)?;
    let mut heap = Heap { count, bytes: 0 };
    heap.show("open", || {
        connections.extend((0..count.get()).map(|_| connection(Role::Server)));
        Ok(())
    })?;

    let frame = frame(Role::Client, MESSAGE)?;
    let (front, back) = frame.split_at(frame.len() / 2);
    let started = Instant::now();
    heap.show("after a message", || receive(&mut connections, &frame, Echo::Due))?;
    let took = started.elapsed() / count.get();
    let resident_after = resident_memory();
    heap.show("inside a message", || receive(&mut connections, front, Echo::NotYet))?;
    heap.show("after it", || receive(&mut connections, back, Echo::Due))?;

    writeln!(stdout, "{took:?} for a message and its echo")?;
    if let (Some(before), Some(after)) = (resident_before, resident_after) {
        let each = after.saturating_sub(before) / u64::from(count.get());
        writeln!(stdout, "{each} bytes of resident memory for each connection")?;
    }
    if heap.bytes == 0 { Ok(()) } else { Err("idle connections own memory on the heap".into()) }
}

/// What all the connections together own on the heap.
struct Heap {
    count: NonZeroU32,
    bytes: i64,
}

impl Heap {
    /// Does something with all connections, and shows what they own afterwards.
    fn show(
        &mut self,
        when: &str,
        act: impl FnOnce() -> Result<(), Box<dyn Error>>,
    ) -> Result<(), Box<dyn Error>> {
        let mut outcome = Ok(());
        self.bytes += measure(|| outcome = act()).bytes_current;
        outcome?;
        let each = self.bytes / i64::from(self.count.get());
        Ok(writeln!(io::stdout(), "{each:8}  {when}")?)
    }
}

/// Whether what arrives ends a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Echo {
    Due,
    NotYet,
}

/// Makes each of the connections receive these bytes and write its answer.
fn receive(
    connections: &mut [Connection],
    bytes: &[u8],
    expected: Echo,
) -> Result<(), Box<dyn Error>> {
    let expected = if expected == Echo::Due { frame(Role::Server, MESSAGE)? } else { Vec::new() };
    // The one buffer of an event loop.
    let mut buffer = bytes.to_vec();
    for connection in connections {
        buffer.copy_from_slice(bytes);
        let mut input = &mut buffer[..];
        while let Some(event) = connection.next_event(&mut input)? {
            if let Event::Message(message) = event {
                connection.send(message)?;
            }
        }
        let outgoing = connection.outgoing();
        if outgoing.chunk() != expected {
            return Err("a connection has not sent its message back".into());
        }
        outgoing.advance(expected.len());
    }
    Ok(())
}

fn connection(role: Role) -> Connection {
    Connection::new(role, Config::default())
}

fn frame(sender: Role, text: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut connection = connection(sender);
    connection.send(text)?;
    Ok(connection.outgoing().chunk().to_vec())
}

/// Returns how many bytes are in memory, if the system says.
fn resident_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

fn count_argument() -> Result<NonZeroU32, lexopt::Error> {
    let mut count = None;
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => {
                println!("{USAGE}");
                process::exit(0);
            }
            Arg::Value(value) if count.is_none() => count = Some(value.parse()?),
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(count.unwrap_or(NonZeroU32::MIN.saturating_add(999_999)))
}
