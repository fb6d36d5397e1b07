#![expect(clippy::unnecessary_wraps, reason = "not every way does every job")]

use std::hint::black_box;
use std::io::{IoSlice, Read};

use bytes::{Buf, Bytes};
use sansocket::blocking::Server;
use sansocket::handshake::{Answer, Decision, ServerHandshake};
use sansocket::{Config, Connection, Event, Message, Role};

use super::{Feed, Job, Run, is_batch};
use crate::wire::Kind;

/// The core, with a buffer of 16 KiB or as long as a message, and payloads that are borrowed.
pub fn borrowed(job: Job) -> Option<Run> {
    Some(match job {
        Job::Decode(..) | Job::Ping | Job::Fragments => {
            let feed = Feed::new(job);
            let size = feed.message().max(16 * 1024);
            decode(feed, size)
        }
        Job::EncodeAsServer(size) => encode(Role::Server, Kind::Binary.payload(size)),
        Job::EncodeAsClient(size) => encode(Role::Client, Kind::Binary.payload(size)),
        Job::Handshake => handshake(),
    })
}

/// The core, with a buffer of 64 KiB, which long messages don't fit into.
pub fn through_reads(job: Job) -> Option<Run> {
    match job {
        Job::Decode(..) => Some(decode(Feed::new(job), 64 * 1024)),
        _ => None,
    }
}

/// `WebSocket::read`, and messages that own their bytes.
pub fn owned(job: Job) -> Option<Run> {
    match job {
        Job::Decode(..) | Job::Ping | Job::Fragments => {
            let mut socket = Server::new().accept_over(Feed::behind_request(job)).ok()?;
            Some(Box::new(move |times| {
                for _ in 0..times {
                    let message = socket.read().expect("a correct peer").expect("no end");
                    black_box(message.len());
                }
            }))
        }
        Job::EncodeAsServer(size) => Some(encode_shared(Role::Server, size)),
        Job::EncodeAsClient(size) => Some(encode_shared(Role::Client, size)),
        Job::Handshake => None,
    }
}

/// The core, and messages that are written from where they lie.
pub fn lent(job: Job) -> Option<Run> {
    match job {
        Job::EncodeAsServer(size) => Some(encode_lent(Role::Server, size)),
        Job::EncodeAsClient(size) => Some(encode_lent(Role::Client, size)),
        _ => None,
    }
}

fn connection(role: Role) -> Connection {
    Connection::new(role, Config::default().max_outgoing_size(usize::MAX))
}

fn decode(mut feed: Feed, size: usize) -> Run {
    let mut connection = connection(Role::Server);
    let mut buffer = vec![0; size];
    let (mut start, mut end) = (0, 0);
    Box::new(move |times| {
        let mut left = times;
        while left > 0 {
            if start == end {
                (start, end) = (0, feed.read(&mut buffer).expect("no end"));
            }
            let mut input = &mut buffer[start..end];
            while left > 0 {
                match connection.next_event(&mut input).expect("a correct peer") {
                    Some(Event::Message(message)) => {
                        black_box(message.len());
                        left -= 1;
                    }
                    Some(_) => {}
                    None => break,
                }
            }
            start = end - input.len();
            write(connection.outgoing());
        }
    })
}

fn encode(role: Role, payload: Vec<u8>) -> Run {
    let size = payload.len();
    let mut connection = connection(role);
    Box::new(move |times| {
        for index in 1..=times {
            connection.send(black_box(&payload[..])).expect("open");
            if is_batch(index, size) {
                write(connection.outgoing());
            }
        }
        write(connection.outgoing());
    })
}

fn encode_shared(role: Role, size: usize) -> Run {
    let payload = Bytes::from(Kind::Binary.payload(size));
    let mut connection = connection(role);
    Box::new(move |times| {
        for index in 1..=times {
            connection.send(Message::from(black_box(&payload).clone())).expect("open");
            if is_batch(index, size) {
                write(connection.outgoing());
            }
        }
        write(connection.outgoing());
    })
}

fn encode_lent(role: Role, size: usize) -> Run {
    let payload = Kind::Binary.payload(size);
    let mut connection = connection(role);
    Box::new(move |times| {
        for _ in 0..times {
            write(&mut connection.lend(black_box(&payload[..])).expect("open"));
        }
    })
}

/// As a vectored write would take it.
fn write(outgoing: &mut impl Buf) {
    while outgoing.has_remaining() {
        let mut slices = [IoSlice::new(&[]); 16];
        let count = outgoing.chunks_vectored(&mut slices);
        let written = black_box(&slices[..count]).iter().map(|slice| slice.len()).sum();
        outgoing.advance(written);
    }
}

fn handshake() -> Run {
    let request = Feed::new(Job::Handshake);
    let mut buffer = vec![0; 4096];
    Box::new(move |times| {
        for _ in 0..times {
            let count = request.clone().read(&mut buffer).expect("no end");
            let mut input = &mut buffer[..count];
            let mut handshake = ServerHandshake::default();
            let answer = handshake
                .receive_head(&mut input, |request| request.negotiate(|_| Decision::accept()));
            match answer.expect("valid").expect("whole") {
                Ok(Answer::Accepted(mut accepted)) => {
                    let length = black_box(accepted.outgoing().chunk()).len();
                    accepted.outgoing().advance(length);
                    black_box(accepted.into_connection(Config::default()));
                }
                other => panic!("no connection but {other:?}"),
            }
        }
    })
}
