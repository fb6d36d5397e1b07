//! However the bytes are cut, the outcome is the same.

use std::slice::from_ref;

use proptest::{collection::vec, prelude::*, sample::Index};
use sansocket::handshake::{Answer, Decision, Outcome, ServerHandshake, negotiate};

use crate::peer::{client, request, response};

/// The bytes in pieces that end at these places.
fn cut(bytes: &[u8], places: &[Index]) -> Vec<Vec<u8>> {
    let mut ends: Vec<_> = places.iter().map(|place| place.index(bytes.len() + 1)).collect();
    ends.push(bytes.len());
    ends.sort_unstable();
    let mut start = 0;
    ends.into_iter().map(|end| bytes[std::mem::replace(&mut start, end)..end].to_vec()).collect()
}

/// What a server makes of the pieces: its answer, and what it leaves after the head. It is the same
/// when the request is answered where it lies.
fn serve(pieces: &[Vec<u8>]) -> String {
    let served = serve_value(pieces);
    assert!(served.ends_with(&serve_in_place(pieces)), "{served}");
    served
}

fn serve_in_place(pieces: &[Vec<u8>]) -> String {
    let mut server = ServerHandshake::default();
    for mut piece in pieces.iter().cloned() {
        let answer = server.receive_head(&mut &mut piece[..], |request| {
            // A head that the types of `http` can't hold doesn't get this far.
            request.to_request().unwrap();
            request.negotiate(|_| Decision::accept()).unwrap()
        });
        match answer {
            Ok(None) => {}
            Ok(Some(Answer::Accepted(mut accepted))) => {
                return format!("answered with {:?}", accepted.outgoing());
            }
            Ok(Some(Answer::Refused(mut refusal))) => {
                return format!("answered with {:?}", refusal.outgoing());
            }
            Err(error) => return format!("{error:?}"),
        }
    }
    "incomplete".into()
}

fn serve_value(pieces: &[Vec<u8>]) -> String {
    let mut server = ServerHandshake::default();
    let mut pieces = pieces.iter().cloned();
    while let Some(mut piece) = pieces.next() {
        let mut input = &mut piece[..];
        match server.receive(&mut input) {
            Ok(None) => assert!(input.is_empty()),
            Ok(Some(request)) => {
                let left = input.iter().copied().chain(pieces.flatten()).collect::<Vec<u8>>();
                let outgoing = match negotiate(&request, |_, _| Decision::accept()).unwrap() {
                    Answer::Accepted(mut accepted) => accepted.outgoing().clone(),
                    Answer::Refused(mut refusal) => refusal.outgoing().clone(),
                };
                return format!("{request:?} behind it {left:?}, answered with {outgoing:?}");
            }
            Err(error) => return format!("{error:?}"),
        }
    }
    "incomplete".into()
}

/// What a client makes of the pieces.
fn connect(pieces: &[Vec<u8>]) -> String {
    let mut client = client(&["a"]);
    let mut pieces = pieces.iter().cloned();
    while let Some(mut piece) = pieces.next() {
        let mut input = &mut piece[..];
        match client.receive(&mut input) {
            Ok(None) => assert!(input.is_empty()),
            Ok(Some(Outcome::Established(established))) => {
                let left = input.iter().copied().chain(pieces.flatten()).collect::<Vec<u8>>();
                return format!("{:?} {left:?}", established.response());
            }
            Ok(Some(Outcome::Rejected(mut rejection))) => {
                rejection.receive(&mut input);
                for mut piece in pieces {
                    rejection.receive(&mut &mut piece[..]);
                }
                return format!("{:?} {}", rejection.response(), rejection.is_complete());
            }
            Err(error) => return format!("{error:?}"),
        }
    }
    "incomplete".into()
}

#[test]
fn a_head_that_arrives_byte_by_byte_is_the_same_up_to_the_limit() {
    let padding = "x".repeat(16 * 1024 - request("", "X: ").len());
    let bytes = request("", &format!("X: {padding}")).into_bytes();
    assert_eq!(bytes.len(), 16 * 1024);
    let pieces: Vec<_> = bytes.iter().map(|byte| vec![*byte]).collect();
    assert_eq!(serve(&pieces), serve(&[bytes]));
}

#[test]
fn a_head_may_be_cut_at_any_one_place() {
    for bytes in [request("", "") + "frames", response("", "Sec-WebSocket-Protocol: a") + "frames"]
    {
        for place in 0..=bytes.len() {
            let (first, second) = bytes.as_bytes().split_at(place);
            let pieces = [first.to_vec(), second.to_vec()];
            assert_eq!(serve(&pieces), serve(&[bytes.clone().into()]));
            assert_eq!(connect(&pieces), connect(&[bytes.clone().into()]));
        }
    }
}

/// Heads, and what resembles them.
fn heads() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just("GET / HTTP/1.1\r\n"),
        Just("HTTP/1.1 101 X\r\n"),
        Just("HTTP/1.1 100 X\r\n\r\n"),
        Just("HTTP/1.1 403 X\r\n"),
        Just("Host: a\r\n"),
        Just("Upgrade: websocket\r\n"),
        Just("Connection: Upgrade\r\n"),
        Just("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
        Just("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"),
        Just("Sec-WebSocket-Version: 13\r\n"),
        Just("Sec-WebSocket-Extensions: a; b=\"c\\d\"\r\n"),
        Just("Content-Length: 3\r\n"),
        Just("Transfer-Encoding: chunked\r\n"),
        Just("\r\n"),
        Just("\r"),
        Just("\n"),
        Just(" "),
        Just("2\r\nab\r\n"),
        Just("0\r\n"),
        Just("a:"),
        Just("\0"),
        Just("\u{fc}"),
    ];
    vec(piece, 0..24).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #[test]
    fn a_valid_head_is_the_same_in_all_pieces(places in vec(any::<Index>(), 0..12)) {
        let bytes = request("", "X: y").into_bytes();
        prop_assert_eq!(serve(&cut(&bytes, &places)), serve(&[bytes]));
        let bytes = response("", "Sec-WebSocket-Protocol: a").into_bytes();
        prop_assert_eq!(connect(&cut(&bytes, &places)), connect(&[bytes]));
    }

    #[test]
    fn what_resembles_a_head_is_the_same_in_all_pieces(
        bytes in heads(),
        places in vec(any::<Index>(), 0..12),
    ) {
        prop_assert_eq!(serve(&cut(&bytes, &places)), serve(from_ref(&bytes)));
        prop_assert_eq!(connect(&cut(&bytes, &places)), connect(&[bytes]));
    }

    #[test]
    fn any_bytes_are_the_same_in_all_pieces_and_never_panic(
        bytes in vec(any::<u8>(), 0..256),
        places in vec(any::<Index>(), 0..12),
    ) {
        prop_assert_eq!(serve(&cut(&bytes, &places)), serve(from_ref(&bytes)));
        prop_assert_eq!(connect(&cut(&bytes, &places)), connect(&[bytes]));
    }
}
