//! A chat: what one client says goes to everybody, and nobody waits for a client that reads slowly.
//!
//!     cargo run --example chat_server -- [ADDR]
//!
//! Then run the example `echo_client` a few times with the URL `ws://127.0.0.1:9001`.
#![expect(clippy::disallowed_types, reason = "a program does the I/O that the core leaves to it")]

use std::collections::HashMap;
use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{self, ExitCode};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use lexopt::{Arg, ValueExt};
use sansocket::blocking::{AcceptLoop, Error, Pending, Reader, Server, Timeouts, Writer};
use sansocket::{CloseCode, Config, Keepalive, Message, PreparedMessage};

const USAGE: &str = "usage: chat_server [ADDR]\n\nListens on ADDR, 127.0.0.1:9001 by default.";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let address = address_argument()?;
    let listener = TcpListener::bind(&address)
        .map_err(|error| format!("cannot listen on {address:?}: {error}"))?;
    let config = Config::default()
        .max_message_size(16 * 1024)
        // How far a client may fall behind before it is dropped.
        .max_outgoing_size(256 * 1024);
    let timeouts = Timeouts::default().keepalive(Some(Keepalive::default()));
    let accept_loop = AcceptLoop::new(Server::new().config(config).timeouts(timeouts))
        .on_error(|error| eprintln!("cannot accept a connection: {error}"));
    let shutdown = accept_loop.shutdown_handle();
    ctrlc::set_handler(move || shutdown.shut_down())?;

    let mut stdout = io::stdout();
    writeln!(stdout, "listening on ws://{}", listener.local_addr()?)?;
    stdout.flush()?;

    let room = Room::default();
    accept_loop.run(&listener, move |pending| {
        let name = room.next_name();
        if let Err(error) = attend(pending, &room, name) {
            eprintln!("client {name}: {error}");
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

/// One client's stay in the room.
fn attend(
    pending: Pending<TcpListener>,
    room: &Room,
    name: u64,
) -> Result<(), Box<dyn std::error::Error>> {
    let (mut reader, writer) = pending.accept()?;
    room.enter(name, writer);
    room.say(&format!("client {name} is here"));
    let outcome = listen(&mut reader, room, name);
    room.leave(name);
    room.say(&format!("client {name} is gone"));
    Ok(outcome?)
}

/// Passes on what the client says, until it closes the connection or this server stops.
fn listen(reader: &mut Reader<TcpStream>, room: &Room, name: u64) -> Result<(), Error> {
    while let Some(message) = reader.read()? {
        match message {
            Message::Text(text) => room.say(&format!("client {name}: {}", &*text)),
            Message::Binary(_) => {
                reader.close(CloseCode::UNSUPPORTED_DATA, "this is a chat")?;
            }
        }
    }
    Ok(())
}

/// Those who are there.
#[derive(Default)]
struct Room {
    clients: Mutex<HashMap<u64, Writer<TcpStream>>>,
    names: AtomicU64,
}

impl Room {
    fn next_name(&self) -> u64 {
        self.names.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn enter(&self, name: u64, writer: Writer<TcpStream>) {
        self.lock().insert(name, writer);
    }

    fn leave(&self, name: u64) {
        self.lock().remove(&name);
    }

    /// Says this to everybody. Who is too far behind is dropped, and its own thread notices.
    fn say(&self, text: &str) {
        let message = PreparedMessage::new(text);
        self.lock().retain(|_, client| match client.try_send_prepared(&message) {
            Ok(()) => true,
            Err(Error::BufferFull(_)) => {
                client.abort();
                false
            }
            // It is closing, or lost.
            Err(_) => false,
        });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Writer<TcpStream>>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
