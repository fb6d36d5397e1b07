//! An echo server for `wss`, with a certificate that it makes when it starts.
//!
//!     cargo run --example tls_echo_server --features rustls -- [--name NAME]... [--certificate FILE] [ADDR]
//!
//! The certificate is written to FILE so that clients can trust it. In another terminal:
//!
//!     cargo run --example echo_client --features rustls -- --ca FILE wss://localhost:9002
//!
//! A public server has a certificate that the public trusts: read it, and its key, from files.
#![expect(clippy::disallowed_types, reason = "a program does the I/O that the core leaves to it")]

use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{self, ExitCode};
use std::time::Duration;

use lexopt::{Arg, ValueExt};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use sansocket::Keepalive;
use sansocket::blocking::{AcceptError, AcceptLoop, Pending, Server, Timeouts, TlsAcceptor};
use sansocket::handshake::{Decision, RequestError, UpgradeRequest};
use sansocket::http::header::HeaderValue;
use sansocket::http::{Request, StatusCode};

const USAGE: &str = "\
usage: tls_echo_server [OPTIONS] [ADDR]

Listens on ADDR, 127.0.0.1:9002 by default, for wss clients.

options:
  --name NAME          a name or address that the certificate is for; may be repeated
                       (localhost, 127.0.0.1 and ::1 by default)
  --certificate FILE   write the certificate to FILE, in PEM format
  -h, --help           show this";

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
    let Arguments { names, certificate, address } = Arguments::parse()?;
    let tls = make_certificate(names, certificate)?;
    let listener = TcpListener::bind(&address)
        .map_err(|error| format!("cannot listen on {address:?}: {error}"))?;

    let accept_loop = AcceptLoop::new(server())
        .on_error(|error| eprintln!("cannot accept a connection: {error}"));
    let shutdown = accept_loop.shutdown_handle();
    ctrlc::set_handler(move || shutdown.shut_down())?;

    let mut stdout = io::stdout();
    writeln!(stdout, "listening on wss://{}", listener.local_addr()?)?;
    stdout.flush()?;

    accept_loop.run(&listener, move |pending| {
        let client = *pending.peer();
        if let Err(error) = serve(pending, &tls) {
            eprintln!("{client}: {error}");
        }
    })?;
    Ok(())
}

/// Echoes until the client closes the connection or this server stops.
fn serve(pending: Pending<TcpListener>, tls: &TlsAcceptor) -> Result<(), Box<dyn Error>> {
    // The TLS handshake is part of the opening handshake, and subject to its deadline.
    let (mut reader, _) =
        match pending.accept_over(|stream| tls.stream(stream).map_err(AcceptError::Io)) {
            Ok(ends) => ends,
            Err(AcceptError::Refused { error: None, .. }) => return Ok(()), // the page
            Err(error) => return Err(error.into()),
        };
    Ok(reader.serve(|message, outbox| outbox.send(message))?)
}

fn server() -> Server {
    let timeouts = Timeouts::default()
        .handshake(Duration::from_secs(5))
        .keepalive(Some(Keepalive::default()))
        .write(Some(Duration::from_secs(10)));
    Server::new().timeouts(timeouts).on_request(decide)
}

/// Makes a certificate that vouches for itself.
fn make_certificate(
    names: Vec<String>,
    file: Option<PathBuf>,
) -> Result<TlsAcceptor, Box<dyn Error>> {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names)?;
    let chain = cert.pem();
    if let Some(file) = file {
        fs::write(&file, &chain)
            .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    }
    Ok(TlsAcceptor::from_pem(chain.as_bytes(), signing_key.serialize_pem().as_bytes())?)
}

/// Opens a WebSocket on every path; a browser that asks for `/` gets a page from which to open one.
fn decide(request: &Request<()>, upgrade: Result<&UpgradeRequest<'_>, &RequestError>) -> Decision {
    match (upgrade, request.uri().path()) {
        (Err(RequestError::Upgrade), "/") => {
            let html = HeaderValue::from_static("text/html; charset=utf-8");
            Decision::reply(StatusCode::OK, html, include_str!("echo_server/page.html"))
        }
        _ => Decision::accept(), // the library says what else is wrong with it
    }
}

struct Arguments {
    names: Vec<String>,
    certificate: Option<PathBuf>,
    address: String,
}

impl Arguments {
    fn parse() -> Result<Self, lexopt::Error> {
        let (mut names, mut certificate, mut address) = (Vec::new(), None, None);
        let mut arguments = lexopt::Parser::from_env();
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Short('h') | Arg::Long("help") => {
                    println!("{USAGE}");
                    process::exit(0);
                }
                Arg::Long("name") => names.push(arguments.value()?.string()?),
                Arg::Long("certificate") => certificate = Some(arguments.value()?.into()),
                Arg::Value(value) if address.is_none() => address = Some(value.string()?),
                _ => return Err(argument.unexpected()),
            }
        }
        if names.is_empty() {
            names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
        }
        let address = address.unwrap_or_else(|| "127.0.0.1:9002".to_owned());
        Ok(Self { names, certificate, address })
    }
}
