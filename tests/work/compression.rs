//! Compressed messages: cut into bytes and fragments, and made of blocks that hold nothing.

use bytes::Buf;
use sansocket::extension::{
    AgreedDeflate, ContextTakeover, Deflate, DeflateParameters, SenderParameters,
};
use sansocket::frame::{FrameHeader, MaskingKey, Opcode, Rsv};
use sansocket::{Config, Connection, Delivery, Role};

use crate::frames::receive;
use crate::{ROLES, size};

fn agreed() -> AgreedDeflate {
    let sender = SenderParameters { context_takeover: ContextTakeover::Yes, max_window_bits: None };
    Deflate::default().agree(DeflateParameters { server: sender, client: sender })
}

fn connections() -> impl Iterator<Item = Connection> {
    ROLES.into_iter().flat_map(|role| {
        [Delivery::Messages, Delivery::Chunks].map(|delivery| {
            Connection::new(role, Config::default().delivery(delivery)).with_deflate(&agreed())
        })
    })
}

/// A compressed message of this payload, in fragments of this size.
fn message(sender: Role, payload: &[u8], fragment: usize) -> Vec<u8> {
    let mask = (sender == Role::Client).then_some(MaskingKey::new([1, 2, 3, 4]));
    let count = payload.len().div_ceil(fragment);
    let mut bytes = Vec::new();
    for (at, payload) in payload.chunks(fragment).enumerate() {
        let header = FrameHeader {
            fin: at + 1 == count,
            rsv: if at == 0 { Rsv::RSV1 } else { Rsv::NONE },
            opcode: if at == 0 { Opcode::Binary } else { Opcode::Continuation },
            mask,
            payload_len: payload.len() as u64,
        };
        bytes.extend_from_slice(header.encode().as_ref());
        match mask {
            Some(key) => key.append(payload, &mut bytes),
            None => bytes.extend_from_slice(payload),
        }
    }
    bytes
}

/// Bytes in which there is little to refer back to.
fn noise() -> Vec<u8> {
    let mut state = 1_u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 25) as u8
    };
    (0..size()).map(next).collect()
}

#[test]
fn a_compressed_message_that_arrives_byte_by_byte() {
    for mut connection in connections() {
        let mut peer =
            Connection::new(connection.role().peer(), Config::default()).with_deflate(&agreed());
        peer.send(noise()).unwrap();
        let outgoing = peer.outgoing();
        let mut bytes = outgoing.copy_to_bytes(outgoing.remaining()).to_vec();
        assert_eq!(receive(&mut connection, &mut bytes, 1), size());
    }
}

#[test]
fn blocks_of_nothing_in_fragments_of_a_byte() {
    for mut connection in connections() {
        let payload = [b"\x00\x00\x00\xff\xff".repeat(size() / 5), b"\x00".to_vec()].concat();
        let mut bytes = message(connection.role().peer(), &payload, 1);
        assert_eq!(receive(&mut connection, &mut bytes, 5), 0);
    }
}

#[test]
fn blocks_with_bfinal_and_nothing_in_them() {
    for mut connection in connections() {
        // A full window, which has to be set up anew after each block.
        let mut window =
            Connection::new(connection.role().peer(), Config::default()).with_deflate(&agreed());
        window.send(vec![7; 40_000]).unwrap();
        let outgoing = window.outgoing();
        let mut bytes = outgoing.copy_to_bytes(outgoing.remaining()).to_vec();
        let payload = [b"\x03\x00".repeat(size() / 64), b"\x00".to_vec()].concat();
        bytes.extend(message(connection.role().peer(), &payload, payload.len()));
        assert_eq!(receive(&mut connection, &mut bytes, 4096), 40_000);
    }
}

#[test]
fn messages_that_end_at_a_block_with_bfinal() {
    for mut connection in connections() {
        // A block of a byte, and the window to be set up anew after it.
        let one = message(connection.role().peer(), b"\x4b\x04\x00\x00", 4);
        let mut bytes = one.repeat(size() / 64);
        assert_eq!(receive(&mut connection, &mut bytes, 4096), size() / 64);
    }
}

#[test]
fn a_message_of_fragments_that_are_flushed_one_by_one() {
    for mut connection in connections() {
        for _ in 0..size() / 64 {
            connection.fragments().write(&b"x"[..]).unwrap();
            connection.outgoing().advance(usize::MAX);
        }
        connection.fragments().finish(&b""[..]).unwrap();
    }
}
