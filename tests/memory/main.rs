//! Section 10.4: what a connection costs in memory follows what was received and what waits to be
//! written, never what the peer has announced.
//!
//! A test binary by itself, because it replaces the global allocator with one that counts.
#![cfg(feature = "std")]
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what went wrong by panicking"
)]

#[cfg(feature = "blocking")]
mod blocking;
#[cfg(feature = "handshake")]
#[path = "../../benches/inputs/browser_request.rs"]
mod browser_request;
#[cfg(feature = "deflate")]
mod compression;
#[cfg(feature = "handshake")]
mod handshake;

use bytes::{Buf, Bytes};
use sansocket::frame::{FrameHeader, MaskingKey, Opcode, Rsv};
use sansocket::{Chunk, Config, Connection, Delivery, Event, Message, PreparedMessage, Role};

const ROLES: [Role; 2] = [Role::Client, Role::Server];

/// What a connection may hold whatever its peer does: the minimum capacity of a message and of the
/// outgoing queue, and a backlog of Pongs. Once it has answered many messages at once, the queue has room for
/// as many, up to 64 KiB.
const CONSTANT: i64 = 16 * 1024;

/// The Pongs that wait to be written, whatever the peer sends.
const PONGS: usize = 4 * 1024;

const KEY: MaskingKey = MaskingKey::new([0x37, 0xFA, 0x21, 0x3D]);

/// A connection, and how many bytes of the heap it holds.
struct Measured {
    connection: Connection,
    heap: i64,
}

impl Measured {
    fn new(role: Role, config: Config) -> Self {
        warm_up_entropy();
        let mut connection = None;
        let info = allocation_counter::measure(|| {
            connection = Some(Connection::new(role, config));
        });
        Self { connection: connection.unwrap(), heap: info.bytes_current }
    }

    /// Does something that leaves nothing on the heap but what the connection holds.
    fn act(&mut self, act: impl FnOnce(&mut Connection)) {
        let info = allocation_counter::measure(|| act(&mut self.connection));
        self.heap += info.bytes_current;
    }

    /// Takes the events out of `input`, and drops each.
    fn receive(&mut self, input: &mut [u8]) {
        self.act(|connection| {
            let mut input = input;
            while connection.next_event(&mut input).unwrap().is_some() {}
        });
    }

    /// Writes everything, as fast as a transport can take it.
    fn drain(&mut self) {
        self.act(|connection| {
            let outgoing = connection.outgoing();
            while outgoing.has_remaining() {
                outgoing.advance(outgoing.chunk().len());
            }
        });
    }
}

#[test]
fn a_connection_has_at_most_256_bytes() {
    assert!(size_of::<Connection>() <= 256, "{} bytes", size_of::<Connection>());
}

#[test]
fn an_idle_connection_owns_no_heap() {
    for role in ROLES {
        let mut measured = Measured::new(role, Config::default());
        assert_eq!(measured.heap, 0, "new");
        measured.receive(&mut traffic(role.peer()));
        measured.drain();
        assert_eq!(measured.heap, 0, "after traffic");

        // The same in pieces, so that messages and control frames are assembled.
        for byte in traffic(role.peer()) {
            measured.receive(&mut [byte]);
        }
        measured.drain();
        assert_eq!(measured.heap, 0, "after traffic in pieces");

        measured.act(|connection| {
            connection.send("text").unwrap();
            connection.send(vec![0; 1 << 20]).unwrap();
            connection.send(Bytes::from(vec![0; 1 << 20])).unwrap();
            connection.fragments().write("frag").unwrap();
            connection.ping(b"ping").unwrap();
            connection.fragments().finish("ment").unwrap();
        });
        assert!(measured.heap > 2 << 20, "what waits is held");
        measured.drain();
        assert_eq!(measured.heap, 0, "after writing");
    }
}

#[test]
fn what_was_written_step_by_step_is_freed_at_the_end() {
    for role in ROLES {
        let mut measured = Measured::new(role, Config::default());
        measured.act(|connection| {
            for _ in 0..100 {
                connection.send(vec![0; 10_000]).unwrap();
            }
        });
        while measured.connection.outgoing().has_remaining() {
            measured.act(|connection| connection.outgoing().advance(997));
            let waiting = i64::try_from(measured.connection.outgoing().remaining()).unwrap();
            let limit = 2 * waiting + 3 * 64 * 1024;
            assert!(measured.heap <= limit, "{} bytes for {waiting}", measured.heap);
        }
        assert_eq!(measured.heap, 0);
    }
}

#[test]
fn what_was_written_is_freed_although_there_is_always_something_behind_it() {
    for role in ROLES {
        let mut measured = Measured::new(role, Config::default());
        measured.act(|connection| {
            connection.send(vec![0; 10 << 20]).unwrap();
            connection.send("behind it").unwrap();
            let long = connection.outgoing().remaining() - "behind it".len();
            for at in (0..long).step_by(64 * 1024) {
                connection.outgoing().advance((long - at).min(64 * 1024));
            }
        });
        assert!(measured.connection.outgoing().has_remaining());
        assert!(measured.heap <= 2 * 64 * 1024, "{role:?}: {}", measured.heap);
    }
}

#[test]
fn messages_that_are_as_many_as_before_are_queued_by_one_allocation() {
    for role in ROLES {
        let mut measured = Measured::new(role, Config::default());
        let batch = |connection: &mut Connection| {
            (0..40).for_each(|_| connection.send(&[7; 1000]).unwrap());
        };
        measured.act(batch);
        measured.drain();
        let again = allocation_counter::measure(|| measured.act(batch));
        assert_eq!(again.count_total, 1);
        measured.drain();
        assert_eq!(measured.heap, 0);
        // And a single one takes no more room than it needs, from the second time on.
        for _ in 0..2 {
            measured.act(|connection| connection.send("alone").unwrap());
            measured.drain();
        }
        measured.act(|connection| connection.send("alone").unwrap());
        assert!(measured.heap <= 1024, "{} bytes", measured.heap);
    }
}

#[test]
fn storage_that_is_lent_is_not_kept_for_a_few_bytes_before_a_long_payload() {
    let mut storage = Vec::with_capacity(64 * 1024);
    let mut measured = Measured::new(Role::Server, Config::default());
    let long = Bytes::from(vec![7; 4096]);
    measured.act(|connection| {
        connection.outgoing().lend_storage(&mut storage);
        connection.send("a few").unwrap();
        connection.send(long.clone()).unwrap();
        connection.send("more").unwrap();
        connection.outgoing().reclaim_storage(&mut storage);
    });
    assert_eq!(storage.capacity(), 64 * 1024);
    assert!(measured.heap < 1024, "{} bytes", measured.heap);
    assert_eq!(measured.connection.outgoing().remaining(), 7 + 4 + 4096 + 6);
}

#[test]
fn a_turn_with_storage_that_is_lent_allocates_nothing_and_leaves_nothing() {
    for role in ROLES {
        let mut measured = Measured::new(role, Config::default());
        let mut storage = Vec::with_capacity(64 * 1024);
        let turn = allocation_counter::measure(|| {
            measured.act(|connection| {
                connection.outgoing().lend_storage(&mut storage);
                (0..40).for_each(|_| connection.send(&[7; 1000]).unwrap());
                while connection.outgoing().has_remaining() {
                    connection.outgoing().advance(997);
                }
                (0..40).for_each(|_| connection.send(&[7; 1000]).unwrap());
                let all = connection.outgoing().remaining();
                connection.outgoing().advance(all - 5);
                connection.outgoing().reclaim_storage(&mut storage);
            });
        });
        assert_eq!((turn.count_total, measured.heap), (1, 5), "what is left is kept apart");
        assert_eq!(
            (storage.capacity(), measured.connection.outgoing().remaining()),
            (64 * 1024, 5)
        );
        measured.drain();
        assert_eq!(measured.heap, 0);
    }
}

#[test]
fn shared_messages_behind_many_small_ones_cost_no_more_than_their_headers() {
    const SHARED: i64 = 1000;
    let mut measured = Measured::new(Role::Server, Config::default().max_outgoing_size(usize::MAX));
    measured.act(|connection| {
        (0..40).for_each(|_| connection.send(&[7; 1000]).unwrap());
    });
    measured.drain();
    let payload = Bytes::from(vec![7; 5000]);
    measured.act(|connection| {
        (0..SHARED).for_each(|_| connection.send(payload.clone()).unwrap());
    });
    assert!(measured.heap < SHARED * 1024, "{} bytes", measured.heap);
}

#[test]
fn a_message_that_lies_whole_in_the_input_costs_nothing() {
    for role in ROLES {
        for opcode in [Opcode::Text, Opcode::Binary, Opcode::Ping, Opcode::Pong] {
            warm_up_entropy();
            let mut connection = Connection::new(role, Config::default());
            let length = if opcode.is_control() { 125 } else { 1 << 20 };
            let mut bytes = frame(role.peer(), true, opcode, &vec![b'x'; length]);
            let info = allocation_counter::measure(|| {
                let mut input = &mut bytes[..];
                assert!(connection.next_event(&mut input).unwrap().is_some());
            });
            // A Pong is queued for the Ping; nothing else is allocated even for a moment.
            let expected = u64::from(opcode == Opcode::Ping);
            assert_eq!(info.count_total, expected, "{opcode:?}");
        }
    }
}

#[test]
fn a_header_that_announces_up_to_2_to_the_63_costs_nothing() {
    for role in ROLES {
        for delivery in [Delivery::Messages, Delivery::Chunks] {
            for opcode in [Opcode::Text, Opcode::Binary] {
                for length in [1 << 16, 1 << 32, 1 << 62, (1 << 63) - 1] {
                    let config = Config::default()
                        .max_frame_size(u64::MAX)
                        .max_message_size(u64::MAX)
                        .delivery(delivery);
                    let mut measured = Measured::new(role, config);
                    measured.receive(&mut header(role.peer(), true, opcode, length));
                    assert_eq!(measured.heap, 0, "the header alone");
                    measured.receive(&mut [b'x' ^ 0x37]);
                    assert!(measured.heap <= CONSTANT, "and a byte: {}", measured.heap);
                }
            }
        }
    }
}

#[test]
fn memory_follows_the_bytes_received() {
    for role in ROLES {
        for opcode in [Opcode::Text, Opcode::Binary] {
            // As one frame, whose end is announced, and as a frame with more to follow.
            for fin in [true, false] {
                let mut measured = Measured::new(role, Config::default());
                let payload = vec![b'x'; 4 << 20];
                let mut bytes = frame(role.peer(), fin, opcode, &payload);
                let mut received = 0;
                let last = bytes.len() - 1;
                for read in bytes[..last].chunks_mut(50_000) {
                    received += i64::try_from(read.len()).unwrap();
                    measured.receive(read);
                    assert_follows(&measured, received);
                }
                measured.receive(&mut bytes[last..]);
                if fin {
                    assert_eq!(measured.heap, 0, "the message was handed out");
                }
            }
        }
    }
}

#[test]
fn a_message_whose_end_is_known_takes_its_own_bytes_and_no_more() {
    for role in ROLES {
        let size = 3_000_000;
        let mut connection = Connection::new(role, Config::default());
        let mut bytes = frame(role.peer(), true, Opcode::Binary, &vec![1; size]);
        let mut message: Option<Message<'static>> = None;
        let info = allocation_counter::measure(|| {
            for read in bytes.chunks_mut(4_096) {
                let mut input = read;
                if let Some(Event::Message(whole)) = connection.next_event(&mut input).unwrap() {
                    message = Some(whole.into_owned());
                }
            }
        });
        assert_eq!(message.unwrap().len(), size);
        let held = info.bytes_current;
        assert!(held <= i64::try_from(size).unwrap() + 256, "{held} bytes");
    }
}

#[test]
fn a_short_message_in_fragments_takes_little_where_it_is_kept() {
    for role in ROLES {
        for opcode in [Opcode::Text, Opcode::Binary] {
            let mut connection = Connection::new(role, Config::default());
            let mut bytes = frame(role.peer(), false, opcode, b"x");
            bytes.extend(frame(role.peer(), true, Opcode::Continuation, b""));
            assert_is_kept_in_little(&mut connection, &bytes);
        }
    }
}

/// Asserts that the event these bytes end with takes little memory beyond its own bytes.
#[track_caller]
fn assert_is_kept_in_little(connection: &mut Connection, bytes: &[u8]) {
    const EVENTS: usize = 100;
    // One-time allocations belong to no event.
    drop(connection.next_event(&mut &mut bytes.to_vec()[..]));
    let mut kept = Vec::with_capacity(EVENTS);
    let mut size = 0;
    let info = allocation_counter::measure(|| {
        for _ in 0..EVENTS {
            let mut bytes = bytes.to_vec();
            let event = connection.next_event(&mut &mut bytes[..]).unwrap().expect("an event");
            let (Event::Message(piece) | Event::Chunk(Chunk { piece, .. })) = &event else {
                panic!("neither a message nor a piece of one: {event:?}");
            };
            size += piece.len();
            kept.push(event.into_owned());
        }
    });
    let held = info.bytes_current;
    let most = i64::try_from(size + 64 * EVENTS).unwrap();
    assert!(held <= most, "{held} bytes for {EVENTS} events with {size}");
}

#[test]
fn a_short_message_that_is_prepared_once_allocates_for_no_connection() {
    for message in [Message::from("to all"), Message::from(b"to all"), Message::from(&[7; 1024])] {
        let prepared = PreparedMessage::new(message);
        let mut connection = Connection::new(Role::Server, Config::default());
        let mut storage = Vec::with_capacity(2048);
        let mut send = || {
            connection.outgoing().lend_storage(&mut storage);
            connection.send_prepared(&prepared).unwrap();
            let outgoing = connection.outgoing();
            outgoing.advance(outgoing.remaining());
            outgoing.reclaim_storage(&mut storage);
        };
        send();
        let info = allocation_counter::measure(&mut send);
        assert_eq!(info.count_total, 0);
    }
}

#[test]
fn a_million_fragments_cost_what_their_bytes_cost() {
    for role in ROLES {
        for (opcode, payload) in [(Opcode::Text, &b"x"[..]), (Opcode::Binary, b"")] {
            let mut measured = Measured::new(role, Config::default());
            measured.receive(&mut frame(role.peer(), false, opcode, payload));
            let fragment = frame(role.peer(), false, Opcode::Continuation, payload);
            let fragments = fragment.repeat(1_000);
            for round in 1..=1_000_i64 {
                measured.receive(&mut fragments.clone());
                let fragments = 1 + 1_000 * round;
                assert_follows(&measured, fragments * i64::try_from(payload.len()).unwrap());
            }
            measured.receive(&mut frame(role.peer(), true, Opcode::Continuation, b""));
            assert_eq!(measured.heap, 0);
        }
    }
}

#[test]
fn a_message_in_chunks_costs_a_constant() {
    for role in ROLES {
        for opcode in [Opcode::Text, Opcode::Binary] {
            let config = Config::default()
                .max_frame_size(u64::MAX)
                .max_message_size(u64::MAX)
                .delivery(Delivery::Chunks);
            let mut measured = Measured::new(role, config);
            let ten_gigabytes = 10 << 30;
            measured.receive(&mut header(role.peer(), true, opcode, ten_gigabytes));
            // Four bytes of text, as many as the masking key has.
            let mut plain = "😀".as_bytes().to_vec();
            if role == Role::Server {
                KEY.apply(&mut plain);
            }
            let read = plain.repeat(16 * 1024);
            let (mut buffer, mut received) = (read.clone(), 0);
            for _ in 0..512 {
                buffer.copy_from_slice(&read);
                measured.act(|connection| {
                    let mut input = &mut buffer[..];
                    while let Some(event) = connection.next_event(&mut input).unwrap() {
                        let Event::Chunk(Chunk { piece, last: false, .. }) = event else {
                            panic!("a chunk that is not the last");
                        };
                        received += piece.len();
                    }
                });
                assert_eq!(measured.heap, 0);
            }
            assert_eq!(received, 32 << 20);
        }
    }
}

#[test]
fn a_hundred_thousand_pings_that_nobody_takes_the_answers_of_cost_a_constant() {
    for role in ROLES {
        for before in [0, 1 << 20] {
            let mut measured = Measured::new(role, Config::default());
            measured.act(|connection| connection.send(vec![0; before]).unwrap());
            let limit = measured.heap + CONSTANT;
            let queued = measured.connection.outgoing().remaining();
            for number in 0..100_000_u32 {
                measured.receive(&mut numbered_ping(role.peer(), number));
                assert!(measured.heap <= limit, "{} bytes at {number}", measured.heap);
                let waiting = measured.connection.outgoing().remaining();
                assert!(waiting <= queued + PONGS, "{waiting} bytes wait at {number}");
            }
            let latest = latest_pong(&mut measured.connection);
            assert_eq!(latest[..4], 99_999_u32.to_be_bytes(), "the latest is answered");
        }
    }
}

/// The same in two halves, where one is told of each Ping that the other has found.
#[test]
fn a_hundred_thousand_pings_cost_two_halves_a_constant() {
    for role in ROLES {
        warm_up_entropy();
        let (mut receiving, mut sending) = Connection::new(role, Config::default()).split();
        let info = allocation_counter::measure(|| {
            for number in 0..100_000_u32 {
                let mut ping = numbered_ping(role.peer(), number);
                let event = receiving.next_event(&mut &mut ping[..]).unwrap().unwrap();
                sending.answer(&event);
                let waiting = sending.outgoing().remaining();
                assert!(waiting <= PONGS, "{waiting} bytes wait at {number}");
            }
        });
        let held = info.bytes_max;
        assert!(i64::try_from(held).unwrap() <= CONSTANT, "a peak of {held} bytes");
        let latest = latest_pong(&mut Connection::reunite(receiving, sending));
        assert_eq!(latest[..4], 99_999_u32.to_be_bytes(), "the latest is answered");
    }
}

#[test]
fn an_unfinished_message_is_freed_when_the_connection_is_over() {
    for role in ROLES {
        let endings: [fn(&mut Measured); 3] = [
            |measured| {
                let sender = measured.connection.role().peer();
                measured.receive(&mut frame(sender, true, Opcode::Close, b""));
            },
            |measured| {
                let sender = measured.connection.role().peer();
                let mut broken = frame(sender, true, Opcode::Binary, b"");
                measured.act(|connection| {
                    connection.next_event(&mut &mut broken[..]).unwrap_err();
                });
            },
            |measured| measured.act(Connection::receive_eof),
        ];
        for end in endings {
            let mut measured = Measured::new(role, Config::default());
            let payload = vec![b'x'; 1 << 20];
            measured.receive(&mut frame(role.peer(), false, Opcode::Binary, &payload));
            measured.receive(&mut frame(role.peer(), false, Opcode::Continuation, &payload));
            assert!(measured.heap >= 2 << 20, "the message so far is held");
            end(&mut measured);
            measured.drain();
            assert!(measured.heap <= CONSTANT, "{} bytes are left", measured.heap);
        }
    }
}

/// The CSPRNG of a thread allocates at its first use; that is the thread's, not the connection's.
fn warm_up_entropy() {
    Connection::new(Role::Client, Config::default()).ping(b"").unwrap();
}

/// The promise: a constant, and no more than twice what was received of the message.
#[track_caller]
fn assert_follows(measured: &Measured, received: i64) {
    let limit = CONSTANT + 2 * received;
    assert!(measured.heap <= limit, "{} bytes for {received} received", measured.heap);
}

/// Messages of both kinds, whole and in fragments, and control frames.
fn traffic(sender: Role) -> Vec<u8> {
    [
        frame(sender, true, Opcode::Text, "text".as_bytes()),
        frame(sender, true, Opcode::Binary, &vec![7; 20_000]),
        frame(sender, false, Opcode::Text, "€".as_bytes()),
        frame(sender, true, Opcode::Ping, b"ping"),
        frame(sender, true, Opcode::Pong, b""),
        frame(sender, true, Opcode::Continuation, "😀".as_bytes()),
        frame(sender, true, Opcode::Ping, &[0; 125]),
    ]
    .concat()
}

/// The payload of the last Pong that is queued. Every Pong here has 125 bytes.
fn latest_pong(connection: &mut Connection) -> Vec<u8> {
    let mut bytes = Vec::new();
    let outgoing = connection.outgoing();
    while outgoing.has_remaining() {
        let length = outgoing.chunk().len();
        bytes.extend_from_slice(outgoing.chunk());
        outgoing.advance(length);
    }
    let mask_size = if connection.role() == Role::Client { 4 } else { 0 };
    let frame = &bytes[bytes.len() - (2 + mask_size + 125)..];
    assert_eq!(frame[0], 0x8A, "a Pong");
    let mut payload = frame[2 + mask_size..].to_vec();
    if mask_size > 0 {
        MaskingKey::new(frame[2..6].try_into().unwrap()).apply(&mut payload);
    }
    payload
}

/// A Ping of 125 bytes that begin with this number.
fn numbered_ping(sender: Role, number: u32) -> Vec<u8> {
    let mut payload = [0; 125];
    payload[..4].copy_from_slice(&number.to_be_bytes());
    frame(sender, true, Opcode::Ping, &payload)
}

fn header(sender: Role, fin: bool, opcode: Opcode, payload_len: u64) -> Vec<u8> {
    let mask = (sender == Role::Client).then_some(KEY);
    FrameHeader { fin, rsv: Rsv::NONE, opcode, mask, payload_len }.encode().as_ref().to_vec()
}

fn frame(sender: Role, fin: bool, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut bytes = header(sender, fin, opcode, payload.len() as u64);
    let header_size = bytes.len();
    bytes.extend_from_slice(payload);
    if sender == Role::Client {
        KEY.apply(&mut bytes[header_size..]);
    }
    bytes
}
