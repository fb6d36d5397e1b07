//! §5.7, examples, byte for byte, in both directions.

use sansocket::{Config, Connection, Entropy, Role};

use crate::endpoint::{Endpoint, bytes_message, drain, message, ping_event, pong_event};
use crate::wire::pong;

const UNMASKED_HELLO: &[u8] = &[0x81, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F];
const MASKED_HELLO: &[u8] = &[0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58];
const HEL: &[u8] = &[0x01, 0x03, 0x48, 0x65, 0x6C];
const LO: &[u8] = &[0x80, 0x02, 0x6C, 0x6F];
const UNMASKED_PING: &[u8] = &[0x89, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F];
const MASKED_PONG: &[u8] = &[0x8A, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58];
const HEADER_OF_256: &[u8] = &[0x82, 0x7E, 0x01, 0x00];
const HEADER_OF_64_KIB: &[u8] = &[0x82, 0x7F, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00];

#[test]
fn a_single_frame_unmasked_text_message() {
    Endpoint::new(Role::Client)
        .receives_bytes(UNMASKED_HELLO)
        .assert_open(&[message("Hello")], &[]);
    assert_eq!(sent(Role::Server, |server| server.send("Hello").unwrap()), UNMASKED_HELLO);
}

#[test]
fn a_single_frame_masked_text_message() {
    Endpoint::new(Role::Server).receives_bytes(MASKED_HELLO).assert_open(&[message("Hello")], &[]);
    assert_eq!(sent(Role::Client, |client| client.send("Hello").unwrap()), MASKED_HELLO);
}

#[test]
fn a_fragmented_unmasked_text_message() {
    let bytes = [HEL, LO].concat();
    Endpoint::new(Role::Client).receives_bytes(&bytes).assert_open(&[message("Hello")], &[]);
    let in_fragments = |server: &mut Connection| {
        server.fragments().write("Hel").unwrap();
        server.fragments().finish("lo").unwrap();
    };
    assert_eq!(sent(Role::Server, in_fragments), bytes);
}

#[test]
fn an_unmasked_ping_and_its_masked_answer() {
    Endpoint::new(Role::Client)
        .receives_bytes(UNMASKED_PING)
        .assert_open(&[ping_event("Hello")], &[pong("Hello")]);
    Endpoint::new(Role::Server)
        .receives_bytes(MASKED_PONG)
        .assert_open(&[pong_event("Hello")], &[]);
    assert_eq!(sent(Role::Server, |server| server.ping(b"Hello").unwrap()), UNMASKED_PING);
    let answer = sent(Role::Client, |client| {
        let mut bytes = UNMASKED_PING.to_vec();
        client.next_event(&mut &mut bytes[..]).unwrap();
    });
    assert_eq!(answer, MASKED_PONG);
}

#[test]
fn a_binary_message_of_256_bytes() {
    let payload: Vec<u8> = (0..=u8::MAX).collect();
    let bytes = [HEADER_OF_256, &payload].concat();
    Endpoint::new(Role::Client).receives_bytes(&bytes).assert_open(&[bytes_message(&payload)], &[]);
    assert_eq!(sent(Role::Server, |server| server.send(&payload[..]).unwrap()), bytes);
}

#[test]
fn a_binary_message_of_64_kib() {
    let payload: Vec<u8> = (0..=u8::MAX).cycle().take(64 * 1024).collect();
    let bytes = [HEADER_OF_64_KIB, &payload].concat();
    Endpoint::new(Role::Client).receives_bytes(&bytes).assert_open(&[bytes_message(&payload)], &[]);
    assert_eq!(sent(Role::Server, |server| server.send(&payload[..]).unwrap()), bytes);
}

/// What an end sends, masked, if at all, with the key of the examples.
fn sent(role: Role, act: impl FnOnce(&mut Connection)) -> Vec<u8> {
    let key = Entropy::from_fn(|bytes| bytes.copy_from_slice(&[0x37, 0xFA, 0x21, 0x3D]));
    let mut connection = Connection::with_entropy(role, Config::default(), key);
    act(&mut connection);
    drain(&mut connection)
}
