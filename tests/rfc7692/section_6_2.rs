//! Section 6.2: receiving. What RSV1 means, and where it may not stand.

use sansocket::{Config, Connection, Message, ProtocolError};

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
