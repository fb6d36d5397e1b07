//! Type a line, and see it come back.
//!
//!     cargo run --example echo_client [--subprotocol NAME]... [--header 'NAME: VALUE']... [URL]
//!
//! With `--features deflate` it offers to compress. Without a URL it starts a server of its own and
//! talks to that. It reads from a pipe as well: when its input ends, it waits for the echo that is
//! still due and closes the connection.
#![expect(clippy::disallowed_types, reason = "a program does the I/O that the core leaves to it")]

use std::error::Error;
use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{self, ExitCode};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;
use std::time::Duration;

use lexopt::{Arg, ValueExt};
use sansocket::blocking::{self, Client, Timeouts, WebSocket, accept};
use sansocket::{CloseCode, CloseStatus, ClosedBy, Message};

const USAGE: &str = "\
usage: echo_client [OPTIONS] [URL]

Sends each line of its input to the server at URL (ws://HOST[:PORT][/PATH]) and shows what comes
back. Without a URL it starts an echo server of its own.

options:
  --subprotocol NAME       offer this subprotocol; may be repeated
  --header 'NAME: VALUE'   add this header to the request; may be repeated
  -h, --help               show this";

/// How long a line that was typed may have to wait while the socket is read.
const GLANCE: Duration = Duration::from_millis(20);

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
    let arguments = Arguments::parse()?;
    let url = match arguments.url {
        Some(url) => url,
        None => start_server()?,
    };
    let mut client = Client::new(&url)?.timeouts(Timeouts::default().read(Some(GLANCE)));
    for name in &arguments.subprotocols {
        client = client.subprotocol(name)?;
    }
    for (name, value) in &arguments.headers {
        client = client.header(name, value)?;
    }
    #[cfg(feature = "deflate")]
    let client = client.deflate(&sansocket::extension::Deflate::default());
    let mut socket = client.connect()?;

    let mut stdout = io::stdout();
    writeln!(stdout, "connected to {url}")?;
    if let Some(name) = socket.subprotocol() {
        writeln!(stdout, "the subprotocol is {name}")?;
    }

    talk(&mut socket, &read_lines())?;

    // Where the server has begun to close, this only says how that ended.
    let CloseStatus { closed_by, remote, reason, .. } = socket.close(CloseCode::NORMAL, "")?;
    if closed_by != ClosedBy::Local {
        let code = remote.number();
        let text = format!("the server closed the connection: {code} {reason}");
        return Err(text.trim_end().into());
    }
    writeln!(stdout, "closed with {}", remote.number())?;
    Ok(())
}

/// Sends the lines, and shows what comes back, until there are no more or the server closes.
///
/// One line at a time: if both ends only sent, each could wait for ever for the other to read.
fn talk(
    socket: &mut WebSocket<TcpStream>,
    lines: &Receiver<io::Result<String>>,
) -> Result<(), Box<dyn Error>> {
    let mut stdout = io::stdout();
    let mut due: Option<String> = None;
    loop {
        if due.is_none() {
            match lines.try_recv() {
                Ok(line) => {
                    let line = due.insert(line?);
                    socket.write(line.as_str())?;
                }
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => return Ok(()),
            }
        }
        // Also while nobody types: this writes what is queued and answers Pings.
        match socket.read() {
            Ok(Some(message)) => {
                if message.as_text() == due.as_deref() {
                    due = None;
                }
                match message {
                    Message::Text(text) => writeln!(stdout, "< {}", &*text)?,
                    Message::Binary(bytes) => writeln!(stdout, "< {} binary bytes", bytes.len())?,
                }
            }
            Ok(None) => return Ok(()),
            Err(blocking::Error::ReadTimedOut) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

#[derive(Default)]
struct Arguments {
    url: Option<String>,
    subprotocols: Vec<String>,
    headers: Vec<(String, String)>,
}

impl Arguments {
    fn parse() -> Result<Self, lexopt::Error> {
        let mut parsed = Self::default();
        let mut arguments = lexopt::Parser::from_env();
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Short('h') | Arg::Long("help") => {
                    println!("{USAGE}");
                    process::exit(0);
                }
                Arg::Long("subprotocol") => {
                    parsed.subprotocols.push(arguments.value()?.string()?);
                }
                Arg::Long("header") => {
                    let header = arguments.value()?.string()?;
                    let Some((name, value)) = header.split_once(':') else {
                        return Err(format!("the header {header:?} has no colon").into());
                    };
                    parsed.headers.push((name.to_owned(), value.trim().to_owned()));
                }
                Arg::Value(url) if parsed.url.is_none() => parsed.url = Some(url.string()?),
                _ => return Err(argument.unexpected()),
            }
        }
        Ok(parsed)
    }
}

/// An echo server for one connection, on a free port; its URL.
fn start_server() -> io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("ws://{}/", listener.local_addr()?);
    thread::spawn(move || -> Result<(), Box<dyn Error + Send + Sync>> {
        let (stream, _) = listener.accept()?;
        accept(stream)?.serve(|message, outbox| outbox.send(message))?;
        Ok(())
    });
    Ok(url)
}

/// The lines of the standard input, read by a thread that may wait for them.
fn read_lines() -> Receiver<io::Result<String>> {
    let (sender, lines) = mpsc::sync_channel(64);
    thread::spawn(move || {
        for line in io::stdin().lines() {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}
