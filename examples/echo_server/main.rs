//! A server that sends every message back: a thread for each connection, limits and timeouts set,
//! and an orderly end on Ctrl-C.
//!
//!     cargo run --example echo_server [ADDR]
//!     cargo run --example echo_server --features deflate [ADDR]   # compresses, if the client wants it
//!
//! Then open <http://127.0.0.1:9001/> in a browser, or run the example `echo_client` with the URL
//! `ws://127.0.0.1:9001`.
#![expect(clippy::disallowed_types, reason = "a program does the I/O that the core leaves to it")]

use std::error::Error;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{self, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use lexopt::{Arg, ValueExt};
use sansocket::blocking::{self, AcceptError, Server, Timeouts};
use sansocket::handshake::{Decision, RequestError, UpgradeRequest};
use sansocket::http::header::HeaderValue;
use sansocket::http::{Request, StatusCode};
use sansocket::{CloseCode, Config};

const USAGE: &str = "usage: echo_server [ADDR]\n\nListens on ADDR, 127.0.0.1:9001 by default.";

/// How many connections are open at once; one more is closed without an answer.
const MAX_CONNECTIONS: usize = 1000;

/// How often an idle connection looks whether the server is stopping.
const GLANCE: Duration = Duration::from_millis(250);

/// How long a stopping server waits for its connections: a little more than their own timeouts.
const GRACE: Duration = Duration::from_secs(12);

/// The reason in the Close frames of a stopping server.
const GOODBYE: &str = "the server is stopping";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What the main thread waits for.
enum Event {
    Connected(TcpStream, SocketAddr),
    CtrlC,
}

fn run() -> Result<(), Box<dyn Error>> {
    let address = address_argument()?;
    let listener = TcpListener::bind(&address)
        .map_err(|error| format!("cannot listen on {address:?}: {error}"))?;
    let local_address = listener.local_addr()?;

    let (sender, events) = mpsc::channel();
    let interrupt = sender.clone();
    ctrlc::set_handler(move || drop(interrupt.send(Event::CtrlC)))?;
    thread::spawn(move || accept_streams(&listener, &sender));

    let mut stdout = io::stdout();
    writeln!(stdout, "listening on ws://{local_address}")?;
    stdout.flush()?;

    serve_until_ctrl_c(&events);
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

fn accept_streams(listener: &TcpListener, events: &Sender<Event>) {
    loop {
        match listener.accept() {
            Ok((stream, client)) => drop(events.send(Event::Connected(stream, client))),
            Err(error) => {
                // Out of file descriptors, say: it gets better when connections end.
                eprintln!("cannot accept a connection: {error}");
                thread::sleep(GLANCE);
            }
        }
    }
}

fn serve_until_ctrl_c(events: &Receiver<Event>) {
    let server = server();
    let stopping = Arc::new(AtomicBool::new(false));
    let mut threads: Vec<JoinHandle<()>> = Vec::new();

    while let Ok(Event::Connected(stream, client)) = events.recv() {
        threads.retain(|thread| !thread.is_finished());
        if threads.len() == MAX_CONNECTIONS {
            continue; // dropping the stream closes it
        }
        let (server, stopping) = (server.clone(), Arc::clone(&stopping));
        let serve = move || {
            let stopping = || stopping.load(Ordering::Relaxed);
            if let Err(error) = serve(&server, stream, stopping) {
                eprintln!("{client}: {error}");
            }
        };
        match thread::Builder::new().spawn(serve) {
            Ok(thread) => threads.push(thread),
            Err(error) => eprintln!("cannot start a thread: {error}"),
        }
    }

    stopping.store(true, Ordering::Relaxed);
    let deadline = Instant::now() + GRACE;
    while threads.iter().any(|thread| !thread.is_finished()) && Instant::now() < deadline {
        if let Ok(Event::CtrlC) = events.recv_timeout(GLANCE / 10) {
            break; // somebody is in a hurry
        }
    }
}

/// What this server offers and allows. These are the defaults for the most part; a server that is
/// open to the world writes them down.
fn server() -> Server {
    let config = Config::default()
        .max_message_size(16 << 20)
        .max_frame_size(16 << 20)
        .max_outgoing_size(16 << 20);
    let timeouts = Timeouts::default()
        .handshake(Duration::from_secs(5))
        .read(Some(GLANCE))
        .write(Some(Duration::from_secs(10)))
        .close(Duration::from_secs(5));
    let server = Server::new().config(config).timeouts(timeouts).on_request(decide);
    #[cfg(feature = "deflate")]
    let server = server.deflate(&sansocket::extension::Deflate::default());
    server
}

/// A WebSocket on every path; a browser that asks for `/` gets a page from which to open one.
fn decide(request: &Request<()>, upgrade: Result<&UpgradeRequest<'_>, &RequestError>) -> Decision {
    match (upgrade, request.uri().path()) {
        // A flawless GET but for this: it asks for no WebSocket.
        (Err(RequestError::Upgrade), "/") => {
            let html = HeaderValue::from_static("text/html; charset=utf-8");
            Decision::reply(StatusCode::OK, html, include_str!("page.html"))
        }
        (Err(RequestError::Upgrade), _) => {
            let text = HeaderValue::from_static("text/plain");
            Decision::reply(StatusCode::NOT_FOUND, text, "there is nothing here but /\n")
        }
        _ => Decision::accept(), // what is wrong with it otherwise is for the library to say
    }
}

/// Echoes until the client closes the connection, or this server stops.
fn serve(
    server: &Server,
    stream: TcpStream,
    stopping: impl Fn() -> bool,
) -> Result<(), Box<dyn Error>> {
    let mut socket = match server.accept(stream) {
        Ok(socket) => socket,
        Err(AcceptError::Refused { error: None, .. }) => return Ok(()), // the page
        Err(error) => return Err(error.into()),
    };
    loop {
        let outcome = socket.serve(|message, outbox| {
            if stopping() {
                outbox.close(CloseCode::GOING_AWAY, GOODBYE)
            } else {
                outbox.send(message)
            }
        });
        match outcome {
            // Nothing is lost, not even in the middle of a frame: serving goes on where it was.
            Err(blocking::Error::ReadTimedOut) if !stopping() => {}
            Err(blocking::Error::ReadTimedOut) => {
                socket.close(CloseCode::GOING_AWAY, GOODBYE)?;
                return Ok(());
            }
            ended => return Ok(ended?),
        }
    }
}
