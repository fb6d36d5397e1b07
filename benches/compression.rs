//! JSON, sent and received, compressed with and without context takeover, and not compressed.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a benchmark stops where its set-up is wrong"
)]

use std::fmt::Write as _;
use std::hint::black_box;

use bytes::Buf;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use sansocket::extension::{ContextTakeover, Deflate, DeflateParameters, SenderParameters};
use sansocket::{Config, Connection, Event, Role};

const SIZES: [usize; 2] = [1024, 16 * 1024];

/// How many different messages there are, as in real life: with equal ones, takeover would look too good.
const VARIETY: usize = 64;

/// Returns JSON that looks like a feed of events.
fn json(size: usize, seed: usize) -> String {
    let mut text = String::from("[");
    let mut id = seed * 7919;
    while text.len() < size {
        let price = id * 31 % 100_000;
        let at = 1_700_000_000 + id * 17;
        write!(
            text,
            "{{\"id\":{id},\"symbol\":\"SYM{}\",\"price\":{}.{:02},\"at\":{at},\"side\":\"{}\"}},",
            id % 97,
            price / 100,
            price % 100,
            if id % 3 == 0 { "buy" } else { "sell" },
        )
        .expect("writing to a string");
        id += 13;
    }
    text.truncate(size);
    text
}

#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    takeover: Option<ContextTakeover>,
    level: u8,
}

const CASES: [Case; 5] = [
    Case { name: "uncompressed", takeover: None, level: 6 },
    Case { name: "takeover, level 6", takeover: Some(ContextTakeover::Yes), level: 6 },
    Case { name: "takeover, level 1", takeover: Some(ContextTakeover::Yes), level: 1 },
    Case { name: "no takeover, level 6", takeover: Some(ContextTakeover::No), level: 6 },
    Case { name: "no takeover, level 1", takeover: Some(ContextTakeover::No), level: 1 },
];

fn connection(role: Role, case: Case) -> Connection {
    let connection = Connection::new(role, Config::default());
    let Some(context_takeover) = case.takeover else {
        return connection;
    };
    let sender = SenderParameters { context_takeover, max_window_bits: None };
    let deflate = Deflate::default().level(case.level);
    connection.with_deflate(&deflate.agree(DeflateParameters { server: sender, client: sender }))
}

fn wire(connection: &mut Connection, message: &str) -> Vec<u8> {
    connection.send(message).expect("an open connection takes a message");
    let outgoing = connection.outgoing();
    outgoing.copy_to_bytes(outgoing.remaining()).into()
}

fn send(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("send as Server");
    for size in SIZES {
        group.throughput(Throughput::Bytes(size as u64));
        let messages: Vec<String> = (0..VARIETY).map(|seed| json(size, seed)).collect();
        for case in CASES {
            let mut connection = connection(Role::Server, case);
            let sent: usize =
                messages.iter().map(|message| wire(&mut connection, message).len()).sum();
            println!("{} of {size}: {} bytes on the wire", case.name, sent / VARIETY);
            let mut next = messages.iter().cycle();
            group.bench_function(BenchmarkId::new(case.name, size), |bencher| {
                bencher.iter(|| {
                    let message = next.next().expect("a cycle").as_str();
                    connection.send(black_box(message)).expect("open");
                    let outgoing = connection.outgoing();
                    outgoing.advance(outgoing.remaining());
                });
            });
        }
    }
    group.finish();
}

fn receive(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("receive as Client");
    for size in SIZES {
        group.throughput(Throughput::Bytes(size as u64));
        for case in CASES.into_iter().filter(|case| case.level == 6) {
            let mut sender = connection(Role::Server, case);
            let mut receiver = connection(Role::Client, case);
            // When they begin again, the window has more in it, but the first of them refers to
            // nothing before it, and the others refer back no further than the first.
            let mut frames: Vec<Vec<u8>> =
                (0..VARIETY).map(|seed| wire(&mut sender, &json(size, seed))).collect();
            let mut at = 0;
            group.bench_function(BenchmarkId::new(case.name, size), |bencher| {
                bencher.iter(|| {
                    take(&mut receiver, black_box(&mut frames[at]));
                    at = (at + 1) % VARIETY;
                });
            });
        }
    }
    group.finish();
}

fn take(connection: &mut Connection, bytes: &mut [u8]) {
    let mut input = bytes;
    match connection.next_event(&mut input) {
        Ok(Some(Event::Message(message))) => assert!(!black_box(message).is_empty()),
        other => panic!("{other:?}"),
    }
}

criterion_group!(benches, send, receive);
criterion_main!(benches);
