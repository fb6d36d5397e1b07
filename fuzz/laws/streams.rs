//! What is written to a message or a byte stream is on the wire, and what is on the wire is read from them,
//! in whatever pieces the application and the transport take and give it.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::rc::Rc;

use sansocket::blocking::{ByteStream, Client, Error, Server, WebSocket};
use sansocket::handshake::SecWebSocketKey;
use sansocket::{Config, Delivery, Entropy, MessageKind, Role};

use super::payload;
use super::reference::{BINARY, CONTINUATION, Frame, PING, Reader, TEXT};
use super::script::{Script, pieces};
use super::setup::Setup;
use super::transcript::Seen;

/// The input is a byte for the role and the delivery, how the transport cuts, how the application does, and
/// messages: a kind and a size each.
pub fn law(data: &[u8]) {
    let mut script = Script(data);
    let bits = script.byte();
    let role = if bits & 1 == 0 { Role::Server } else { Role::Client };
    let delivery = if bits & 2 == 0 { Delivery::Messages } else { Delivery::Chunks };
    let setup = Setup::new(role).with_delivery(delivery);
    let (transport, application) = (script.cuts(), script.cuts());
    let mut messages = Vec::new();
    while !script.is_empty() && messages.len() < MOST_MESSAGES {
        let kind = payload::kind(script.byte());
        messages.push((kind, payload::size(&mut script)));
    }
    what_is_written_is_on_the_wire(setup, &messages, &transport, &application);
    what_is_on_the_wire_is_read(setup, &messages, &transport, &application);
}

/// More than this only takes more time.
const MOST_MESSAGES: usize = 12;

/// Messages that are written in pieces of the sizes `application`, to a transport that takes pieces of the
/// sizes `transport`, are frames of which the reference makes the same messages; and so are the bytes
/// of a byte stream, put together.
pub fn what_is_written_is_on_the_wire(
    setup: Setup,
    messages: &[(MessageKind, usize)],
    transport: &[usize],
    application: &[usize],
) {
    let messages = contents(messages);
    let wire = Wire::new(transport);
    let mut socket = open(setup, &wire);
    for (kind, message) in &messages {
        let mut writer = socket.message(*kind);
        write_in_pieces(&mut writer, message, application);
        writer.finish().unwrap();
    }
    let mut reader = Reader::of_output(setup);
    reader.read(&wire.written()).expect("frames that the peer understands");
    assert!(reader.is_between_frames());
    let seen: Vec<_> = messages.iter().map(|(kind, bytes)| Seen::Message(*kind, bytes.clone())).collect();
    assert_eq!(reader.seen, seen);

    let mut stream = ByteStream::new(socket);
    for (_, message) in &messages {
        write_in_pieces(&mut stream, message, application);
        stream.flush().unwrap();
    }
    reader.read(&wire.written()).expect("frames that the peer understands");
    assert!(reader.is_between_frames());
    let bytes = reader.seen[seen.len()..].iter().flat_map(|seen| match seen {
        Seen::Message(MessageKind::Binary, bytes) => bytes,
        other => panic!("{other:?} of a byte stream"),
    });
    let all = messages.iter().flat_map(|(_, bytes)| bytes);
    assert!(bytes.eq(all), "the bytes of the stream");
}

/// Messages that arrive in fragments with Pings between them, in reads of the sizes `transport`, are read in
/// pieces of the sizes `application` as they are, and are a byte stream if they are binary. At the end
/// of the transport there is an error, and no shorter message.
pub fn what_is_on_the_wire_is_read(
    setup: Setup,
    messages: &[(MessageKind, usize)],
    transport: &[usize],
    application: &[usize],
) {
    let messages = contents(messages);
    let wire = Wire::new(transport);
    let mut socket = open(setup, &wire);
    for (kind, message) in &messages {
        wire.arrives(&in_fragments(setup.role.peer(), *kind, message, application));
    }
    wire.arrives(&unfinished(setup.role.peer()));
    for (kind, expected) in &messages {
        let mut message = again(|| socket.next_message().map(|message| message.is_some()));
        assert!(message.is_some_and(|is_there| is_there));
        let _ = (kind, expected, &mut message);
    }
}
