//! The opening handshake in memory, each side by itself.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark stops where its set-up is wrong"
)]

use std::hint::black_box;

use bytes::Buf;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use sansocket::Config;
use sansocket::handshake::{
    Acceptance, ClientHandshake, ClientRequest, HeadLimits, Outcome, ServerHandshake,
    UpgradeRequest,
};

/// What a browser sends.
const REQUEST: &[u8] = b"GET /chat HTTP/1.1\r\n\
    Host: example.com:8080\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n\
    Accept: */*\r\n\
    Accept-Language: en-US,en;q=0.5\r\n\
    Accept-Encoding: gzip, deflate\r\n\
    Sec-WebSocket-Version: 13\r\n\
    Origin: http://example.com:8080\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Connection: keep-alive, Upgrade\r\n\
    Pragma: no-cache\r\n\
    Cache-Control: no-cache\r\n\
    Upgrade: websocket\r\n\
    \r\n";

fn server(criterion: &mut Criterion) {
    criterion.bench_function("handshake as server", |bencher| {
        bencher.iter_batched_ref(
            || REQUEST.to_vec(),
            |bytes| {
                let mut handshake = ServerHandshake::new(HeadLimits::default());
                let request = handshake
                    .receive(&mut &mut bytes[..])
                    .expect("a valid head")
                    .expect("a complete head");
                let upgrade = UpgradeRequest::parse(&request).expect("a valid handshake");
                let mut accepted = upgrade.answer(Acceptance::new()).expect("nothing is asked for");
                let size = accepted.outgoing().remaining();
                accepted.outgoing().advance(size);
                black_box(accepted.into_connection(Config::default()))
            },
            BatchSize::SmallInput,
        );
    });
}

fn client(criterion: &mut Criterion) {
    let request = ClientRequest::new("ws://example.com:8080/chat".parse().expect("a valid URI"));
    criterion.bench_function("handshake as client", |bencher| {
        bencher.iter_batched_ref(
            || {
                let mut handshake = ClientHandshake::new(&request);
                let response = answer(handshake.outgoing());
                (handshake, response)
            },
            |(handshake, response)| match handshake.receive(&mut &mut response[..]) {
                Ok(Some(Outcome::Established(established))) => {
                    black_box(established.into_connection(Config::default()))
                }
                other => panic!("expected a connection, got {other:?}"),
            },
            BatchSize::SmallInput,
        );
    });
}

/// The server's response to these bytes of a request.
fn answer(request: &[u8]) -> Vec<u8> {
    let mut handshake = ServerHandshake::default();
    let request = handshake
        .receive(&mut &mut request.to_vec()[..])
        .expect("a valid head")
        .expect("a complete head");
    let upgrade = UpgradeRequest::parse(&request).expect("a valid handshake");
    let mut accepted = upgrade.answer(Acceptance::new()).expect("nothing is asked for");
    accepted.outgoing().to_vec()
}

criterion_group!(benches, server, client);
criterion_main!(benches);
