//! §5.6, data frames: text is UTF-8, binary is any bytes, and nothing else is data.

use sansocket::{Config, Connection, Event, Message, MessageKind, Payload, Role, Text};

use crate::endpoint::{Endpoint, ROLES, bytes_message, drain_frames, message};
use crate::wire::{binary, text};

#[test]
fn a_text_frame_is_a_text_message() {
    for role in ROLES {
        for payload in ["", "text", "Ελληνικά 日本語 😀", "\0"] {
            let outcome = Endpoint::new(role).receives(&[text(payload)]);
            outcome.assert_open(&[message(payload)], &[]);
        }
    }
}

#[test]
fn a_binary_frame_is_a_binary_message_of_any_bytes() {
    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    for role in ROLES {
        for payload in [&b""[..], b"could be text", &[0xFF], &every_byte] {
            let outcome = Endpoint::new(role).receives(&[binary(payload)]);
            outcome.assert_open(&[bytes_message(payload)], &[]);
        }
    }
}

#[test]
fn messages_keep_their_kind_and_order() {
    for role in ROLES {
        let outcome =
            Endpoint::new(role).echoing().receives(&[text("1"), binary("2"), text("3"), text("")]);
        outcome.assert_open(
            &[message("1"), bytes_message("2"), message("3"), message("")],
            &[text("1"), binary("2"), text("3"), text("")],
        );
    }
}

#[test]
fn every_type_of_bytes_and_text_is_sent_as_its_kind() {
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default());
        connection.send("str").unwrap();
        connection.send(String::from("String")).unwrap();
        connection.send(Text::from("Text")).unwrap();
        connection.send(b"array").unwrap();
        connection.send(&b"slice"[..]).unwrap();
        connection.send(b"Vec".to_vec()).unwrap();
        connection.send(bytes::Bytes::from_static(b"Bytes")).unwrap();
        connection.send(Payload::from(b"Payload")).unwrap();
        let sent = [
            text("str"),
            text("String"),
            text("Text"),
            binary("array"),
            binary("slice"),
            binary("Vec"),
            binary("Bytes"),
            binary("Payload"),
        ];
        assert_eq!(drain_frames(&mut connection), sent);
    }
}

#[test]
fn a_message_that_lies_whole_in_the_input_is_borrowed_from_it() {
    for role in ROLES {
        for frame in [text("borrowed"), binary("borrowed")] {
            let mut connection = Connection::new(role, Config::default());
            let mut buffer = frame.sent_by(role.peer());
            let payload_at = buffer.len() - "borrowed".len();
            let expected = buffer[payload_at..].as_ptr();
            let mut input = &mut buffer[..];
            let Some(Event::Message(message)) = connection.next_event(&mut input).unwrap() else {
                panic!("a message");
            };
            assert_eq!(message.as_bytes(), b"borrowed");
            assert_eq!(message.as_bytes().as_ptr(), expected);
        }
    }
}

#[test]
fn what_was_received_can_be_sent_at_once() {
    // It compiles: a message borrows the input, never the connection.
    let mut server = Connection::new(Role::Server, Config::default());
    let mut buffer = text("echo").sent_by(Role::Client);
    let mut input = &mut buffer[..];
    while let Some(event) = server.next_event(&mut input).unwrap() {
        if let Event::Message(message) = event {
            assert_eq!(message.kind(), MessageKind::Text);
            server.send(message).unwrap();
        }
    }
    assert_eq!(drain_frames(&mut server), [text("echo")]);
}

#[test]
fn a_message_knows_its_kind() {
    assert_eq!(Message::from("text").kind(), MessageKind::Text);
    assert_eq!(Message::from("text").as_text(), Some("text"));
    assert_eq!(Message::from(b"bytes").kind(), MessageKind::Binary);
    assert_eq!(Message::from(b"bytes").as_text(), None);
    assert_ne!(Message::from("same"), Message::from(b"same"));
}

#[test]
fn a_payload_and_a_text_are_compared_and_taken_as_what_they_hold() {
    let payload = Payload::from(b"bytes");
    assert_eq!(payload, Payload::from(b"bytes".to_vec()));
    assert_ne!(payload, Payload::from(b"other"));
    assert_ne!(Text::from("text"), Text::from("other"));
    assert_ne!(Text::from("text"), "other");
    assert_ne!(Text::from("text"), *"other");
    assert_eq!(payload, *b"bytes");
    assert_ne!(payload, *b"other");
    assert_eq!(payload, b"bytes"[..]);
    assert_ne!(payload, b"byte"[..]);
    assert_eq!(AsRef::<[u8]>::as_ref(&payload), b"bytes");
    for text in [Text::from("text"), Text::from(String::from("text"))] {
        assert_eq!(AsRef::<str>::as_ref(&text), "text");
        assert_eq!(String::from(text), "text");
    }
}
