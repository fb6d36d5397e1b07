//! The user-space memory that a server uses for a connection that is idle after a message, and for one
//! that is idle after a long message.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::load::{self, Speaks};
use crate::process::{Process, Processors};
use crate::servers::{Form, Server};
use crate::wire::{self, Kind};

/// How many connections aren't counted, as they warm up what all of them share.
const FIRST: usize = 50;

/// How many get a long message.
const LONG: usize = 20;

/// For how long nothing is said before it is measured.
const IDLE: Duration = Duration::from_millis(1500);

/// Bytes for each connection.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    pub idle: f64,
    pub behind_long_message: f64,
}

/// Opens this many connections to this server, and returns what they cost it.
pub fn measure(server: &Server, processors: Processors, count: usize) -> io::Result<Memory> {
    allow_files()?;
    let process = Process::start(server.name, processors)?;
    let speaks = if server.form == Form::Raw { Speaks::Raw } else { Speaks::WebSocket };
    let open = |count| -> io::Result<Vec<TcpStream>> {
        let open_one = |_| {
            let mut stream = load::connect(process.port, speaks)?;
            echo(&mut stream, speaks, 125)?;
            Ok(stream)
        };
        (0..count).map(open_one).collect()
    };
    let first = open(FIRST)?;
    let memory = || {
        // A server may keep what it needed a moment ago for the next message.
        thread::sleep(IDLE);
        process.memory()
    };
    let before = memory()?;
    let connections = open(count)?;
    let between = memory()?;
    // Long messages on the first ones warm up what all of them share, such as what the allocator keeps.
    for mut stream in first.iter().take(LONG) {
        echo(&mut stream, speaks, 1 << 20)?;
    }
    let warm = memory()?;
    for mut stream in connections.iter().take(LONG) {
        echo(&mut stream, speaks, 1 << 20)?;
    }
    let after = memory()?;
    let idle = between.saturating_sub(before) as f64 / count as f64;
    let long = after.saturating_sub(warm) as f64 / LONG.min(count) as f64;
    Ok(Memory { idle, behind_long_message: idle + long })
}

/// Sends a message, and reads it as it comes back.
fn echo(mut stream: impl Read + Write, speaks: Speaks, size: usize) -> io::Result<()> {
    let request = wire::client_message(Kind::Binary, size);
    let mut left = match speaks {
        Speaks::WebSocket => wire::server_message(Kind::Binary, size).len(),
        Speaks::Raw => request.len(),
    };
    let mut buffer = vec![0; 64 * 1024];
    // The raw server doesn't read while it has something to write.
    for part in request.chunks(32 * 1024) {
        stream.write_all(part)?;
        if speaks == Speaks::Raw {
            stream.read_exact(&mut buffer[..part.len()])?;
            left -= part.len();
        }
    }
    while left > 0 {
        let most = left.min(buffer.len());
        match stream.read(&mut buffer[..most])? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => left -= count,
        }
    }
    Ok(())
}

/// Allows as many open files as possible: this process and each server have one for each connection.
fn allow_files() -> io::Result<()> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    Ok(setrlimit(Resource::RLIMIT_NOFILE, most, most)?)
}
