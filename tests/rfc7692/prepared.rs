//! Messages that are prepared for many connections, and the windows they get into.

use sansocket::extension::Deflate;
use sansocket::{Config, Connection, Message, PreparedMessage};

use crate::wire::{self, NO_TAKEOVER, ROLES, TAKEOVER};

#[test]
fn a_prepared_message_is_the_same_bytes_on_every_connection() {
    let news = PreparedMessage::new("the same to everybody, everybody, everybody");
    for role in ROLES {
        let alone = {
            let mut connection = wire::connection(role, Config::default(), NO_TAKEOVER);
            connection.send(news.message().clone()).expect("open");
            wire::sent(&mut connection)
        };
        assert_eq!(alone[0].0, 0xC1);
        for sender in [TAKEOVER, NO_TAKEOVER] {
            let mut connection = wire::connection(role, Config::default(), sender);
            connection.send("everybody has seen something else, everybody").expect("open");
            wire::sent(&mut connection);
            connection.send_prepared(&news).expect("open");
            assert_eq!(wire::sent(&mut connection), alone, "{sender:?}");
        }
    }
}

#[test]
fn messages_behind_a_prepared_one_refer_to_it_and_to_what_was_before() {
    let long = (0..9000).map(|number| number.to_string()).collect::<Vec<_>>().join(",");
    for role in ROLES {
        for level in [1, 2, 3, 6, 9] {
            for bits in [9, 10, 13, 15] {
                let sender = sansocket::extension::SenderParameters {
                    max_window_bits: sansocket::extension::WindowBits::new(bits),
                    ..TAKEOVER
                };
                let agreed = Deflate::default().level(level).threshold(0).agree(wire::both(sender));
                let new = |role| Connection::new(role, Config::default()).with_deflate(&agreed);
                let (mut sender, mut receiver) = (new(role), new(role.peer()));
                let mut expected: Vec<Message<'_>> = Vec::new();
                for (index, length) in
                    [0, 3, 40, 400, 4000, 30, long.len(), 100].into_iter().enumerate()
                {
                    let own = &long[index * 37..index * 37 + 300];
                    let prepared = PreparedMessage::new(&long[..length]);
                    sender.send(own).expect("open");
                    sender.send_prepared(&prepared).expect("open");
                    sender.send(own).expect("open");
                    expected.extend([own.into(), prepared.message().clone(), own.into()]);
                }
                let bytes = wire::take_outgoing(&mut sender);
                assert!(bytes.len() < 60_000);
                let (messages, error) = wire::receive(&mut receiver, &bytes, bytes.len());
                assert_eq!(error, None, "level {level}, {bits} bits");
                assert!(messages == expected, "level {level}, {bits} bits");
            }
        }
    }
}

#[test]
fn a_prepared_message_that_is_not_worth_it_is_sent_as_it_is() {
    let agreed = Deflate::default().agree(wire::both(TAKEOVER));
    for message in [Message::from("short"), Message::from((0..=255).collect::<Vec<u8>>())] {
        let prepared = PreparedMessage::new(message.clone());
        let mut connection =
            Connection::new(sansocket::Role::Server, Config::default()).with_deflate(&agreed);
        connection.send_prepared(&prepared).expect("open");
        assert_eq!(wire::sent(&mut connection)[0].1, message.as_bytes());
    }
}

#[test]
fn a_prepared_message_is_not_sent_into_a_fragmented_one() {
    for role in ROLES {
        let mut connection = wire::connection(role, Config::default(), TAKEOVER);
        connection.fragments().write("a").expect("open");
        let refused = connection.send_prepared(&PreparedMessage::new("b")).expect_err("refused");
        assert_eq!(refused, sansocket::UsageError::MessageUnfinished.into());
    }
}
