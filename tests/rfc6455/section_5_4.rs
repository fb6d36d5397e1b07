//! §5.4, fragmentation: a message in several frames, with control frames between them.

use std::slice;

use sansocket::{
    Config, Connection, Event, Message, MessageKind, PreparedMessage, ProtocolError, SendError,
    UsageError,
};

use crate::endpoint::{
    Endpoint, ROLES, bytes_message, close_event, drain_frames, feed, message, ping_event,
    pong_event, signal,
};
use crate::wire::{self, BINARY, Frame, TEXT, binary, continuation, frame, ping, pong, text};

#[test]
fn fragments_are_joined_in_their_order() {
    for role in ROLES {
        let outcome = Endpoint::new(role).receives(&[
            text("one, ").unfinished(),
            continuation("two, ").unfinished(),
            continuation("three").unfinished(),
            continuation("."),
            binary([0xFF, 0xFE]).unfinished(),
            continuation([0xFD]),
        ]);
        outcome.assert_open(&[message("one, two, three."), bytes_message([0xFF, 0xFE, 0xFD])], &[]);
    }
}

#[test]
fn where_the_fragments_are_cut_makes_no_difference() {
    let whole = "Ünïcødé ⚙ 😀";
    for role in ROLES {
        for first in 0..=whole.len() {
            for second in first..=whole.len() {
                let bytes = whole.as_bytes();
                let outcome = Endpoint::new(role).receives(&[
                    text(&bytes[..first]).unfinished(),
                    continuation(&bytes[first..second]).unfinished(),
                    continuation(&bytes[second..]),
                ]);
                outcome.assert_open(&[message(whole)], &[]);
            }
        }
    }
}

#[test]
fn empty_fragments_are_legal_anywhere() {
    for role in ROLES {
        for (opcode, kind) in [(TEXT, MessageKind::Text), (BINARY, MessageKind::Binary)] {
            let endpoint = Endpoint::new(role);
            let empty = || continuation("").unfinished();
            let first = endpoint.receives(&[frame(opcode, "").unfinished(), continuation("a")]);
            let middle = endpoint.receives(&[
                frame(opcode, "a").unfinished(),
                empty(),
                empty(),
                continuation("b"),
            ]);
            let last = endpoint.receives(&[frame(opcode, "a").unfinished(), continuation("")]);
            let all = endpoint.receives(&[
                frame(opcode, "").unfinished(),
                empty(),
                continuation(""),
                frame(opcode, "next"),
            ]);
            first.assert_open(&[of_kind(kind, "a")], &[]);
            middle.assert_open(&[of_kind(kind, "ab")], &[]);
            last.assert_open(&[of_kind(kind, "a")], &[]);
            all.assert_open(&[of_kind(kind, ""), of_kind(kind, "next")], &[]);
        }
    }
}

#[test]
fn control_frames_between_fragments_are_handled_at_once() {
    for role in ROLES {
        let outcome = Endpoint::new(role).receives(&[
            text("frag").unfinished(),
            ping("now"),
            continuation("").unfinished(),
            pong("unasked"),
            continuation("ments"),
        ]);
        outcome.assert_open(
            &[ping_event("now"), pong_event("unasked"), message("fragments")],
            &[pong("now")],
        );
    }
}

#[test]
fn a_control_frame_may_come_inside_a_character() {
    for role in ROLES {
        let outcome = Endpoint::new(role).receives(&[
            text([0xE2]).unfinished(),
            ping([0xFF]),
            continuation([0x82]).unfinished(),
            ping(""),
            continuation([0xAC]),
        ]);
        outcome.assert_open(
            &[ping_event([0xFF]), ping_event(""), message("€")],
            &[pong([0xFF]), pong("")],
        );
    }
}

#[test]
fn a_close_frame_may_come_between_fragments() {
    for role in ROLES {
        let outcome = Endpoint::new(role).receives(&[
            text("never ").unfinished(),
            wire::close(1001, "bye"),
            continuation("finished"),
        ]);
        outcome.assert_closed_by_peer(
            &[close_event(1001, "bye")],
            &[wire::close(1001, "")],
            signal(1001),
            "bye",
        );
    }
}

#[test]
fn a_continuation_needs_a_message_to_continue() {
    let lonely = [continuation("a"), continuation("a").unfinished(), continuation("")];
    for role in ROLES {
        for lonely in &lonely {
            let refused = ProtocolError::UnexpectedContinuation;
            let endpoint = Endpoint::new(role);
            endpoint.receives(slice::from_ref(lonely)).assert_failed(refused, 1002);

            let whole_before = endpoint.receives(&[text("whole"), lonely.clone()]);
            whole_before.assert_failed_after(&[message("whole")], &[], refused, 1002);

            let finished_before =
                endpoint.receives(&[text("a").unfinished(), continuation("b"), lonely.clone()]);
            finished_before.assert_failed_after(&[message("ab")], &[], refused, 1002);
        }
    }
}

#[test]
fn no_message_begins_inside_another() {
    for role in ROLES {
        for (open, next) in [(TEXT, TEXT), (TEXT, BINARY), (BINARY, TEXT), (BINARY, BINARY)] {
            for next in [frame(next, "next"), frame(next, "").unfinished()] {
                let outcome = Endpoint::new(role).receives(&[frame(open, "").unfinished(), next]);
                outcome.assert_failed(ProtocolError::ExpectedContinuation, 1002);
            }
        }
    }
}

#[test]
fn a_fragmented_message_is_sent_as_a_start_continuations_and_a_last() {
    for role in ROLES {
        for (opcode, kind) in [(TEXT, MessageKind::Text), (BINARY, MessageKind::Binary)] {
            let mut connection = Connection::new(role, Config::default());
            let mut fragments = connection.fragments();
            fragments.write(piece(kind, "one, ")).unwrap();
            fragments.write(piece(kind, "")).unwrap();
            fragments.write(piece(kind, "two")).unwrap();
            fragments.finish(piece(kind, "")).unwrap();
            connection.send("next").unwrap();
            let sent: [Frame; 5] = [
                frame(opcode, "one, ").unfinished(),
                continuation("").unfinished(),
                continuation("two").unfinished(),
                continuation(""),
                text("next"),
            ];
            assert_eq!(drain_frames(&mut connection), sent);
        }
    }
}

#[test]
fn a_message_of_one_fragment_is_a_plain_frame() {
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default());
        connection.fragments().finish("alone").unwrap();
        connection.fragments().finish(b"alone").unwrap();
        assert_eq!(drain_frames(&mut connection), [text("alone"), binary("alone")]);
    }
}

#[test]
fn the_fragments_of_a_message_are_of_one_kind() {
    let refused = SendError::Refused(UsageError::OtherKind);
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default());
        connection.fragments().write("text").unwrap();
        assert_eq!(connection.fragments().write(b"bytes"), Err(refused.clone()));
        assert_eq!(connection.fragments().finish(b"bytes"), Err(refused.clone()));
        // The message is as open as it was.
        connection.fragments().finish("!").unwrap();
        connection.fragments().write(b"bytes").unwrap();
        assert_eq!(connection.fragments().write("text"), Err(refused.clone()));
        assert_eq!(connection.fragments().finish("text"), Err(refused.clone()));
        connection.fragments().finish(b"!").unwrap();
        let sent = [text("text").unfinished(), continuation("!"), binary("bytes").unfinished()];
        let sent = [&sent[..], &[continuation("!")]].concat();
        assert_eq!(drain_frames(&mut connection), sent);
    }
}

#[test]
fn no_other_message_is_sent_before_the_last_fragment() {
    let refused = Err(SendError::Refused(UsageError::MessageUnfinished));
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default());
        connection.fragments().write("open").unwrap();
        assert_eq!(connection.send("other"), refused);
        assert_eq!(connection.send(b"other"), refused);
        assert_eq!(connection.send_prepared(&PreparedMessage::new("other")), refused);
        connection.fragments().finish("").unwrap();
        connection.send("now").unwrap();
        let sent = [text("open").unfinished(), continuation(""), text("now")];
        assert_eq!(drain_frames(&mut connection), sent);
    }
}

#[test]
fn control_frames_are_sent_between_fragments() {
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default());
        connection.fragments().write("a").unwrap();
        connection.ping(b"1").unwrap();
        connection.pong(b"2").unwrap();
        let events = feed(&mut connection, &[ping("3"), text("received meanwhile")]);
        assert_eq!(events, [ping_event("3"), message("received meanwhile")]);
        connection.fragments().write("b").unwrap();
        connection.close(None);
        let sent = [
            text("a").unfinished(),
            ping("1"),
            pong("2"),
            pong("3"),
            continuation("b").unfinished(),
            wire::empty_close(),
        ];
        assert_eq!(drain_frames(&mut connection), sent);
    }
}

#[test]
fn a_fragment_that_finds_no_room_leaves_its_message_open() {
    for role in ROLES {
        let small = Config::default().max_outgoing_size(5);
        let mut connection = Connection::new(role, small);
        connection.fragments().write("first").unwrap();
        let large = "x".repeat(100);
        for _ in 0..2 {
            let full = Err(SendError::BufferFull(Message::from(large.clone())));
            assert_eq!(connection.fragments().write(&*large), full);
            assert_eq!(connection.fragments().finish(&*large), full);
        }
        assert_eq!(drain_frames(&mut connection), [text("first").unfinished()]);
        connection.fragments().finish(&*large).unwrap();
        assert_eq!(drain_frames(&mut connection), [continuation(&large)]);
    }
}

fn of_kind(kind: MessageKind, payload: &'static str) -> Event<'static> {
    Event::Message(piece(kind, payload))
}

fn piece(kind: MessageKind, payload: &'static str) -> Message<'static> {
    match kind {
        MessageKind::Text => Message::from(payload),
        MessageKind::Binary => Message::from(payload.as_bytes()),
    }
}
