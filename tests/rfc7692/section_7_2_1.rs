//! Section 7.2.1: compressing. Each payload ends where the four bytes were removed.

use sansocket::Config;

use crate::wire::{self, NO_TAKEOVER, ROLES, TAKEOVER};

#[test]
fn the_tail_is_removed_from_the_end_of_the_message_and_from_nowhere_else() {
    for role in ROLES {
        for sender in [TAKEOVER, NO_TAKEOVER] {
            let mut connection = wire::connection(role, Config::default(), sender);
            connection.send("Hello Hello Hello").expect("open");
            connection.fragments().write("Hello").expect("open");
            connection.fragments().finish("Hello").expect("open");
            let frames = wire::sent(&mut connection);
            assert!(!frames[0].1.ends_with(b"\x00\x00\xff\xff"));
            assert!(frames[1].1.ends_with(b"\x00\x00\xff\xff"), "so that it can be read at once");
            assert!(!frames[2].1.ends_with(b"\x00\x00\xff\xff"));
        }
    }
}

#[test]
fn each_fragment_can_be_read_as_soon_as_it_arrives() {
    for role in ROLES {
        let mut sender = wire::connection(role, Config::default(), TAKEOVER);
        let config = Config::default().delivery(sansocket::Delivery::Chunks);
        let mut receiver = wire::connection(role.peer(), config, TAKEOVER);
        for piece in ["one", "two", "three"] {
            sender.fragments().write(piece).expect("open");
            let mut bytes = wire::take_outgoing(&mut sender);
            let mut input = &mut bytes[..];
            let event = receiver.next_event(&mut input).expect("valid").expect("a chunk");
            assert!(
                matches!(event, sansocket::Event::Chunk(chunk) if chunk.piece.as_text() == Some(piece))
            );
            assert!(receiver.next_event(&mut input).expect("valid").is_none());
        }
    }
}

#[test]
fn an_empty_last_fragment_is_one_byte() {
    for role in ROLES {
        for sender in [TAKEOVER, NO_TAKEOVER] {
            let mut connection = wire::connection(role, Config::default(), sender);
            connection.fragments().write("Hello").expect("open");
            connection.fragments().finish("").expect("open");
            let hello = [wire::HELLO, b"\x00\x00\xff\xff"].concat();
            assert_eq!(wire::sent(&mut connection), [(0x41, hello), (0x80, vec![0])]);
        }
    }
}
