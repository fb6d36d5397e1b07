//! The echo servers that are measured over loopback. Each is a process of its own: this program, run with
//! `serve NAME`.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;

use crate::coalesce::Coalesced;
use crate::{event_loop, raw, tokio_servers};

type Error = Box<dyn std::error::Error + Send + Sync>;

/// A server, and what there is to know about it.
#[derive(Clone, Copy)]
pub struct Server {
    pub name: &'static str,
    pub form: Form,
    pub run: fn() -> io::Result<()>,
    /// Whether it joins the fragments of a message.
    pub joins: bool,
}

impl Server {
    /// Returns whether its distance to another is of interest but may be lost in the noise of a few rounds.
    pub fn is_close_to_another(&self) -> bool {
        matches!(self.form, Form::Raw | Form::Own) || self.name == UWEBSOCKETS
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Reads bytes and writes them back, without any WebSocket.
    Raw,
    /// This library.
    Own,
    /// A peer as its examples show it.
    Plain,
    /// A peer with many messages in a write.
    Coalesced,
}

pub const RAW: &str = "raw, event loop";
pub const RAW_BLOCKING: &str = "raw, blocking";
pub const EVENT_LOOP: &str = "sansocket, event loop";
pub const LOOP: &str = "sansocket, three-line loop";
pub const SERVE: &str = "sansocket, serve";
pub const UWEBSOCKETS: &str = "uWebSockets";

pub const ALL: &[Server] = &[
    Server { name: RAW, form: Form::Raw, run: raw::serve, joins: false },
    Server { name: RAW_BLOCKING, form: Form::Raw, run: raw::serve_blocking, joins: false },
    own(EVENT_LOOP, event_loop::serve),
    own(SERVE, || threads(sansocket_serve)),
    own(LOOP, || threads(sansocket_loop)),
    // As in its example, it gathers what is sent while one read is handled.
    Server {
        name: UWEBSOCKETS,
        form: Form::Coalesced,
        run: crate::uwebsockets::serve,
        joins: true,
    },
    plain("tungstenite", || threads(tungstenite_plain)),
    coalesced("tungstenite, coalesced", || threads(tungstenite_coalesced)),
    plain("tokio-tungstenite", tokio_servers::tungstenite),
    coalesced("tokio-tungstenite, coalesced", tokio_servers::tungstenite_coalesced),
    plain("fastwebsockets", tokio_servers::fastwebsockets),
    coalesced("fastwebsockets, coalesced", tokio_servers::fastwebsockets_coalesced),
    plain("tokio-websockets", tokio_servers::tokio_websockets),
    coalesced("tokio-websockets, coalesced", tokio_servers::tokio_websockets_coalesced),
    plain("sockudo-ws", tokio_servers::sockudo),
    coalesced("sockudo-ws, coalesced", tokio_servers::sockudo_coalesced),
    Server { joins: false, ..plain("web-socket", tokio_servers::web_socket) },
    Server {
        joins: false,
        ..coalesced("web-socket, coalesced", tokio_servers::web_socket_coalesced)
    },
    plain("yawc", tokio_servers::yawc),
    coalesced("yawc, coalesced", tokio_servers::yawc_coalesced),
    plain("soketto", tokio_servers::soketto),
    coalesced("soketto, coalesced", tokio_servers::soketto_coalesced),
];

const fn own(name: &'static str, run: fn() -> io::Result<()>) -> Server {
    Server { name, form: Form::Own, run, joins: true }
}

const fn plain(name: &'static str, run: fn() -> io::Result<()>) -> Server {
    Server { name, form: Form::Plain, run, joins: true }
}

const fn coalesced(name: &'static str, run: fn() -> io::Result<()>) -> Server {
    Server { name, form: Form::Coalesced, run, joins: true }
}

/// Runs the server with this name until the process is killed.
pub fn serve(name: &str) -> io::Result<()> {
    let server = ALL.iter().find(|server| server.name == name);
    (server.ok_or_else(|| io::Error::other(format!("no server {name:?}")))?.run)()
}

/// Tells whatever started this process where it listens.
pub fn announce(port: u16) -> io::Result<()> {
    let mut stdout = io::stdout();
    writeln!(stdout, "{port}")?;
    stdout.flush()
}

pub fn listen() -> io::Result<TcpListener> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    announce(listener.local_addr()?.port())?;
    Ok(listener)
}

/// Serves with a thread for each connection.
fn threads(serve: fn(TcpStream) -> Result<(), Error>) -> io::Result<()> {
    for stream in listen()?.incoming() {
        let stream = stream?;
        stream.set_nodelay(true)?;
        thread::spawn(move || serve(stream));
    }
    Ok(())
}

fn sansocket_serve(stream: TcpStream) -> Result<(), Error> {
    let mut socket = sansocket::blocking::accept(stream)?;
    Ok(socket.serve(|message, outbox| outbox.send(message))?)
}

fn sansocket_loop(stream: TcpStream) -> Result<(), Error> {
    let mut socket = sansocket::blocking::accept(stream)?;
    while let Some(message) = socket.read()? {
        socket.write(message)?;
    }
    Ok(())
}

fn tungstenite_plain(stream: TcpStream) -> Result<(), Error> {
    tungstenite_echo(stream)
}

fn tungstenite_coalesced(stream: TcpStream) -> Result<(), Error> {
    tungstenite_echo(Coalesced::new(stream))
}

fn tungstenite_echo<S: Read + Write>(stream: S) -> Result<(), Error> {
    let mut socket = tungstenite::accept(stream).map_err(|_| "no handshake")?;
    loop {
        let message = socket.read()?;
        if message.is_binary() || message.is_text() {
            socket.send(message)?;
        }
    }
}
