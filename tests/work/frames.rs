//! Frames and messages: cut into bytes, in fragments of a byte or none, answered and not taken.

use bytes::Buf;
use sansocket::frame::{FrameHeader, MaskingKey, Opcode, Rsv};
use sansocket::{Config, Connection, Delivery, Event, Role};

use crate::{ROLES, size};

/// A frame as this role sends it, its payload repeating one byte.
pub(crate) fn frame(sender: Role, fin: bool, opcode: Opcode, payload_len: usize) -> Vec<u8> {
    let mask = (sender == Role::Client).then_some(MaskingKey::new([1, 2, 3, 4]));
    let payload_len = payload_len as u64;
    let header = FrameHeader { fin, rsv: Rsv::NONE, opcode, mask, payload_len };
    let mut frame = header.encode().as_ref().to_vec();
    let payload = vec![b'x'; usize::try_from(payload_len).unwrap()];
    match mask {
        Some(key) => key.append(&payload, &mut frame),
        None => frame.extend(payload),
    }
    frame
}

/// Receives the bytes in reads of this size; returns how many bytes of messages come out.
pub(crate) fn receive(connection: &mut Connection, bytes: &mut [u8], read: usize) -> usize {
    let mut received = 0;
    for mut input in bytes.chunks_mut(read) {
        while let Some(event) = connection.next_event(&mut input).unwrap() {
            received += match event {
                Event::Message(message) => message.len(),
                Event::Chunk(chunk) => chunk.piece.len(),
                _ => 0,
            };
        }
    }
    received
}

/// A connection for each role and delivery.
fn connections() -> impl Iterator<Item = Connection> {
    ROLES.into_iter().flat_map(|role| {
        [Delivery::Messages, Delivery::Chunks].map(|delivery| {
            let config = Config::default().delivery(delivery).max_outgoing_size(usize::MAX);
            Connection::new(role, config)
        })
    })
}

#[test]
fn a_message_that_arrives_byte_by_byte() {
    for mut connection in connections() {
        for opcode in [Opcode::Text, Opcode::Binary] {
            let mut bytes = frame(connection.role().peer(), true, opcode, size());
            assert_eq!(receive(&mut connection, &mut bytes, 1), size());
        }
    }
}

#[test]
fn a_message_in_fragments_of_a_byte_and_of_none() {
    for mut connection in connections() {
        for payload_len in [0, 1] {
            let sender = connection.role().peer();
            let mut bytes = frame(sender, false, Opcode::Text, payload_len);
            let fragment = frame(sender, false, Opcode::Continuation, payload_len);
            bytes.extend(fragment.repeat(size()));
            bytes.extend(frame(sender, true, Opcode::Continuation, 0));
            assert_eq!(receive(&mut connection, &mut bytes, 7), payload_len * (size() + 1));
        }
    }
}

#[test]
fn pings_whose_answers_nobody_takes() {
    for mut connection in connections() {
        connection.send("waits").unwrap();
        let ping = frame(connection.role().peer(), true, Opcode::Ping, 1);
        let mut bytes = ping.repeat(size());
        receive(&mut connection, &mut bytes, 4096);
        assert!(connection.outgoing().remaining() < 8192);
    }
}

#[test]
fn pings_whose_answers_are_taken_byte_by_byte() {
    for mut connection in connections() {
        let ping = frame(connection.role().peer(), true, Opcode::Ping, 1);
        for mut ping in vec![ping; size() / 8] {
            receive(&mut connection, &mut ping, 4096);
            connection.outgoing().advance(1);
        }
    }
}

#[test]
fn small_messages_that_are_written_byte_by_byte() {
    for mut connection in connections() {
        for _ in 0..size() / 8 {
            connection.send("six by").unwrap();
        }
        while connection.outgoing().has_remaining() {
            connection.outgoing().advance(1);
        }
    }
}

#[test]
fn shared_payloads_that_are_written_byte_by_byte() {
    for mut connection in connections() {
        let payload = bytes::Bytes::from(vec![7; 2048]);
        for _ in 0..size() / 2048 {
            connection.send(payload.clone()).unwrap();
        }
        while connection.outgoing().has_remaining() {
            connection.outgoing().advance(1);
        }
    }
}
