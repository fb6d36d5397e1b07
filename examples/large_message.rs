//! One long message through a client and a server, in constant memory.
//!
//!     cargo run --release --example large_message -- [BYTES]
//!
//! The client generates a binary message of BYTES bytes, 2 GiB by default, as it writes it; the server
//! sends every byte back in a message of its own as it arrives. Both are threads of this process, connected
//! by TCP on this machine. What comes back is verified with a checksum, and the peak memory of the process
//! is shown.
#![expect(clippy::disallowed_types, reason = "a program does the I/O that the core leaves to it")]

use std::error::Error;
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::process::{self, ExitCode};
use std::thread;
use std::time::Instant;

use lexopt::{Arg, ValueExt};
use sansocket::blocking::{Client, Reader, Server, Writer};
use sansocket::{CloseCode, Config, Delivery, MessageKind};

const USAGE: &str = "usage: large_message [BYTES]\n\n\
    Sends a message of BYTES bytes, 2147483648 by default, to a server and back.";

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
    let bytes = bytes_argument()?;
    // Pieces as they arrive, and no limit to the size of the message.
    let config = Config::default().delivery(Delivery::Chunks).max_message_size(u64::MAX);

    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("ws://{}/", listener.local_addr()?);
    let server = thread::spawn(move || -> Result<(), String> {
        let (stream, _) = listener.accept().map_err(|error| error.to_string())?;
        let socket = Server::new().config(config).accept(stream);
        let ends = socket.map_err(|error| error.to_string())?.split();
        let (reader, writer) = ends.map_err(|error| error.to_string())?;
        echo(reader, &writer).map_err(|error| error.to_string())
    });

    let started = Instant::now();
    let (mut reader, writer) = Client::new(&url)?.config(config).connect()?.split()?;
    let writing = thread::spawn(move || -> io::Result<u64> {
        let mut hasher = DefaultHasher::new();
        let mut message = writer.message(MessageKind::Binary);
        let copied = io::copy(&mut Hashed(Noise(1).take(bytes), &mut hasher), &mut message)?;
        debug_assert_eq!(copied, bytes);
        message.finish()?;
        Ok(hasher.finish())
    });
    let mut received = DefaultHasher::new();
    let message = reader.next_message()?.ok_or("the server closed the connection")?;
    let count = io::copy(&mut Hashed(message, &mut received), &mut io::sink())?;
    let sent = writing.join().map_err(|_| "the writing thread panicked")??;
    let seconds = started.elapsed().as_secs_f64();
    reader.close(CloseCode::NORMAL, "")?;
    server.join().map_err(|_| "the server panicked")??;

    let mut stdout = io::stdout();
    #[expect(clippy::cast_precision_loss, reason = "a speed for the eye")]
    let speed = 2.0 * count as f64 / seconds / 1e6;
    writeln!(stdout, "{count} bytes there and back in {seconds:.1} s, {speed:.0} MB/s")?;
    if let Some(peak) = peak_memory() {
        writeln!(stdout, "peak memory {peak}")?;
    }
    if count != bytes || received.finish() != sent {
        return Err("what came back is not what was sent".into());
    }
    writeln!(stdout, "the checksums agree")?;
    Ok(())
}

/// Sends every message back as it arrives.
fn echo<S: Read + Write>(mut reader: Reader<S>, writer: &Writer<S>) -> Result<(), Box<dyn Error>> {
    while let Some(mut incoming) = reader.next_message()? {
        let mut outgoing = writer.message(incoming.kind());
        io::copy(&mut incoming, &mut outgoing)?;
        outgoing.finish()?;
    }
    Ok(())
}

/// Endless bytes that don't repeat soon.
struct Noise(u64);

impl Read for Noise {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        for room in buffer.chunks_mut(8) {
            // Marsaglia's xorshift.
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            for (slot, byte) in room.iter_mut().zip(self.0.to_ne_bytes()) {
                *slot = byte;
            }
        }
        Ok(buffer.len())
    }
}

/// Hashes everything that is read, byte by byte: how it was cut makes no difference.
struct Hashed<'hasher, R>(R, &'hasher mut DefaultHasher);

impl<R: Read> Read for Hashed<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(buffer)?;
        self.1.write(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

fn bytes_argument() -> Result<u64, lexopt::Error> {
    let mut bytes = None;
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => {
                println!("{USAGE}");
                process::exit(0);
            }
            Arg::Value(value) if bytes.is_none() => bytes = Some(value.parse()?),
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(bytes.unwrap_or(2 << 30))
}

/// Returns the most memory that the process has had at one time, if the system says.
fn peak_memory() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().to_owned())
}
