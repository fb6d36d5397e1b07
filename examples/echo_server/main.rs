//! A server that sends every message back: a thread for each connection, limits and timeouts set,
//! and an orderly end on Ctrl-C.
//!
//!     cargo run --example echo_server -- [ADDR]
//!     cargo run --example echo_server --features deflate -- [ADDR]   # compresses if the client wants to
//!
//! Then open <http://127.0.0.1:9001/> in a browser, or run the example `echo_client` with the URL
//! `ws://127.0.0.1:9001`.
#![expect(clippy::disallowed_types, reason = "a program does the I/O that the core leaves to it")]

use std::error::Error;
use std::io::{self, Write};
use std::net::TcpListener;
use std::process::{self, ExitCode};
use std::time::Duration;

use lexopt::{Arg, ValueExt};
use sansocket::blocking::{AcceptError, AcceptLoop, Pending, Server, Timeouts};
use sansocket::handshake::{Decision, RequestError, UpgradeRequest};
use sansocket::http::header::HeaderValue;
use sansocket::http::{Request, StatusCode};
use sansocket::{CloseCode, CloseFrame, Config, Keepalive};

const USAGE: &str = "usage: echo_server [ADDR]\n\nListens on ADDR, 127.0.0.1:9001 by default.";

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
    let address = address_argument()?;
    let listener = TcpListener::bind(&address)
        .map_err(|error| format!("cannot listen on {address:?}: {error}"))?;

    let accept_loop = AcceptLoop::new(server())
        .max_connections(1000)
        .shutdown_deadline(Duration::from_secs(12))
        .goodbye(CloseFrame::new(CloseCode::GOING_AWAY, "the server is stopping")?)
        .on_error(|error| eprintln!("cannot accept a connection: {error}"));
    let shutdown = accept_loop.shutdown_handle();
    // A second Ctrl-C comes from somebody in a hurry.
    ctrlc::set_handler(move || shutdown.shut_down())?;

    let mut stdout = io::stdout();
    writeln!(stdout, "listening on ws://{}", listener.local_addr()?)?;
    stdout.flush()?;

    accept_loop.run(&listener, |pending| {
        let client = *pending.peer();
        if let Err(error) = serve(pending) {
            eprintln!("{client}: {error}");
        }
    })?;
    Ok(())
}

fn address_argument() -> Result<String, lexopt::Error> {
    let mut address = None;
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => {
                println!("{USAGE}");
                process::exit(0);
            }
            Arg::Value(value) if address.is_none() => address = Some(value.string()?),
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(address.unwrap_or_else(|| "127.0.0.1:9001".to_owned()))
}

/// What this server offers and allows. These are mostly the defaults; a server that is open to the world
/// spells them out.
fn server() -> Server {
    let config = Config::default()
        .max_message_size(16 << 20)
        .max_frame_size(16 << 20)
        .max_outgoing_size(16 << 20);
    let timeouts = Timeouts::default()
        .handshake(Duration::from_secs(5))
        .keepalive(Some(Keepalive::default()))
        .write(Some(Duration::from_secs(10)))
        .close(Duration::from_secs(5));
    let server = Server::new().config(config).timeouts(timeouts).on_request(decide);
    #[cfg(feature = "deflate")]
    let server = server.deflate(&sansocket::extension::Deflate::default());
    server
}

/// Opens a WebSocket on every path; a browser that asks for `/` gets a page from which to open one.
fn decide(request: &Request<()>, upgrade: Result<&UpgradeRequest<'_>, &RequestError>) -> Decision {
    match (upgrade, request.uri().path()) {
        // A flawless GET, except that it doesn't ask for a WebSocket.
        (Err(RequestError::Upgrade), "/") => {
            let html = HeaderValue::from_static("text/html; charset=utf-8");
            Decision::reply(StatusCode::OK, html, include_str!("page.html"))
        }
        (Err(RequestError::Upgrade), _) => {
            let text = HeaderValue::from_static("text/plain");
            Decision::reply(StatusCode::NOT_FOUND, text, "there is nothing here but /\n")
        }
        _ => Decision::accept(), // the library says what else is wrong with it
    }
}

/// Echoes until the client closes the connection or this server stops.
fn serve(pending: Pending<TcpListener>) -> Result<(), Box<dyn Error>> {
    let (mut reader, _) = match pending.accept() {
        Ok(ends) => ends,
        Err(AcceptError::Refused { error: None, .. }) => return Ok(()), // the page
        Err(error) => return Err(error.into()),
    };
    Ok(reader.serve(|message, outbox| outbox.send(message))?)
}
