//! Decompressing undoes compressing, whatever was agreed and however the bytes are cut.

use proptest::prelude::*;
use sansocket::extension::{Deflate, DeflateParameters, SenderParameters};
use sansocket::{Config, Connection, Delivery, Message, PreparedMessage, Role};

use crate::wire::{self, ROLES};

/// How a message is sent.
#[derive(Debug, Clone)]
enum Sending {
    Whole(Message<'static>),
    Prepared(Message<'static>),
    Fragments(Vec<Message<'static>>),
}

/// A text of words from a small vocabulary, so that there is something to refer to.
fn text() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("hello "),
        Just("κόσμε "),
        Just("{\"key\": 17} "),
        Just("😀"),
        Just("aaaaaaaaaaaaaaaaaaaa"),
    ];
    prop_oneof![
        proptest::collection::vec(word, 0..60).prop_map(|words| words.concat()),
        "\\PC{0,80}",
    ]
}

fn binary() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..300),
        (any::<u8>(), 0..70_000_usize).prop_map(|(byte, length)| vec![byte; length]),
        (any::<[u8; 32]>(), 0..4000_usize).prop_map(|(pattern, length)| pattern
            .iter()
            .copied()
            .cycle()
            .take(length)
            .collect()),
    ]
}

fn message() -> impl Strategy<Value = Message<'static>> {
    prop_oneof![text().prop_map(Message::from), binary().prop_map(Message::from)]
}

fn sending() -> impl Strategy<Value = Sending> {
    prop_oneof![
        4 => message().prop_map(Sending::Whole),
        1 => message().prop_map(Sending::Prepared),
        1 => proptest::collection::vec(text().prop_map(Message::from), 1..5).prop_map(Sending::Fragments),
        1 => proptest::collection::vec(binary().prop_map(Message::from), 1..5).prop_map(Sending::Fragments),
    ]
}

fn send(connection: &mut Connection, sending: &Sending) {
    match sending {
        Sending::Whole(message) => connection.send(message.clone()).expect("open"),
        Sending::Prepared(message) => {
            connection.send_prepared(&PreparedMessage::new(message.clone())).expect("open");
        }
        Sending::Fragments(pieces) => {
            let (last, first) = pieces.split_last().expect("at least one");
            for piece in first {
                connection.fragments().write(piece.clone()).expect("open");
            }
            connection.fragments().finish(last.clone()).expect("open");
        }
    }
}

fn expected(sending: &Sending) -> Message<'static> {
    match sending {
        Sending::Whole(message) | Sending::Prepared(message) => message.clone(),
        Sending::Fragments(pieces) => {
            let bytes: Vec<u8> =
                pieces.iter().flat_map(|piece| piece.as_bytes().to_vec()).collect();
            match pieces[0] {
                Message::Text(_) => String::from_utf8(bytes).expect("text").into(),
                Message::Binary(_) => bytes.into(),
            }
        }
    }
}

fn sender() -> impl Strategy<Value = SenderParameters> {
    proptest::sample::select(wire::every_sender().collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn what_is_sent_is_received(
        server in sender(),
        client in sender(),
        level in 1..=9_u8,
        memory_level in 1..=9_u8,
        threshold in prop_oneof![Just(0), Just(128)],
        pooled in 0..3_usize,
        delivery in prop_oneof![Just(Delivery::Messages), Just(Delivery::Chunks)],
        read in prop_oneof![1..20_usize, 20..5000_usize, Just(usize::MAX)],
        sendings in proptest::collection::vec(sending(), 1..8),
    ) {
        let deflate = Deflate::default()
            .level(level)
            .memory_level(memory_level)
            .threshold(threshold)
            .max_pooled(pooled);
        let agreed = deflate.agree(DeflateParameters { server, client });
        for role in ROLES {
            let new = |role: Role| {
                let config = Config::default().delivery(delivery).max_outgoing_size(usize::MAX);
                Connection::new(role, config).with_deflate(&agreed)
            };
            let (mut sender, mut receiver) = (new(role), new(role.peer()));
            for sending in &sendings {
                send(&mut sender, sending);
            }
            let bytes = wire::take_outgoing(&mut sender);
            let (messages, error) = wire::receive(&mut receiver, &bytes, read);
            prop_assert_eq!(error, None);
            let expected: Vec<_> = sendings.iter().map(expected).collect();
            prop_assert!(messages == expected, "{} messages of {}", messages.len(), expected.len());
        }
    }
}

#[test]
fn every_set_of_parameters_carries_similar_messages_in_both_directions() {
    for server in wire::every_sender() {
        for client in wire::every_sender() {
            let agreed = Deflate::default().agree(DeflateParameters { server, client });
            for role in ROLES {
                let new = |role| Connection::new(role, Config::default()).with_deflate(&agreed);
                let (mut sender, mut receiver) = (new(role), new(role.peer()));
                let messages: Vec<Message<'_>> = (0..4)
                    .map(|number| format!("{number}: {}", "similar messages ".repeat(20)).into())
                    .collect();
                for message in &messages {
                    sender.send(message.clone()).expect("open");
                }
                let bytes = wire::take_outgoing(&mut sender);
                let outcome = wire::receive(&mut receiver, &bytes, 100);
                assert_eq!(outcome, (messages, None), "{server:?} {client:?}");
            }
        }
    }
}
