//! What an opening handshake allocates: from having the bytes of the peer's head to having the bytes
//! that answer it, and the connection.

use bytes::Buf;
use sansocket::handshake::{
    Acceptance, Answer, ClientHandshake, ClientRequest, Outcome, ServerHandshake, negotiate,
};
use sansocket::{Config, Connection};

use crate::browser_request::REQUEST;
use crate::warm_up_entropy;

/// The target and the response.
const SERVER: u64 = 2;

/// How often something allocates, and what it makes.
fn allocations<T>(make: impl FnOnce() -> T) -> (u64, T) {
    let mut outcome = None;
    let info = allocation_counter::measure(|| outcome = Some(make()));
    (info.count_total, outcome.unwrap())
}

fn open(answer: Answer) -> Connection {
    let Answer::Accepted(mut accepted) = answer else { panic!("refused") };
    let length = accepted.outgoing().chunk().len();
    accepted.outgoing().advance(length);
    accepted.into_connection(Config::default())
}

/// A server that answers the head where it lies, given in these pieces.
fn serve(pieces: &mut [Vec<u8>]) -> Connection {
    let mut handshake = ServerHandshake::default();
    for piece in pieces {
        let answer = handshake.receive_head(&mut &mut piece[..], |request| {
            request.negotiate(|upgrade| {
                assert_eq!((request.uri().path(), upgrade.is_ok()), ("/chat", true));
                Acceptance::new().into()
            })
        });
        if let Some(answer) = answer.unwrap() {
            return open(answer.unwrap());
        }
    }
    panic!("an incomplete head");
}

/// The same request with this many further headers.
fn with_headers(count: usize) -> Vec<u8> {
    let head = REQUEST.strip_suffix(b"\r\n").unwrap();
    [head, &b"X-Further: header\r\n".repeat(count), b"\r\n"].concat()
}

#[test]
fn a_server_allocates_for_the_target_and_the_response_and_for_nothing_else() {
    warm_up_entropy();
    for headers in [0, 20, 50] {
        let mut pieces = [with_headers(headers)];
        assert_eq!(allocations(|| serve(&mut pieces)).0, SERVER, "{headers} more headers");
    }
}

#[test]
fn a_field_on_several_lines_is_one_more() {
    warm_up_entropy();
    let head = REQUEST.strip_suffix(b"\r\n").unwrap();
    let mut pieces = [[head, b"Connection: a\r\n", b"\r\n"].concat()];
    assert_eq!(allocations(|| serve(&mut pieces)).0, SERVER + 1);
}

#[test]
fn a_server_allocates_once_more_for_very_many_headers() {
    warm_up_entropy();
    let mut pieces = [with_headers(80)];
    assert_eq!(allocations(|| serve(&mut pieces)).0, SERVER + 1);
}

#[test]
fn a_server_allocates_once_more_for_each_time_that_a_head_in_pieces_outgrows_its_storage() {
    warm_up_entropy();
    let mut pieces: Vec<_> = REQUEST.chunks(1).map(<[u8]>::to_vec).collect();
    let doublings = u64::from(REQUEST.len().next_power_of_two().ilog2());
    assert!(allocations(|| serve(&mut pieces)).0 <= SERVER + doublings);
    let mut pieces = REQUEST.split_at(100);
    let mut pieces = [std::mem::take(&mut pieces.0).to_vec(), pieces.1.to_vec()];
    assert_eq!(allocations(|| serve(&mut pieces)).0, SERVER + 2);
}

#[test]
fn a_request_as_a_value_is_a_copy_of_the_head_and_a_map_more() {
    warm_up_entropy();
    let mut bytes = REQUEST.to_vec();
    let (count, _) = allocations(|| {
        let mut handshake = ServerHandshake::default();
        let request = handshake.receive(&mut &mut bytes[..]).unwrap().unwrap();
        open(negotiate(&request, |_, _| Acceptance::new().into()).unwrap())
    });
    // The copy, reference counts for it and for the target, and two tables.
    assert_eq!(count, SERVER + 5);
}

#[test]
fn a_client_allocates_for_the_request_and_for_the_response() {
    warm_up_entropy();
    let request = ClientRequest::new("ws://example.com:8080/chat".parse().unwrap());
    let (count, mut handshake) = allocations(|| {
        let mut handshake = ClientHandshake::new(&request);
        assert!(!handshake.outgoing().is_empty());
        handshake
    });
    assert_eq!(count, 1, "the request");

    let mut sent = handshake.outgoing().to_vec();
    let mut server = ServerHandshake::default();
    let answer = server.receive_head(&mut &mut sent[..], |request| {
        request.negotiate(|_| Acceptance::new().into())
    });
    let Ok(Some(Ok(Answer::Accepted(mut accepted)))) = answer else { panic!("{answer:?}") };
    let mut response = accepted.outgoing().to_vec();
    let (count, _) = allocations(|| match handshake.receive(&mut &mut response[..]).unwrap() {
        Some(Outcome::Established(established)) => established.into_connection(Config::default()),
        other => panic!("{other:?}"),
    });
    assert_eq!(count, 4, "the response");
}
