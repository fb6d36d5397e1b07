//! Decoding and encoding one message, by size, role and kind.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a benchmark stops where its set-up is wrong"
)]

#[path = "inputs/mixed_text.rs"]
mod mixed_text;

use std::hint::black_box;

use bytes::Buf;
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mixed_text::mixed_text;
use sansocket::{Config, Connection, Event, Message, Role};

const SIZES: [usize; 6] = [8, 125, 1024, 16 * 1024, 64 * 1024, 1024 * 1024];
const ROLES: [Role; 2] = [Role::Client, Role::Server];

/// How many messages are encoded before the outgoing bytes are taken, as one write takes them.
const BATCH: usize = 32;

fn connection(role: Role) -> Connection {
    Connection::new(role, Config::default().max_outgoing_size(usize::MAX))
}

fn payloads(size: usize) -> [(&'static str, Message<'static>); 3] {
    [
        ("binary", Message::from(vec![0xA5; size])),
        ("ascii", Message::from("a".repeat(size))),
        ("mixed", Message::from(mixed_text(size))),
    ]
}

/// Returns the frame of `message` as `sender` puts it on the wire.
fn wire(sender: Role, message: Message<'_>) -> Vec<u8> {
    let mut connection = connection(sender);
    connection.send(message).expect("an open connection takes a message");
    let outgoing = connection.outgoing();
    outgoing.copy_to_bytes(outgoing.remaining()).into()
}

fn decode(criterion: &mut Criterion) {
    for receiver in ROLES {
        let mut group = criterion.benchmark_group(format!("decode as {receiver:?}"));
        for size in SIZES {
            group.throughput(Throughput::Bytes(size as u64));
            for (kind, message) in payloads(size) {
                let frame = wire(receiver.peer(), message);
                let mut connection = connection(receiver);
                let mut buffer = frame.clone();
                // Unmasking works in place, so the payload would be right only in every second pass;
                // with a key of zeros, it never changes.
                if receiver == Role::Server {
                    zero_the_key(&mut buffer);
                }
                group.bench_function(BenchmarkId::new(kind, size), |bencher| {
                    bencher.iter(|| {
                        let mut input = black_box(&mut buffer[..]);
                        match connection.next_event(&mut input) {
                            Ok(Some(Event::Message(message))) => black_box(message.len()),
                            other => panic!("expected a message, got {other:?}"),
                        }
                    });
                });
            }
        }
        group.finish();
    }
}

/// Gives a masked frame the key 0 and a plain payload, which takes the same work to unmask.
fn zero_the_key(frame: &mut [u8]) {
    let (header, size) = sansocket::frame::FrameHeader::decode(frame)
        .expect("a frame that this crate encoded")
        .expect("a complete header");
    let (head, payload) = frame.split_at_mut(size);
    header.mask.expect("a client masks").apply(payload);
    head[size - 4..].fill(0);
}

fn encode(criterion: &mut Criterion) {
    for sender in ROLES {
        let mut group = criterion.benchmark_group(format!("encode {BATCH} as {sender:?}"));
        for size in SIZES {
            group.throughput(Throughput::Elements(BATCH as u64));
            let payload = vec![0xA5; size];
            let mut connection = connection(sender);
            group.bench_function(BenchmarkId::new("binary", size), |bencher| {
                bencher.iter(|| {
                    for _ in 0..BATCH {
                        connection.send(black_box(&payload[..])).expect("an open connection");
                        if size > 64 * 1024 {
                            drain(&mut connection);
                        }
                    }
                    drain(&mut connection);
                });
            });
        }
        group.finish();
    }
}

fn drain(connection: &mut Connection) {
    let outgoing = connection.outgoing();
    outgoing.advance(black_box(outgoing.remaining()));
}

fn control(criterion: &mut Criterion) {
    let mut connection = connection(Role::Server);
    let mut ping = *b"\x89\x84\0\0\0\0ping";
    criterion.bench_function("a Ping and its Pong", |bencher| {
        bencher.iter(|| {
            let mut input = black_box(&mut ping[..]);
            while let Ok(Some(event)) = connection.next_event(&mut input) {
                black_box(event);
            }
            drain(&mut connection);
        });
    });
}

fn fragments(criterion: &mut Criterion) {
    let mut sender = connection(Role::Server);
    for index in 0..64 {
        let piece = vec![index; 256];
        let mut fragments = sender.fragments();
        if index < 63 { fragments.write(piece) } else { fragments.finish(piece) }
            .expect("an open connection");
    }
    let outgoing = sender.outgoing();
    let wire = outgoing.copy_to_bytes(outgoing.remaining()).to_vec();
    let mut receiver = connection(Role::Client);
    criterion.bench_function("64 fragments of a 16 KiB message", |bencher| {
        bencher.iter_batched_ref(
            || wire.clone(),
            |wire| {
                let mut input = &mut wire[..];
                while let Ok(Some(event)) = receiver.next_event(&mut input) {
                    black_box(event);
                }
            },
            BatchSize::SmallInput,
        );
    });
}

criterion_group!(benches, decode, encode, control, fragments);
criterion_main!(benches);
