//! Compression, with every parameter to be chosen from outside: an echo server, and a client that
//! checks the echoes of another one's server.
//!
//!     cargo run --example deflate_echo --features deflate
//!     cargo run --example deflate_echo --features deflate URL [PARAMETERS]
//!
//! PARAMETERS are written as in a query, such as `server_no_context_takeover&client_max_window_bits=10`.
//! The server takes those of a connection from the query of its URL. `.ci/interop-deflate` talks with
//! other libraries through this.
#![expect(clippy::disallowed_types, reason = "a program does the I/O that the core leaves to it")]

use std::env;
use std::error::Error;
use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;

use sansocket::blocking::{Client, Server};
use sansocket::extension::{Deflate, WindowBits};
use sansocket::handshake::{Acceptance, Decision};
use sansocket::{CloseCode, Message};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let outcome = match &arguments[..] {
        [] => serve(),
        [url] => check(url, ""),
        [url, parameters] => check(url, parameters),
        _ => Err("usage: deflate_echo [URL [PARAMETERS]]".into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What the parameters ask for. A low threshold, so that short messages are compressed too.
fn deflate(parameters: &str) -> Option<Deflate> {
    let mut deflate = Deflate::default().threshold(16);
    for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let bits = value.parse().ok().and_then(WindowBits::new);
        deflate = match name {
            "server_no_context_takeover" => deflate.server_no_context_takeover(),
            "client_no_context_takeover" => deflate.client_no_context_takeover(),
            "server_max_window_bits" => deflate.server_max_window_bits(bits?),
            "client_max_window_bits" => deflate.client_max_window_bits(bits?),
            _ => return None,
        };
    }
    Some(deflate)
}

fn serve() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("listening on ws://{}", listener.local_addr()?);
    io::stdout().flush()?;
    let server = Server::new().on_request(|request, _| {
        match deflate(request.uri().query().unwrap_or_default()) {
            Some(deflate) => Acceptance::new().deflate(&deflate).into(),
            None => Decision::accept(),
        }
    });
    for stream in listener.incoming() {
        let (server, stream) = (server.clone(), stream?);
        thread::spawn(move || {
            if let Err(error) = echo(&server, stream) {
                eprintln!("{error}");
            }
        });
    }
    Ok(())
}

fn echo(server: &Server, stream: TcpStream) -> Result<(), Box<dyn Error>> {
    Ok(server.accept(stream)?.serve(|message, outbox| outbox.send(message))?)
}

/// Has messages echoed by a server that begins by saying which extensions are in use.
fn check(url: &str, parameters: &str) -> Result<(), Box<dyn Error>> {
    let deflate = deflate(parameters).ok_or("no such parameters")?;
    let mut socket = Client::new(url)?.deflate(&deflate).connect()?;
    let said = socket.read()?.ok_or("the server closed")?;
    let said = said.as_text().unwrap_or_default().to_owned();
    if !said.starts_with("permessage-deflate") {
        return Err(format!("not compressed: {said:?}").into());
    }
    for message in messages() {
        socket.send(message.clone())?;
        let echo = socket.read()?.ok_or("the server closed")?;
        if echo != message {
            return Err(format!("the echo of {} bytes is another", message.len()).into());
        }
    }
    socket.close(CloseCode::NORMAL, "")?;
    println!("{said}");
    Ok(())
}

/// Short and long, empty, repetitive, and such that can't be compressed.
fn messages() -> Vec<Message<'static>> {
    let json: String = (0..2000)
        .flat_map(|id| ["{\"id\":", &id.to_string(), ",\"name\":\"Grüße\"},"].map(str::to_owned))
        .collect();
    let mut state = 1_u32;
    let noise: Vec<u8> = (0..5000)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        })
        .collect();
    let once: Vec<Message<'static>> = vec![
        "".into(),
        "Hello".into(),
        "a text that is long enough to be compressed, compressed".into(),
        json.into(),
        noise.into(),
        vec![0; 200_000].into(),
        "κόσμε ".repeat(100).into(),
    ];
    once.iter().chain(&once).cloned().collect()
}
