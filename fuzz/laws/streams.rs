//! What is written to a message or a byte stream is on the wire, and what is on the wire is read from them,
//! in whatever pieces the application and the transport take and give.
#![allow(clippy::disallowed_types, reason = "a stream that a blocking connection reads and writes")]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::rc::Rc;

use sansocket::blocking::{ByteStream, Client, Error, Server, WebSocket};
use sansocket::handshake::SecWebSocketKey;
use sansocket::{Config, Delivery, Entropy, MessageKind, Role};

use super::payload;
use super::reference::{BINARY, CONTINUATION, Frame, PING, Reader, TEXT};
use super::script::{Script, pieces};
use super::setup::Setup;
use super::transcript::Seen;

/// The input is a byte for the role and the delivery, how the transport cuts, how the application does, and
/// messages: a kind and a size each.
pub fn law(data: &[u8]) {
    let mut script = Script(data);
    let bits = script.byte();
    let role = if bits & 1 == 0 { Role::Server } else { Role::Client };
    let delivery = if bits & 2 == 0 { Delivery::Messages } else { Delivery::Chunks };
    let setup = Setup::new(role).with_delivery(delivery);
    let (transport, application) = (script.cuts(), script.cuts());
    let finest = transport.iter().chain(&application).min().copied().unwrap_or(usize::MAX);
    let most = finest.max(1).saturating_mul(MOST_PIECES);
    let mut messages = Vec::new();
    while !script.is_empty() && messages.len() < MOST_MESSAGES {
        let kind = payload::kind(script.byte());
        messages.push((kind, payload::size(&mut script).min(most)));
    }
    what_is_written_is_on_the_wire(setup, &messages, &transport, &application);
    what_is_on_the_wire_is_read(setup, &messages, &transport, &application);
}

/// More than these only take more time.
const MOST_MESSAGES: usize = 12;
/// See [`MOST_MESSAGES`].
const MOST_PIECES: usize = 300;

/// Messages that are written in pieces of the sizes `application`, to a transport that takes pieces of the
/// sizes `transport`, are frames from which the reference makes the same messages; and so are the bytes
/// of a byte stream, put together.
pub fn what_is_written_is_on_the_wire(
    setup: Setup,
    messages: &[(MessageKind, usize)],
    transport: &[usize],
    application: &[usize],
) {
    let messages = contents(messages);
    let wire = Wire::new(transport);
    let mut socket = open(setup, &wire);
    for (kind, message) in &messages {
        let mut writer = socket.message(*kind);
        write_in_pieces(&mut writer, message, application);
        writer.finish().unwrap();
    }
    let mut reader = Reader::of_output(setup);
    reader.read(&wire.written()).expect("frames that the peer understands");
    assert!(reader.is_between_frames());
    let seen: Vec<_> =
        messages.iter().map(|(kind, bytes)| Seen::Message(*kind, bytes.clone())).collect();
    assert_eq!(reader.seen, seen);

    let mut stream = ByteStream::new(socket);
    for (_, message) in &messages {
        write_in_pieces(&mut stream, message, application);
        stream.flush().unwrap();
    }
    reader.read(&wire.written()).expect("frames that the peer understands");
    assert!(reader.is_between_frames());
    let bytes = reader.seen[seen.len()..].iter().flat_map(|seen| match seen {
        Seen::Message(MessageKind::Binary, bytes) => bytes,
        other => panic!("{other:?} from a byte stream"),
    });
    let all = messages.iter().flat_map(|(_, bytes)| bytes);
    assert!(bytes.eq(all), "the bytes of the stream");
}

/// Messages that arrive in fragments with Pings between them, in reads of the sizes `transport`, are read in
/// pieces of the sizes `application` as they are; if they are binary, they are a byte stream too. If
/// the transport ends within a message, that is an error, not a shorter message.
pub fn what_is_on_the_wire_is_read(
    setup: Setup,
    messages: &[(MessageKind, usize)],
    transport: &[usize],
    application: &[usize],
) {
    let sender = setup.role.peer();
    let unfinished = Frame { fin: false, opcode: BINARY, payload: Vec::new() }.encode(sender);
    let messages = contents(messages);
    let mut arriving = Vec::new();
    for (kind, message) in &messages {
        arriving.extend(in_fragments(sender, *kind, message, application));
    }
    let wire = Wire::new(transport);
    let mut socket = open(setup, &wire);
    wire.receive(&[&arriving, &unfinished[..]].concat());
    for (kind, expected) in &messages {
        let mut message = loop {
            match socket.next_message() {
                Ok(message) => break message.expect("a message"),
                Err(error) => assert!(matches!(error, Error::ReadTimedOut), "{error}"),
            }
        };
        assert_eq!(message.kind(), *kind);
        let (read, outcome) = read_in_pieces(&mut message, application);
        assert!(read == *expected && outcome.is_ok(), "{outcome:?}");
    }
    let outcome = loop {
        match socket.next_message() {
            Ok(message) => break read_in_pieces(&mut message.expect("a beginning"), application).1,
            Err(Error::ReadTimedOut) => {}
            Err(error) => break Err(error.into()),
        }
    };
    assert!(outcome.is_err(), "half a message is an error");

    let mut arriving = Vec::new();
    for (_, message) in &messages {
        arriving.extend(in_fragments(sender, MessageKind::Binary, message, application));
    }
    let wire = Wire::new(transport);
    let mut stream = ByteStream::new(open(setup, &wire));
    wire.receive(&[&arriving, &unfinished[..]].concat());
    let (read, outcome) = read_in_pieces(&mut stream, application);
    assert!(read.iter().eq(messages.iter().flat_map(|(_, bytes)| bytes)));
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::UnexpectedEof);
}

/// The messages of these kinds and sizes.
fn contents(messages: &[(MessageKind, usize)]) -> Vec<(MessageKind, Vec<u8>)> {
    let message = |(salt, &(kind, size)): (usize, &(_, _))| {
        (kind, payload::message(kind, size, salt).as_bytes().to_vec())
    };
    messages.iter().enumerate().map(message).collect()
}

/// Writes pieces of these sizes, and flushes after each whose size is 0, which counts as 1.
fn write_in_pieces(writer: &mut impl Write, bytes: &[u8], sizes: &[usize]) {
    let mut sizes_of = sizes.iter().cycle();
    for piece in pieces(bytes, sizes) {
        writer.write_all(piece).unwrap();
        if sizes_of.next() == Some(&0) {
            writer.flush().unwrap();
        }
    }
}

/// Reads pieces of these sizes to the end or to an error, ignoring timeouts.
fn read_in_pieces(reader: &mut impl Read, sizes: &[usize]) -> (Vec<u8>, io::Result<()>) {
    let mut bytes = Vec::new();
    let mut room = [0; 256];
    let mut sizes = sizes.iter().cycle();
    loop {
        let size = sizes.next().map_or(room.len(), |&size| size.clamp(1, room.len()));
        match reader.read(&mut room[..size]) {
            Ok(0) => return (bytes, Ok(())),
            Ok(count) => bytes.extend_from_slice(&room[..count]),
            Err(error) if error.kind() == ErrorKind::TimedOut => {}
            Err(error) => return (bytes, Err(error)),
        }
    }
}

/// A message as the peer sends it, in fragments of these sizes with a Ping after each.
fn in_fragments(sender: Role, kind: MessageKind, message: &[u8], sizes: &[usize]) -> Vec<u8> {
    let first = if kind == MessageKind::Text { TEXT } else { BINARY };
    let mut bytes = Vec::new();
    for (index, payload) in pieces(message, sizes).into_iter().enumerate() {
        let opcode = if index == 0 { first } else { CONTINUATION };
        bytes.extend(Frame { fin: false, opcode, payload: payload.to_vec() }.encode(sender));
        bytes.extend(Frame::whole(PING, *b"between").encode(sender));
    }
    let opcode = if message.is_empty() { first } else { CONTINUATION };
    bytes.extend(Frame::whole(opcode, []).encode(sender));
    bytes
}

/// This end of a connection whose handshake went over the wire.
fn open(setup: Setup, wire: &Wire) -> WebSocket<Wire> {
    let config = Config::default().delivery(setup.delivery);
    let socket = match setup.role {
        Role::Server => {
            wire.receive(
                b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
            );
            Server::new().config(config).accept_over(wire.clone()).unwrap()
        }
        Role::Client => {
            let accept = SecWebSocketKey::from_nonce([0x2D; 16]).accept();
            wire.receive(
                format!(
                    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
                    Connection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n\r\n",
                    accept.as_str()
                )
                .as_bytes(),
            );
            let client = Client::new("ws://a/").unwrap().config(config);
            let client = client.entropy(Entropy::from_fn(|bytes| bytes.fill(0x2D)));
            client.connect_over(wire.clone()).unwrap()
        }
    };
    wire.written();
    wire.0.borrow_mut().times_out = true;
    socket
}

/// A transport in memory. Its calls take and give pieces of the sizes that it was made with; a call of
/// size 0 is interrupted, or a read may time out.
#[derive(Clone)]
struct Wire(Rc<RefCell<Cable>>);

struct Cable {
    incoming: VecDeque<u8>,
    outgoing: Vec<u8>,
    sizes: Vec<usize>,
    calls: usize,
    has_failed: bool,
    times_out: bool,
}

impl Wire {
    fn new(sizes: &[usize]) -> Self {
        Self(Rc::new(RefCell::new(Cable {
            incoming: VecDeque::new(),
            outgoing: Vec::new(),
            sizes: sizes.to_vec(),
            calls: 0,
            has_failed: false,
            times_out: false,
        })))
    }

    /// These bytes are there to be read.
    fn receive(&self, bytes: &[u8]) {
        self.0.borrow_mut().incoming.extend(bytes);
    }

    /// What was written since the last time.
    fn written(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.borrow_mut().outgoing)
    }
}

impl Cable {
    /// How many bytes the next call takes or gives.
    fn next_size(&mut self, kinds: [ErrorKind; 2]) -> io::Result<usize> {
        self.calls += 1;
        match self.sizes.get(self.calls % self.sizes.len().max(1)) {
            Some(0) if !self.has_failed => {
                self.has_failed = true;
                Err(kinds[self.calls % 2].into())
            }
            size => {
                self.has_failed = false;
                Ok(size.map_or(usize::MAX, |&size| size.max(1)))
            }
        }
    }
}

impl Read for Wire {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let mut cable = self.0.borrow_mut();
        let other = if cable.times_out { ErrorKind::WouldBlock } else { ErrorKind::Interrupted };
        let size = cable.next_size([ErrorKind::Interrupted, other])?.min(room.len());
        cable.incoming.read(&mut room[..size])
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut cable = self.0.borrow_mut();
        let size = cable.next_size([ErrorKind::Interrupted; 2])?.min(bytes.len());
        cable.outgoing.extend(&bytes[..size]);
        Ok(size)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
