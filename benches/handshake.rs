//! The opening handshake in memory, each side by itself.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark stops where its set-up is wrong"
)]

#[path = "inputs/browser_request.rs"]
mod browser_request;

use std::hint::black_box;

use bytes::Buf;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use sansocket::handshake::{
    Accepted, Answer, ClientHandshake, ClientRequest, Decision, Outcome, ServerHandshake, negotiate,
};
use sansocket::{Config, Connection};

use browser_request::REQUEST;

fn server(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("handshake as server");
    group.bench_function("where the request lies", |bencher| {
        let mut bytes = REQUEST.to_vec();
        bencher.iter(|| open(accept(black_box(&mut bytes))));
    });
    group.bench_function("with the request as a value", |bencher| {
        let mut bytes = REQUEST.to_vec();
        bencher.iter(|| {
            let mut handshake = ServerHandshake::default();
            let request = handshake
                .receive(&mut black_box(&mut bytes[..]))
                .expect("a valid head")
                .expect("a complete head");
            match negotiate(&request, |_, _| Decision::accept()) {
                Ok(Answer::Accepted(accepted)) => open(accepted),
                other => panic!("expected a connection, got {other:?}"),
            }
        });
    });
    group.finish();
}

fn client(criterion: &mut Criterion) {
    let request = ClientRequest::new("ws://example.com:8080/chat".parse().expect("a valid URI"));
    criterion.bench_function("request of a client", |bencher| {
        bencher.iter(|| black_box(ClientHandshake::new(black_box(&request))));
    });
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

/// Returns the server's response to the bytes of this request.
fn answer(request: &[u8]) -> Vec<u8> {
    accept(&mut request.to_vec()).outgoing().to_vec()
}

fn accept(bytes: &mut [u8]) -> Accepted {
    let mut handshake = ServerHandshake::default();
    let answer = handshake
        .receive_head(&mut &mut *bytes, |request| request.negotiate(|_| Decision::accept()));
    match answer {
        Ok(Some(Ok(Answer::Accepted(accepted)))) => accepted,
        other => panic!("expected a connection, got {other:?}"),
    }
}

/// Returns the connection that begins once the response is sent.
fn open(mut accepted: Accepted) -> Connection {
    let size = accepted.outgoing().remaining();
    accepted.outgoing().advance(size);
    accepted.into_connection(Config::default())
}

criterion_group!(benches, server, client);
criterion_main!(benches);
