use std::hint::black_box;
use std::io::{self, IoSlice, Read, Write};

use bytes::{Buf, Bytes};
use sansocket::blocking::{Server, WebSocket};
use sansocket::handshake::{
    Answer, ClientHandshake, ClientRequest, Decision, Outcome, ServerHandshake,
};
use sansocket::{Config, Connection, Event, Message, Role};

use crate::browser_request::REQUEST;
use crate::mixed_text::mixed_text;

/// Something that is done a number of times.
pub(crate) struct Case {
    pub(crate) name: String,
    /// How many times, or how much of it: what the instructions are divided by.
    pub(crate) units: u64,
    /// A smaller case, each unit of which must cost the same.
    pub(crate) flat_with: Option<&'static str>,
    pub(crate) prepare: Box<dyn Fn() -> Run>,
}

/// Does it, with everything prepared and done once before.
pub(crate) type Run = Box<dyn FnMut()>;

/// Messages in a read, and in a write.
const BATCH: usize = 32;

/// Messages of one connection, so many that how it began doesn't count.
const MANY: usize = 1024;

/// What an event loop reads into.
const READ: usize = 64 * 1024;

const SIZES: [usize; 4] = [8, 125, 1024, 16 * 1024];

pub(crate) fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |name: String, units: usize, prepare: Box<dyn Fn() -> Run>| {
        cases.push(Case { name, units: units as u64, flat_with: None, prepare });
    };
    for size in SIZES {
        add(format!("decode/binary/{size}"), BATCH, Box::new(move || decode(&binary(size))));
        add(format!("decode/ascii/{size}"), BATCH, Box::new(move || decode(&ascii(size))));
        add(format!("decode/mixed/{size}"), BATCH, Box::new(move || decode(&mixed(size))));
        add(format!("encode/server/{size}"), BATCH, Box::new(move || encode(Role::Server, size)));
        add(format!("encode/client/{size}"), BATCH, Box::new(move || encode(Role::Client, size)));
        add(format!("echo/{size}"), BATCH, Box::new(move || echo(size)));
        add(format!("blocking/serve/{size}"), MANY, Box::new(move || serve(size)));
        add(format!("blocking/read-write/{size}"), MANY, Box::new(move || read_write(size)));
    }
    add("encode/server/shared/16384".into(), BATCH, Box::new(|| encode_shared(16 * 1024)));
    add("encode/server/lent/16384".into(), BATCH, Box::new(|| encode_lent(16 * 1024)));
    add("ping".into(), BATCH, Box::new(|| pings(BATCH)));
    add("fragments/64".into(), 64, Box::new(|| fragments(64, 256)));
    add("handshake/server".into(), 1, Box::new(server_handshake));
    add("handshake/client".into(), 1, Box::new(client_handshake));

    let mut grow = |name: &'static str, prepare: fn(usize) -> Run, small: usize, large: usize| {
        for (size, flat_with) in [(small, None), (large, Some(small))] {
            let flat_with = flat_with.map(|small| &*format!("growth/{name}/{small}").leak());
            let prepare = Box::new(move || prepare(size));
            cases.push(Case {
                name: format!("growth/{name}/{size}"),
                units: size as u64,
                flat_with,
                prepare,
            });
        }
    };
    grow("connections", connections, 1000, 100_000);
    grow("message-kib", |kib| long_message(kib << 10), 4 << 10, 256 << 10);
    grow("fragments", |count| fragments(count, 16), 1000, 100_000);
    grow("pings-unread", unread_pings, 10_000, 1_000_000);
    grow("pings-answered", pings, 10_000, 1_000_000);
    grow("messages-queued", queued_messages, 50_000, 1_000_000);
    grow("head-bytes-dripping", dripping_head, 2000, 16_000);
    cases
}

// ---- Messages

fn binary(size: usize) -> Message<'static> {
    vec![0xA5; size].into()
}

fn ascii(size: usize) -> Message<'static> {
    "a".repeat(size).into()
}

fn mixed(size: usize) -> Message<'static> {
    mixed_text(size).into()
}

fn connection(role: Role) -> Connection {
    Connection::new(role, Config::default().max_message_size(1 << 30).max_frame_size(1 << 30))
}

/// This many of these messages, as `sender` puts them on the wire.
fn wire(sender: Role, message: &Message<'_>, count: usize) -> Vec<u8> {
    let config = Config::default().max_outgoing_size(usize::MAX);
    let mut connection = Connection::new(sender, config);
    for _ in 0..count {
        connection.send(message.clone()).expect("an open connection");
    }
    let outgoing = connection.outgoing();
    outgoing.copy_to_bytes(outgoing.remaining()).into()
}

/// Does it once, so that one-time work isn't counted.
fn warm(mut run: impl FnMut() + 'static) -> Run {
    run();
    Box::new(run)
}

// ---- The core

fn decode(message: &Message<'_>) -> Run {
    let frames = wire(Role::Client, message, BATCH);
    let mut buffer = frames.clone();
    let mut connection = connection(Role::Server);
    // The copy isn't to be counted, so there are bytes for two turns.
    let mut first = frames;
    let mut decode = move |buffer: &mut [u8]| {
        let mut input = buffer;
        let mut count = 0;
        while let Some(event) = connection.next_event(&mut input).expect("a correct peer") {
            black_box(&event);
            count += 1;
        }
        assert_eq!(count, BATCH);
    };
    decode(&mut first);
    Box::new(move || decode(&mut buffer))
}

fn encode(role: Role, size: usize) -> Run {
    let payload = vec![0xA5; size];
    let mut connection = connection(role);
    warm(move || {
        for _ in 0..BATCH {
            connection.send(black_box(&payload[..])).expect("an open connection");
        }
        write(connection.outgoing());
    })
}

fn encode_shared(size: usize) -> Run {
    let payload = Bytes::from(vec![0xA5; size]);
    let mut connection = connection(Role::Server);
    warm(move || {
        for _ in 0..BATCH {
            connection.send(black_box(&payload).clone()).expect("an open connection");
        }
        write(connection.outgoing());
    })
}

fn encode_lent(size: usize) -> Run {
    let payload = vec![0xA5; size];
    let mut connection = connection(Role::Server);
    warm(move || {
        for _ in 0..BATCH {
            write(&mut connection.lend(black_box(&payload[..])).expect("an open connection"));
        }
    })
}

/// What the event loop does between a read and a write.
fn echo(size: usize) -> Run {
    let frames = wire(Role::Client, &binary(size), BATCH);
    let mut buffers = [frames.clone(), frames].into_iter();
    let mut connection = connection(Role::Server);
    warm(move || {
        let mut buffer = buffers.next().expect("two turns");
        for read in buffer.chunks_mut(READ) {
            receive(&mut connection, read);
            write(connection.outgoing());
        }
    })
}

fn receive(connection: &mut Connection, mut input: &mut [u8]) {
    while let Some(event) = connection.next_event(&mut input).expect("a correct peer") {
        if let Event::Message(message) = event {
            connection.send(message).expect("an open connection");
        }
    }
}

/// As a vectored write takes it.
fn write(outgoing: &mut impl Buf) {
    while outgoing.has_remaining() {
        let mut slices = [IoSlice::new(&[]); 16];
        let count = outgoing.chunks_vectored(&mut slices);
        let written = black_box(&slices[..count]).iter().map(|slice| slice.len()).sum();
        outgoing.advance(written);
    }
}

fn pings(count: usize) -> Run {
    const PING: &[u8] = b"\x89\x84\0\0\0\0ping";
    let mut connection = connection(Role::Server);
    let mut buffer = PING.repeat(BATCH);
    warm(move || {
        for _ in 0..count.div_ceil(BATCH) {
            receive(&mut connection, &mut buffer);
            write(connection.outgoing());
        }
    })
}

/// A peer that sends Pings and reads nothing.
fn unread_pings(count: usize) -> Run {
    const PING: &[u8] = b"\x89\x84\0\0\0\0ping";
    let mut connection = connection(Role::Server);
    let mut buffer = PING.repeat(BATCH);
    Box::new(move || {
        for _ in 0..count.div_ceil(BATCH) {
            receive(&mut connection, &mut buffer);
        }
    })
}

/// One message in this many fragments of this many bytes.
fn fragments(count: usize, size: usize) -> Run {
    let mut sender = Connection::new(Role::Client, Config::default());
    let mut frames = Vec::new();
    for index in 0..count {
        let mut fragments = sender.fragments();
        let piece = vec![0xA5; size];
        if index + 1 < count { fragments.write(piece) } else { fragments.finish(piece) }
            .expect("an open connection");
        let outgoing = sender.outgoing();
        frames.extend_from_slice(&outgoing.copy_to_bytes(outgoing.remaining()));
    }
    let mut buffers = [frames.clone(), frames].into_iter();
    let mut connection = connection(Role::Server);
    warm(move || {
        for read in buffers.next().expect("two turns").chunks_mut(READ) {
            receive(&mut connection, read);
        }
        let waiting = connection.outgoing().remaining();
        assert!(waiting > count * size, "the message was answered");
        write(connection.outgoing());
    })
}

/// A message to each of this many connections.
fn connections(count: usize) -> Run {
    let frame = wire(Role::Client, &binary(16), 1);
    let mut buffers = [frame.repeat(count), frame.repeat(count)].into_iter();
    let mut connections: Vec<Connection> = (0..count).map(|_| connection(Role::Server)).collect();
    warm(move || {
        let mut buffer = buffers.next().expect("two turns");
        for (connection, read) in connections.iter_mut().zip(buffer.chunks_mut(frame.len())) {
            receive(connection, read);
            write(connection.outgoing());
        }
    })
}

/// One message of this many bytes, through the buffer of an event loop.
fn long_message(size: usize) -> Run {
    let frame = wire(Role::Client, &Message::from(vec![0xA5; 1 << 16]), 1);
    let header = sansocket::frame::FrameHeader::decode(&frame).expect("valid").expect("complete").0;
    let header = sansocket::frame::FrameHeader { payload_len: size as u64, ..header };
    let mut connection = connection(Role::Server);
    let mut buffer = vec![0xA5; READ];
    Box::new(move || {
        receive(&mut connection, &mut header.encode().as_ref().to_vec());
        for _ in 0..size / READ {
            receive(&mut connection, &mut buffer);
        }
        assert!(connection.outgoing().remaining() > size, "the message was answered");
        // Written as a socket takes it.
        while connection.outgoing().has_remaining() {
            connection.outgoing().advance(READ);
        }
    })
}

/// This many messages queued, and written a little at a time.
fn queued_messages(count: usize) -> Run {
    let mut connection =
        Connection::new(Role::Server, Config::default().max_outgoing_size(usize::MAX));
    let message = [0xA5; 100];
    Box::new(move || {
        for _ in 0..count {
            connection.send(&message[..]).expect("an open connection");
        }
        while connection.outgoing().has_remaining() {
            black_box(connection.outgoing().chunk());
            connection.outgoing().advance(1460);
        }
    })
}

// ---- The handshake

fn accept(bytes: &mut [u8]) -> Vec<u8> {
    let mut handshake = ServerHandshake::default();
    let answer = handshake
        .receive_head(&mut &mut *bytes, |request| request.negotiate(|_| Decision::accept()));
    match answer.expect("valid").expect("complete") {
        Ok(Answer::Accepted(mut accepted)) => {
            let response = accepted.outgoing().to_vec();
            black_box(accepted.into_connection(Config::default()));
            response
        }
        other => panic!("expected a connection, got {other:?}"),
    }
}

fn server_handshake() -> Run {
    let mut bytes = REQUEST.to_vec();
    warm(move || drop(black_box(accept(&mut bytes))))
}

fn client_handshake() -> Run {
    let request = ClientRequest::new("ws://example.com:8080/chat".parse().expect("a valid URI"));
    warm(move || {
        let mut handshake = ClientHandshake::new(&request);
        let mut sent = handshake.outgoing().to_vec();
        // The server's part is in the count, as the response depends on the request.
        let mut response = accept(&mut sent);
        match handshake.receive(&mut &mut response[..]) {
            Ok(Some(Outcome::Established(established))) => {
                black_box(established.into_connection(Config::default()));
            }
            other => panic!("expected a connection, got {other:?}"),
        }
    })
}

/// A head of this many bytes that arrive one by one.
fn dripping_head(size: usize) -> Run {
    let start = b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: ";
    let head = [&start[..], &vec![b'x'; size - start.len()]].concat();
    Box::new(move || {
        let mut handshake = ServerHandshake::default();
        for byte in &head {
            assert!(handshake.receive(&mut &mut [*byte][..]).expect("valid so far").is_none());
        }
    })
}

// ---- Blocking

/// A stream with this to read, as much at a time as there is room for. It takes all that is written.
struct Feed(io::Cursor<Vec<u8>>);

impl Read for Feed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Feed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(black_box(bytes).len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn socket(size: usize) -> WebSocket<Feed> {
    let bytes = [REQUEST.to_vec(), wire(Role::Client, &binary(size), MANY)].concat();
    Server::new().accept_over(Feed(io::Cursor::new(bytes))).expect("a valid handshake")
}

fn serve(size: usize) -> Run {
    let mut socket = socket(size);
    Box::new(move || {
        let end = socket.serve(|message, outbox| outbox.send(message));
        assert!(end.is_err(), "the stream ends without a Close frame");
    })
}

fn read_write(size: usize) -> Run {
    let mut socket = socket(size);
    Box::new(move || {
        let mut count = 0;
        while let Ok(Some(message)) = socket.read() {
            socket.write(message).expect("an open connection");
            count += 1;
        }
        assert_eq!(count, MANY);
    })
}
