//! Section 6.2: receiving. What RSV1 means, and where it may not be set.

use sansocket::{Config, Connection, Message, ProtocolError, Role, Transport};

use crate::wire::{self, HELLO, ROLES, TAKEOVER, each_role, frame, hello};

#[test]
fn fragments_of_a_compressed_message_may_be_cut_anywhere() {
    for cut in 0..=HELLO.len() {
        for again in cut..=HELLO.len() {
            each_role(
                |sender| {
                    vec![
                        frame(sender, 0x41, &HELLO[..cut]),
                        frame(sender, 0x00, &HELLO[cut..again]),
                        frame(sender, 0x80, &HELLO[again..]),
                    ]
                },
                TAKEOVER,
                &hello(1),
            );
        }
    }
}

#[test]
fn control_frames_come_between_the_fragments_of_a_compressed_message() {
    each_role(
        |sender| {
            vec![
                frame(sender, 0x41, &HELLO[..3]),
                frame(sender, 0x89, b"Ping"),
                frame(sender, 0x80, &HELLO[3..]),
            ]
        },
        TAKEOVER,
        &hello(1),
    );
}

#[test]
fn a_message_without_rsv1_is_taken_as_it_is() {
    each_role(
        |sender| {
            vec![
                frame(sender, 0xC1, HELLO),
                frame(sender, 0x81, b"Hello"),
                frame(sender, 0x01, b"He"),
                frame(sender, 0x80, b"llo"),
                frame(sender, 0xC1, HELLO),
            ]
        },
        TAKEOVER,
        &hello(4),
    );
}

#[test]
fn an_uncompressed_message_is_not_in_the_window() {
    // The last one refers to the first, past the one in between.
    each_role(
        |sender| {
            vec![
                frame(sender, 0xC1, HELLO),
                frame(sender, 0x81, b"World"),
                frame(sender, 0xC1, b"\xf2\x00\x11\x00\x00"),
            ]
        },
        TAKEOVER,
        &(["Hello", "World", "Hello"].map(Message::from).to_vec(), None),
    );
}

#[test]
fn rsv1_on_a_continuation_or_control_frame_fails() {
    let refused = |messages| (messages, Some(ProtocolError::ReservedBits));
    for first_byte in [0x40, 0xC0] {
        each_role(
            |sender| vec![frame(sender, 0x41, &HELLO[..3]), frame(sender, first_byte, &HELLO[3..])],
            TAKEOVER,
            &refused(vec![]),
        );
    }
    for first_byte in [0xC8, 0xC9, 0xCA] {
        each_role(|sender| vec![frame(sender, first_byte, b"")], TAKEOVER, &refused(vec![]));
    }
}

#[test]
fn the_other_reserved_bits_fail() {
    let refused = (vec![], Some(ProtocolError::ReservedBits));
    for bits in [0x10, 0x20, 0x30, 0x50, 0x60, 0x70] {
        each_role(|sender| vec![frame(sender, 0x81 | bits, HELLO)], TAKEOVER, &refused);
    }
}

#[test]
fn rsv1_without_an_agreement_fails() {
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default());
        let bytes = frame(role.peer(), 0xC1, HELLO);
        let refused = (vec![], Some(ProtocolError::ReservedBits));
        assert_eq!(wire::receive(&mut connection, &bytes, 1), refused);
    }
}

#[test]
fn compressed_messages_keep_the_order_of_fragments() {
    each_role(
        |sender| vec![frame(sender, 0x41, &HELLO[..3]), frame(sender, 0xC1, HELLO)],
        TAKEOVER,
        &(vec![], Some(ProtocolError::ExpectedContinuation)),
    );
    each_role(
        |sender| vec![frame(sender, 0x41, &HELLO[..3]), frame(sender, 0x81, b"Hello")],
        TAKEOVER,
        &(vec![], Some(ProtocolError::ExpectedContinuation)),
    );
    each_role(
        |sender| vec![frame(sender, 0xC1, HELLO), frame(sender, 0x80, HELLO)],
        TAKEOVER,
        &(vec!["Hello".into()], Some(ProtocolError::UnexpectedContinuation)),
    );
    each_role(
        |sender| vec![frame(sender, 0x01, b"He"), frame(sender, 0xC1, HELLO)],
        TAKEOVER,
        &(vec![], Some(ProtocolError::ExpectedContinuation)),
    );
}

#[test]
fn each_violation_closes_with_the_code_of_its_rule_behind_what_was_received_before() {
    let config = Config::default().max_message_size(9);
    let twice = [HELLO, b"\x00\x00\xff\xff", HELLO].concat();
    let violations: [(u8, &[u8], u16); 9] = [
        (0xC9, b"", 1002),
        (0xC0, b"", 1002),
        (0xE1, HELLO, 1002),
        (0x80, HELLO, 1002),
        (0xC1, b"\xf2\x48\xcd", 1007),
        (0xC1, b"\x06", 1007),
        (0xC1, b"\xf2\x00\x7f\x00\x00", 1007),
        (0xC1, b"\x00\x01\x00\xfe\xff\xff\x00", 1007),
        (0xC1, &twice, 1009),
    ];
    for role in ROLES {
        for (first_byte, payload, code) in violations {
            let mut connection = wire::connection(role, config, TAKEOVER);
            let mut bytes = frame(role.peer(), 0xC1, HELLO);
            bytes.extend(frame(role.peer(), first_byte, payload));
            bytes.extend(frame(role.peer(), 0xC1, HELLO));
            let (messages, error) = wire::receive(&mut connection, &bytes, bytes.len());
            assert_eq!(messages, [Message::from("Hello")]);
            let error = error.expect("a violation");
            assert_eq!(error.close_code().get(), code, "{first_byte:x} {payload:x?}: {error}");

            // Nothing that follows is read, and nothing more is said; the server closes first.
            let again = wire::receive(&mut connection, &frame(role.peer(), 0xC1, HELLO), 1);
            assert_eq!(again, (vec![], Some(error)));
            connection.send("late").expect_err("it has failed");
            assert_eq!(connection.transport(), Transport::KeepOpen, "until all is written");
            assert_eq!(wire::sent(&mut connection), [(0x88, code.to_be_bytes().to_vec())]);
            let transport = match role {
                Role::Client => Transport::AwaitPeer,
                Role::Server => Transport::Close,
            };
            assert_eq!(connection.transport(), transport);
            let status = connection.close_status().expect("it is closing");
            assert_eq!((status.local.number(), status.remote.number()), (code, 1006));
        }
    }
}
