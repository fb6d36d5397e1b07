//! Section 8, and what section 10.4 of RFC 6455 asks for: nothing that arrives makes memory grow past
//! the limits, whatever it inflates to.

use sansocket::{CloseCode, Config, Delivery, Event, Message, ProtocolError};

use crate::wire::{self, NO_TAKEOVER, ROLES, TAKEOVER};

/// A compressed message of many equal bytes.
fn bomb(sender: sansocket::Role, size: usize) -> Vec<u8> {
    compressed(sender, vec![b'a'; size].into())
}

fn compressed(sender: sansocket::Role, message: Message<'_>) -> Vec<u8> {
    let mut connection = wire::connection(sender, Config::default(), NO_TAKEOVER);
    connection.send(message).expect("open");
    wire::take_outgoing(&mut connection)
}

#[test]
fn the_message_limit_counts_what_comes_out() {
    for role in ROLES {
        let bytes = bomb(role.peer(), 100_000);
        assert!(bytes.len() < 200);
        for delivery in [Delivery::Messages, Delivery::Chunks] {
            let config = Config::default().delivery(delivery);
            let mut connection = wire::connection(role, config.max_message_size(100_000), TAKEOVER);
            let (messages, error) = wire::receive(&mut connection, &bytes, bytes.len());
            assert_eq!((messages[0].len(), error), (100_000, None));

            let mut connection = wire::connection(role, config.max_message_size(99_999), TAKEOVER);
            let (messages, error) = wire::receive(&mut connection, &bytes, bytes.len());
            let too_large = ProtocolError::MessageTooLarge { size: 100_000, limit: 99_999 };
            assert_eq!((messages, error), (vec![], Some(too_large)));
            assert_eq!(too_large.close_code(), CloseCode::MESSAGE_TOO_BIG);
            let close = wire::sent(&mut connection);
            assert_eq!(close, [(0x88, 1009_u16.to_be_bytes().to_vec())]);
        }
    }
}

#[test]
fn the_message_limit_holds_over_all_fragments_and_begins_anew_with_each_message() {
    for role in ROLES {
        let config = Config::default().max_message_size(9);
        let hello = wire::HELLO;
        let more = [hello, b"\x00\x00\xff\xff"].concat();
        let fine = [
            wire::frame(role.peer(), 0xC1, hello),
            wire::frame(role.peer(), 0xC1, hello),
            wire::frame(role.peer(), 0x81, b"Hello"),
        ];
        assert_eq!(wire::received(role, config, TAKEOVER, &fine.concat()), wire::hello(3));
        let large = [wire::frame(role.peer(), 0x41, &more), wire::frame(role.peer(), 0x80, hello)];
        let too_large = ProtocolError::MessageTooLarge { size: 10, limit: 9 };
        assert_eq!(
            wire::received(role, config, TAKEOVER, &large.concat()),
            (vec![], Some(too_large))
        );
    }
}

#[test]
fn the_frame_limit_counts_what_is_on_the_wire() {
    for role in ROLES {
        let bytes = bomb(role.peer(), 100_000);
        let mut connection =
            wire::connection(role, Config::default().max_frame_size(200), TAKEOVER);
        assert_eq!(wire::receive(&mut connection, &bytes, 7).1, None);
        let mut connection = wire::connection(role, Config::default().max_frame_size(99), TAKEOVER);
        let error = wire::receive(&mut connection, &bytes, 7).1;
        assert!(matches!(error, Some(ProtocolError::FrameTooLarge { limit: 99, .. })), "{error:?}");
    }
}

#[test]
fn the_wire_may_carry_more_than_the_message_limit() {
    // Empty blocks without compression, which yield nothing.
    let payload = [&b"\x00\x00\x00\xff\xff".repeat(1000)[..], wire::HELLO].concat();
    for role in ROLES {
        let bytes = wire::frame(role.peer(), 0xC1, &payload);
        let config = Config::default().max_message_size(5);
        let mut connection = wire::connection(role, config, TAKEOVER);
        assert_eq!(wire::receive(&mut connection, &bytes, bytes.len()), wire::hello(1));
    }
}

#[test]
fn chunks_of_a_bomb_are_small_and_leave_the_rest_in_the_input() {
    for role in ROLES {
        let text = compressed(role.peer(), "a".repeat(10_000_000).into());
        for mut bytes in [bomb(role.peer(), 10_000_000), text] {
            let config = Config::default().delivery(Delivery::Chunks);
            let mut connection = wire::connection(role, config, TAKEOVER);
            let mut input = &mut bytes[..];
            let (mut total, mut left) = (0, input.len());
            while let Some(event) = connection.next_event(&mut input).expect("valid") {
                let Event::Chunk(chunk) = event else { panic!("a chunk") };
                assert!(chunk.piece.len() <= 32 * 1024, "{}", chunk.piece.len());
                total += chunk.piece.len();
                assert!(chunk.last || input.len() < left || total < 40_000);
                left = input.len();
                assert_eq!(chunk.last, total == 10_000_000);
            }
            assert_eq!((total, input.len()), (10_000_000, 0));
        }
    }
}

#[test]
fn text_before_the_limit_is_judged_first_and_the_byte_that_is_too_many_not_at_all() {
    let config = Config::default().max_message_size(4);
    for role in ROLES {
        for (five, error) in [
            (b"Hel\xff\xff", ProtocolError::InvalidUtf8),
            (b"Hell\xff", ProtocolError::MessageTooLarge { size: 5, limit: 4 }),
        ] {
            let payload = [&b"\x00\x05\x00\xfa\xff"[..], five, b"\x00"].concat();
            let bytes = wire::frame(role.peer(), 0xC1, &payload);
            assert_eq!(wire::received(role, config, TAKEOVER, &bytes), (vec![], Some(error)));
        }
    }
}
