//! What a blocking connection holds while its peer sends Pings and takes nothing, in one piece and split.
#![expect(
    clippy::disallowed_types,
    reason = "a stream that a blocking connection reads and writes"
)]

use std::io::{self, Read, Write};
use std::mem;
use std::net::Shutdown;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use sansocket::blocking::{Client, CloneSocket, Error, Server, Socket, WebSocket};
use sansocket::frame::Opcode;
use sansocket::handshake::SecWebSocketKey;
use sansocket::{Entropy, Role};

use crate::{CONSTANT, PONGS, ROLES, frame, numbered_ping};

/// The core reads from the caller's memory, a blocking connection from this buffer.
const READ_BUFFER: i64 = 64 * 1024;

/// What a client says first.
const REQUEST: &str = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// A peer that does its part of the handshake, then sends this many Pings and ends, and takes nothing but
/// the handshake.
#[derive(Clone)]
struct Flood(Arc<Mutex<State>>);

struct State {
    role: Role,
    incoming: Vec<u8>,
    at: usize,
    pings: std::ops::Range<u32>,
    takes: bool,
    /// What it says once this end waits for it without a limit.
    at_last: Vec<u8>,
    read_timeout: Option<Duration>,
}

impl Flood {
    fn new(role: Role, head: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(State {
            role,
            incoming: head,
            at: 0,
            pings: 0..0,
            takes: true,
            at_last: Vec::new(),
            read_timeout: None,
        })))
    }

    /// Says this, then nothing, and `at_last` when it is waited for without a limit.
    fn say(&self, at_once: Vec<u8>, at_last: Vec<u8>) {
        let mut state = self.0.lock().unwrap();
        state.incoming = at_once;
        state.at = 0;
        state.at_last = at_last;
    }

    fn begin(&self, pings: u32) {
        let mut state = self.0.lock().unwrap();
        state.pings = 0..pings;
        state.takes = false;
    }

    fn is_over(&self) -> bool {
        self.0.lock().unwrap().pings.is_empty()
    }
}

impl Read for Flood {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let mut state = self.0.lock().unwrap();
        if state.at == state.incoming.len() && !state.at_last.is_empty() {
            if let Some(timeout) = state.read_timeout {
                thread::sleep(timeout);
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let at_last = mem::take(&mut state.at_last);
            // What it said before isn't freed: that isn't what this end holds.
            state.incoming.clear();
            state.incoming.extend(at_last);
            state.at = 0;
        }
        if state.at == state.incoming.len() {
            let Some(number) = state.pings.next() else { return Ok(0) };
            state.incoming = numbered_ping(state.role, number);
            state.at = 0;
        }
        let State { incoming, at, .. } = &mut *state;
        let count = (&incoming[*at..]).read(room)?;
        *at += count;
        Ok(count)
    }
}

impl Write for Flood {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.lock().unwrap().takes {
            Ok(bytes.len())
        } else {
            Err(io::ErrorKind::WouldBlock.into())
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Socket for Flood {
    fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.0.lock().unwrap().read_timeout = timeout;
        Ok(())
    }

    fn set_write_timeout(&self, _: Option<Duration>) -> io::Result<()> {
        Ok(())
    }

    fn shutdown(&self, _: Shutdown) -> io::Result<()> {
        Ok(())
    }
}

impl CloneSocket for Flood {
    fn try_clone(&self) -> io::Result<Self> {
        Ok(self.clone())
    }
}

/// This end of a connection to such a peer.
fn open(role: Role) -> (WebSocket<Flood>, Flood) {
    let accept = SecWebSocketKey::from_nonce([7; 16]).accept();
    let head = match role {
        Role::Server => REQUEST.to_owned(),
        Role::Client => format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Accept: {}\r\n\r\n",
            accept.as_str()
        ),
    };
    let flood = Flood::new(role.peer(), head.into_bytes());
    let socket = match role {
        Role::Server => Server::new().accept(flood.clone()).unwrap(),
        Role::Client => {
            let client = Client::new("ws://a/").unwrap();
            let client = client.entropy(Entropy::from_fn(|bytes| bytes.fill(7)));
            client.connect_on(flood.clone()).unwrap()
        }
    };
    (socket, flood)
}

/// Reads until the flood is over, at a constant cost.
fn assert_costs_a_constant<T>(flood: &Flood, mut read: impl FnMut() -> Result<T, Error>) {
    flood.begin(100_000);
    let info = allocation_counter::measure(|| {
        while !flood.is_over() {
            match read() {
                Ok(_) => panic!("a message out of Pings"),
                Err(error) => {
                    let is_stalled = matches!(error, Error::WriteTimedOut | Error::Lost);
                    assert!(is_stalled, "{error}");
                }
            }
        }
    });
    let limit = CONSTANT + 2 * i64::try_from(PONGS).unwrap() + READ_BUFFER;
    let held = i64::try_from(info.bytes_max).unwrap();
    assert!(held <= limit, "a peak of {held} bytes, more than {limit}");
}

#[test]
fn a_hundred_thousand_pings_cost_a_blocking_connection_a_constant() {
    for role in ROLES {
        let (mut socket, flood) = open(role);
        assert_costs_a_constant(&flood, || socket.read());
    }
}

#[test]
fn what_a_long_message_took_is_given_back_while_nothing_arrives() {
    for role in ROLES {
        let (mut socket, flood) = open(role);
        let message = |length| frame(role.peer(), true, Opcode::Binary, &vec![7; length]);
        let (long, short) = (message(1 << 20), message(1));
        flood.say(long, short);
        let mut read = || socket.read().unwrap().unwrap().len();
        let info = allocation_counter::measure(|| assert_eq!((read(), read()), (1 << 20, 1)));
        assert!(info.bytes_current < 8 * 1024, "{role:?} holds {} bytes", info.bytes_current);
    }
}

#[test]
fn a_long_message_that_a_server_borrows_is_written_without_a_copy() {
    let (mut socket, _) = open(Role::Server);
    let message = vec![7; 1 << 20];
    let info = allocation_counter::measure(|| socket.write(&message[..]).unwrap());
    assert_eq!(info.bytes_total, 0);
}

#[test]
fn a_long_message_of_a_client_is_masked_in_the_memory_of_a_part_of_it() {
    let (mut socket, _) = open(Role::Client);
    let message = vec![7; 1 << 20];
    let info = allocation_counter::measure(|| socket.write(&message[..]).unwrap());
    assert!(info.bytes_max < 66 * 1024, "{} bytes", info.bytes_max);
    assert_eq!(info.bytes_current, 0, "and given back");
}

/// A stream that says this again and again, and takes everything.
struct Chatter {
    says: io::Cursor<Vec<u8>>,
    again: u64,
}

impl Read for Chatter {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match self.says.read(room)? {
            0 => {
                self.says.set_position(self.again);
                self.says.read(room)
            }
            count => Ok(count),
        }
    }
}

impl Write for Chatter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn who_sends_back_what_is_read_allocates_nothing_for_a_short_message() {
    const MESSAGES: u64 = 1000;
    let mut messages = Vec::new();
    for (length, opcode) in [(1000, Opcode::Binary), (1, Opcode::Text), (500, Opcode::Text)] {
        messages.extend(frame(Role::Client, true, opcode, &vec![b'x'; length]));
    }
    let says = io::Cursor::new([REQUEST.as_bytes(), &messages.repeat(20)].concat());
    let mut socket =
        Server::new().accept_over(Chatter { says, again: REQUEST.len() as u64 }).unwrap();
    let mut echo = || {
        for _ in 0..MESSAGES {
            let message = socket.read().unwrap().unwrap();
            socket.write(message).unwrap();
        }
    };
    // By then the buffers are as large as they get.
    echo();
    let info = allocation_counter::measure(echo);
    // One for each write.
    assert!(info.count_total < MESSAGES / 10, "{} allocations", info.count_total);
}

#[test]
fn a_hundred_thousand_pings_cost_a_split_connection_a_constant() {
    for role in ROLES {
        let (socket, flood) = open(role);
        let (mut reader, _writer) = socket.split().unwrap();
        assert_costs_a_constant(&flood, || reader.read());
    }
}
