//! Client and server in memory, from the first byte to the first message.

use bytes::Buf;
use http::header::{HeaderValue, SET_COOKIE};
use sansocket::{
    Config, Connection, Event, Message,
    handshake::{
        Acceptance, Answer, ClientHandshake, ClientRequest, Outcome, ServerHandshake, negotiate,
    },
};

/// All that is to be sent.
fn drain(outgoing: &mut impl Buf) -> Vec<u8> {
    outgoing.copy_to_bytes(outgoing.remaining()).to_vec()
}

fn expect_text(connection: &mut Connection, input: &mut [u8], expected: &str) {
    match connection.next_event(&mut &mut *input) {
        Ok(Some(Event::Message(Message::Text(text)))) => assert_eq!(&*text, expected),
        other => panic!("{other:?}"),
    }
}

#[test]
fn messages_that_came_with_the_handshake_are_the_first_of_the_connection() {
    let request = ClientRequest::new("ws://[::1]:9001?room=1".parse().unwrap());
    let request = request.subprotocol("b").unwrap().subprotocol("a").unwrap();
    let mut client = ClientHandshake::new(&request);
    let mut server = ServerHandshake::default();

    let mut bytes = drain(client.outgoing());
    let mut input = &mut bytes[..];
    let request = server.receive(&mut input).unwrap().unwrap();
    assert!(input.is_empty());
    assert_eq!(request.uri(), "/?room=1");
    assert_eq!(request.headers()["host"], "[::1]:9001");
    let answer = negotiate(&request, |_, upgrade| {
        Acceptance::new()
            .subprotocol(upgrade.unwrap().select_subprotocol(&["x", "a", "b"]))
            .header(SET_COOKIE, HeaderValue::from_static("a=1"))
            .into()
    });
    let Ok(Answer::Accepted(mut accepted)) = answer else { panic!("{answer:?}") };

    // The server greets in the same write as its response.
    let mut bytes = drain(accepted.outgoing());
    let mut server = accepted.into_connection(Config::default());
    server.send("welcome").unwrap();
    bytes.extend(drain(server.outgoing()));

    let mut input = &mut bytes[..];
    let Ok(Some(Outcome::Established(established))) = client.receive(&mut input) else { panic!() };
    assert_eq!(established.subprotocol(), Some("a"));
    assert_eq!(established.response().headers()["set-cookie"], "a=1");
    let mut client = established.into_connection(Config::default());
    expect_text(&mut client, input, "welcome");

    client.send("hello").unwrap();
    expect_text(&mut server, &mut drain(client.outgoing()), "hello");
}
