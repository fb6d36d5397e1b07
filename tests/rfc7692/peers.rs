//! From the opening handshake to messages, both ends in memory.
#![cfg(feature = "handshake")]

use bytes::Buf;
use sansocket::extension::{Deflate, DeflateResponseError};
use sansocket::handshake::{
    Acceptance, Accepted, Answer, ClientHandshake, ClientRequest, Established, Outcome,
    ResponseError, ServerHandshake, negotiate,
};
use sansocket::{Config, Message};

use crate::section_5::bits;
use crate::wire;

fn request(deflate: Option<&Deflate>) -> ClientRequest {
    let request = ClientRequest::new("ws://example.com/".parse().expect("a URI"));
    match deflate {
        Some(deflate) => request.deflate(deflate),
        None => request,
    }
}

fn accepted(request: &[u8], deflate: Option<&Deflate>) -> Accepted {
    let mut bytes = request.to_vec();
    let request =
        ServerHandshake::default().receive(&mut &mut bytes[..]).expect("valid").expect("whole");
    let answer = negotiate(&request, |_, _| match deflate {
        Some(deflate) => Acceptance::new().deflate(deflate).into(),
        None => Acceptance::new().into(),
    });
    match answer.expect("a decision") {
        Answer::Accepted(accepted) => accepted,
        Answer::Refused(refusal) => panic!("{:?}", refusal.response()),
    }
}

fn established(mut client: ClientHandshake, response: &[u8]) -> Result<Established, ResponseError> {
    let mut bytes = response.to_vec();
    match client.receive(&mut &mut bytes[..])?.expect("whole") {
        Outcome::Established(established) => Ok(established),
        Outcome::Rejected(rejection) => panic!("{:?}", rejection.response()),
    }
}

#[test]
fn both_ends_end_up_with_the_same_parameters_and_compress() {
    let client = Deflate::default().server_no_context_takeover();
    let server = Deflate::default().client_max_window_bits(bits(10));
    let mut handshake = ClientHandshake::new(&request(Some(&client)));
    let mut accepted = accepted(handshake.outgoing().chunk(), Some(&server));
    let response = accepted.response();
    assert_eq!(
        response.headers()["sec-websocket-extensions"],
        "permessage-deflate; server_no_context_takeover; client_max_window_bits=10"
    );
    let bytes = accepted.outgoing().to_vec();
    let established = established(handshake, &bytes).expect("a valid answer");
    assert_eq!(established.deflate(), accepted.deflate());
    let mut client = established.into_connection(Config::default());
    let mut server = accepted.into_connection(Config::default());
    let text = "there and back again, ".repeat(20);
    client.send(&*text).expect("open");
    let bytes = wire::take_outgoing(&mut client);
    assert_eq!((bytes[0], bytes.len() < 100), (0xC1, true));
    assert_eq!(wire::receive(&mut server, &bytes, 10), (vec![Message::from(&*text)], None));
    server.send(&*text).expect("open");
    let bytes = wire::take_outgoing(&mut server);
    assert_eq!((bytes[0], bytes.len() < 100), (0xC1, true));
    assert_eq!(wire::receive(&mut client, &bytes, 10), (vec![Message::from(&*text)], None));
}

#[test]
fn nothing_is_compressed_unless_both_ends_want_it() {
    let deflate = Deflate::default();
    for (client, server) in [(None, None), (Some(&deflate), None), (None, Some(&deflate))] {
        let mut handshake = ClientHandshake::new(&request(client));
        let mut accepted = accepted(handshake.outgoing().chunk(), server);
        assert!(!accepted.response().headers().contains_key("sec-websocket-extensions"));
        let bytes = accepted.outgoing().to_vec();
        let established = established(handshake, &bytes).expect("a valid answer");
        assert_eq!((established.deflate(), accepted.deflate()), (None, None));
        let mut connection = established.into_connection(Config::default());
        connection.send("a".repeat(1000)).expect("open");
        assert_eq!(wire::sent(&mut connection)[0].0, 0x81);
    }
}

/// What a client makes of this field in an otherwise correct response.
fn answered(deflate: Option<&Deflate>, field: &str) -> Result<Established, ResponseError> {
    let mut handshake = ClientHandshake::new(&request(deflate));
    let response = accepted(handshake.outgoing().chunk(), None).outgoing().to_vec();
    let head = response.strip_suffix(b"\r\n").expect("a blank line");
    let field = format!("Sec-WebSocket-Extensions: {field}\r\n\r\n");
    established(handshake, &[head, field.as_bytes()].concat())
}

#[test]
fn an_answer_that_does_not_correspond_to_the_offer_fails_the_handshake() {
    let deflate = Deflate::default();
    assert!(answered(Some(&deflate), "permessage-deflate").is_ok());
    let unrequested = |name: &str| ResponseError::UnrequestedExtension(name.to_owned());
    for (deflate, field, expected) in [
        (None, "permessage-deflate", unrequested("permessage-deflate")),
        (Some(&deflate), "permessage-bzip2", unrequested("permessage-bzip2")),
        (Some(&deflate), "permessage-deflate, x", unrequested("x")),
        (
            Some(&deflate),
            "permessage-deflate, permessage-deflate",
            unrequested("permessage-deflate"),
        ),
        (Some(&deflate), "permessage-deflate;", ResponseError::Extensions),
        (
            Some(&deflate),
            "permessage-deflate; mux",
            DeflateResponseError::Unknown("mux".into()).into(),
        ),
        (
            Some(&deflate),
            "permessage-deflate; client_max_window_bits",
            DeflateResponseError::InvalidValue("client_max_window_bits").into(),
        ),
    ] {
        assert_eq!(answered(deflate, field).err(), Some(expected), "{field}");
    }
}
