//! §5.3, client-to-server masking: octet i of the payload with octet i modulo 4 of a fresh key.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use sansocket::{Config, Connection, Entropy, PreparedMessage, Role};

use crate::endpoint::{Endpoint, bytes_message, drain, feed};
use crate::wire::{self, binary, keys_of_client};

/// A source whose n-th draw, counted from one, repeats n four times.
fn counting() -> (Entropy, Arc<AtomicU8>) {
    let draws = Arc::new(AtomicU8::new(0));
    let counted = Arc::clone(&draws);
    let entropy = Entropy::from_fn(move |bytes| {
        assert_eq!(bytes.len(), 4, "a masking key has 32 bits");
        bytes.fill(counted.fetch_add(1, Ordering::Relaxed) + 1);
    });
    (entropy, draws)
}

/// Sends a frame of every kind, and some more.
fn send_everything(connection: &mut Connection) {
    let prepared = PreparedMessage::new("to everybody");
    connection.send("text").unwrap();
    connection.send(vec![0; 100_000]).unwrap();
    connection.send("").unwrap();
    connection.send_prepared(&prepared).unwrap();
    connection.send_prepared(&prepared).unwrap();
    connection.fragments().write("frag").unwrap();
    connection.ping(b"").unwrap();
    connection.fragments().finish("ments").unwrap();
    connection.pong(b"").unwrap();
    feed(connection, &[wire::ping("asked")]);
    connection.close(None);
}

#[test]
fn octet_i_is_masked_with_octet_i_modulo_4_of_the_key() {
    let key = [0x12, 0x34, 0x56, 0x78];
    let longest: &[usize] = if cfg!(miri) { &[] } else { &[65_536, 200_003] };
    for &length in [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 125, 126, 1000].iter().chain(longest) {
        let entropy = Entropy::from_fn(move |bytes| bytes.copy_from_slice(&key));
        let mut client = Connection::with_entropy(Role::Client, Config::default(), entropy);
        let payload: Vec<u8> = (0..=u8::MAX).cycle().take(length).collect();
        client.send(&payload[..]).unwrap();
        assert_eq!(drain(&mut client), binary(&payload).masked_with(key), "{length}");
    }
}

#[test]
fn any_key_unmasks_what_it_has_masked() {
    for key in [[0; 4], [0xFF; 4], [1, 0, 0, 0], [0, 0, 0, 1], [0xDE, 0xAD, 0xBE, 0xEF]] {
        for length in 0..20 {
            let payload: Vec<u8> = (100..).take(length).collect();
            let outcome =
                Endpoint::new(Role::Server).receives_bytes(&binary(&payload).masked_with(key));
            outcome.assert_open(&[bytes_message(&payload)], &[]);
        }
    }
}

#[test]
fn each_frame_has_its_own_key() {
    let mut bytes = binary("first").masked_with([1, 2, 3, 4]);
    bytes.extend(binary("second").masked_with([5, 6, 7, 8]));
    let outcome = Endpoint::new(Role::Server).receives_bytes(&bytes);
    outcome.assert_open(&[bytes_message("first"), bytes_message("second")], &[]);
}

#[test]
fn a_client_draws_a_fresh_key_for_every_frame_from_the_given_source() {
    let (entropy, draws) = counting();
    let mut client = Connection::with_entropy(Role::Client, Config::default(), entropy);
    send_everything(&mut client);
    let keys = keys_of_client(&drain(&mut client));
    assert_eq!(keys, (1..=11).map(|draw| [draw; 4]).collect::<Vec<_>>());
    assert_eq!(draws.load(Ordering::Relaxed), 11, "one draw for each frame and no more");
}

#[test]
fn a_server_draws_no_key() {
    let (entropy, draws) = counting();
    let mut server = Connection::with_entropy(Role::Server, Config::default(), entropy);
    send_everything(&mut server);
    assert_eq!(wire::frames_of(Role::Server, &drain(&mut server)).len(), 11);
    assert_eq!(draws.load(Ordering::Relaxed), 0);
}

#[test]
fn a_message_that_is_refused_costs_no_key() {
    let (entropy, draws) = counting();
    let small = Config::default().max_outgoing_size(5);
    let mut client = Connection::with_entropy(Role::Client, small, entropy);
    client.send("waits").unwrap();
    client.send(vec![0; 1000]).unwrap_err();
    client.close(None);
    client.send("too late").unwrap_err();
    assert_eq!(draws.load(Ordering::Relaxed), 2, "the message and the Close frame");
}

#[test]
fn the_keys_of_the_default_source_do_not_repeat_themselves() {
    let mut client = Connection::new(Role::Client, Config::default());
    for _ in 0..16 {
        client.send("same").unwrap();
    }
    let mut keys = keys_of_client(&drain(&mut client));
    keys.sort_unstable();
    keys.dedup();
    // Two of 16 keys are the same by chance once in 36 million runs; more than two never are.
    assert!(keys.len() >= 15, "{keys:x?}");
}
