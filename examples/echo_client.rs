//! Sends each line that you type, and shows it as it comes back.
//!
//!     cargo run --example echo_client -- [--subprotocol NAME]... [--header 'NAME: VALUE']... [URL]
//!     cargo run --example echo_client --features rustls -- [--ca FILE] wss://HOST
//!
//! With `--features deflate`, it offers compression. Without a URL, it starts a server of its own and
//! talks to that. Its input can also be a pipe: when the input ends, it waits for the echoes that are
//! still due and closes the connection.
#![expect(clippy::disallowed_types, reason = "a program does the I/O that the core leaves to it")]

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::process::{self, ExitCode};
use std::thread;
use std::time::Duration;

use lexopt::{Arg, ValueExt};
#[cfg(feature = "rustls")]
use sansocket::blocking::TlsConnector;
use sansocket::blocking::{Client, Timeouts, Writer, accept};
use sansocket::{CloseCode, CloseStatus, ClosedBy, Message};

const USAGE: &str = "\
usage: echo_client [OPTIONS] [URL]

Sends each line of its input to the server at URL (ws://HOST[:PORT][/PATH], or wss) and shows what
comes back. Without a URL, it starts an echo server of its own.

options:
  --subprotocol NAME       offer this subprotocol; may be repeated
  --header 'NAME: VALUE'   add this header to the request; may be repeated
  --ca FILE                for wss, trust only the certificates in FILE, in PEM format
                           (needs the feature rustls)
  -h, --help               show this";

/// How long the server may take after the last line to send back what it owes.
const PATIENCE: Duration = Duration::from_secs(60);

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
    let mut client = Client::new(&url)?.timeouts(Timeouts::default().close(PATIENCE));
    for name in &arguments.subprotocols {
        client = client.subprotocol(name)?;
    }
    for (name, value) in &arguments.headers {
        client = client.header(name, value)?;
    }
    #[cfg(feature = "deflate")]
    let client = client.deflate(&sansocket::extension::Deflate::default());
    #[cfg(feature = "rustls")]
    let client = match arguments.ca {
        Some(file) => client.tls(trusting(&file)?),
        None => client,
    };
    let socket = client.connect()?;

    let mut stdout = io::stdout();
    writeln!(stdout, "connected to {url}")?;
    if let Some(name) = socket.subprotocol() {
        writeln!(stdout, "the subprotocol is {name}")?;
    }

    // One thread sends lines, and this one shows what comes back: neither ever waits for the other.
    let (mut reader, writer) = socket.split()?;
    let typing = thread::spawn(move || send_lines(&writer));
    while let Some(message) = reader.read()? {
        match message {
            Message::Text(text) => writeln!(stdout, "< {}", &*text)?,
            Message::Binary(bytes) => writeln!(stdout, "< {} binary bytes", bytes.len())?,
        }
    }

    if let Some(CloseStatus { closed_by, remote, reason, .. }) = reader.close_status() {
        let code = remote.number();
        // It may have objected to something after this end had begun to close: the rest of the echoes is missing.
        if closed_by == ClosedBy::Remote || !matches!(code, 1000 | 1001 | 1005) {
            let text = format!("the server closed the connection: {code} {reason}");
            return Err(text.trim_end().into());
        }
    }
    if let Ok(typed) = typing.join() {
        typed?;
    }
    writeln!(stdout, "closed")?;
    Ok(())
}

#[cfg(feature = "rustls")]
fn trusting(file: &std::path::Path) -> Result<TlsConnector, String> {
    let pem =
        std::fs::read(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    TlsConnector::with_pem_roots(&pem).map_err(|error| format!("{}: {error}", file.display()))
}

/// Sends each line of standard input, and closes the connection after the last. What the server
/// still owes comes before its own Close frame.
fn send_lines<S: Read + Write>(writer: &Writer<S>) -> io::Result<()> {
    let sent: io::Result<()> = io::stdin().lines().try_for_each(|line| Ok(writer.send(line?)?));
    // Even if that failed: the other thread would wait for an end that doesn't come.
    let closed = writer.close(CloseCode::NORMAL, "");
    sent?;
    Ok(closed?)
}

#[derive(Default)]
struct Arguments {
    url: Option<String>,
    subprotocols: Vec<String>,
    headers: Vec<(String, String)>,
    #[cfg(feature = "rustls")]
    ca: Option<std::path::PathBuf>,
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
                #[cfg(feature = "rustls")]
                Arg::Long("ca") => parsed.ca = Some(arguments.value()?.into()),
                Arg::Value(url) if parsed.url.is_none() => parsed.url = Some(url.string()?),
                _ => return Err(argument.unexpected()),
            }
        }
        Ok(parsed)
    }
}

/// Starts an echo server for one connection on a free port, and returns its URL.
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
