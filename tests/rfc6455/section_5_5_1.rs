//! §5.5.1, Close: answered once with its own code, and followed by nothing from the application.

use sansocket::{
    CloseSignal, ClosedBy, Config, Connection, ConnectionState, Event, PreparedMessage,
    ProtocolError, SendError, Transport, UsageError,
};

use crate::endpoint::{
    Endpoint, ROLES, close_body, close_event, drain_frames, feed, message, ping_event, signal,
    transport_at_the_end,
};
use crate::wire::{self, continuation, empty_close, ping, pong, text};

#[test]
fn a_close_frame_is_answered_with_its_code_and_no_reason() {
    for role in ROLES {
        for code in [1000, 1001, 1011, 3000, 4999] {
            for reason in ["", "Auf Wiedersehen, schöne Grüße"] {
                let outcome = Endpoint::new(role).receives(&[wire::close(code, reason)]);
                outcome.assert_closed_by_peer(
                    &[close_event(code, reason)],
                    &[wire::close(code, "")],
                    signal(code),
                    reason,
                );
            }
        }
    }
}

#[test]
fn an_empty_close_frame_is_answered_with_an_empty_one() {
    for role in ROLES {
        let outcome = Endpoint::new(role).receives(&[empty_close()]);
        outcome.assert_closed_by_peer(
            &[Event::Close(None)],
            &[empty_close()],
            CloseSignal::NoCode,
            "",
        );
    }
}

#[test]
fn a_body_of_one_byte_is_refused() {
    for role in ROLES {
        for byte in [0, 3, 0xFF] {
            let outcome = Endpoint::new(role).receives(&[wire::frame(wire::CLOSE, [byte])]);
            outcome.assert_failed(ProtocolError::TruncatedCloseCode, 1002);
        }
    }
}

#[test]
fn a_reason_that_is_not_utf8_is_refused() {
    for role in ROLES {
        for reason in [&b"\xFF"[..], b"cut \xE2\x82", b"\xED\xA0\x80", b"\xC0\x80"] {
            let outcome = Endpoint::new(role).receives(&[wire::close(1000, reason)]);
            outcome.assert_failed(ProtocolError::InvalidCloseReason, 1007);
        }
    }
}

#[test]
fn input_after_a_close_frame_is_discarded() {
    for role in ROLES {
        let outcome = Endpoint::new(role).receives(&[
            text("before"),
            wire::close(1000, ""),
            text("after"),
            ping("after"),
            wire::close(3000, "again"),
            wire::frame(0xF, "not even a frame").with_rsv(7),
        ]);
        outcome.assert_closed_by_peer(
            &[message("before"), close_event(1000, "")],
            &[wire::close(1000, "")],
            signal(1000),
            "",
        );
    }
}

#[test]
fn what_was_asked_for_before_precedes_the_answer() {
    for role in ROLES {
        let endpoint = Endpoint::new(role).echoing().after(|connection| {
            connection.send("queued").unwrap();
        });
        let outcome = endpoint.receives(&[ping("1"), text("echo"), empty_close(), text("late")]);
        outcome.assert_closed_by_peer(
            &[ping_event("1"), message("echo"), Event::Close(None)],
            &[text("queued"), pong("1"), text("echo"), empty_close()],
            CloseSignal::NoCode,
            "",
        );
    }
}

#[test]
fn an_endpoint_that_closes_waits_for_the_answer() {
    for role in ROLES {
        for body in [None, Some(close_body(1001, "shutting down"))] {
            let mut connection = Connection::new(role, Config::default());
            let (frame, local) = match &body {
                None => (empty_close(), CloseSignal::NoCode),
                Some(_) => (wire::close(1001, "shutting down"), signal(1001)),
            };
            connection.close(body);
            assert_eq!(drain_frames(&mut connection), [frame]);
            assert_eq!(connection.state(), ConnectionState::Closing);
            assert_eq!(connection.transport(), Transport::KeepOpen, "the answer is to be read");
            let status = connection.close_status().unwrap();
            assert_eq!(status.closed_by, ClosedBy::Local);
            assert_eq!((status.local, status.remote), (local, CloseSignal::Missing));
            assert!(!status.is_clean());

            let events = feed(&mut connection, &[wire::close(1001, "")]);
            assert_eq!(events, [close_event(1001, "")]);
            assert_eq!(drain_frames(&mut connection), [], "the answer is not answered");
            assert_eq!(connection.state(), ConnectionState::Closing);
            assert_eq!(connection.transport(), transport_at_the_end(role));
            let status = connection.close_status().unwrap();
            assert_eq!(status.closed_by, ClosedBy::Local);
            assert_eq!((status.local, status.remote), (local, signal(1001)));
            assert!(status.is_clean());
        }
    }
}

#[test]
fn messages_are_received_until_the_peer_closes_too() {
    for role in ROLES {
        let endpoint = Endpoint::new(role).after(|connection| connection.close(None));
        let outcome = endpoint.receives(&[
            text("still ").unfinished(),
            continuation("underway"),
            wire::close(4000, "done"),
            text("too late"),
        ]);
        assert_eq!(outcome.events, [message("still underway"), close_event(4000, "done")]);
        assert_eq!((outcome.error, outcome.sent.as_slice()), (None, &[empty_close()][..]));
        outcome.assert_ended();
        let status = outcome.close_status.unwrap();
        assert_eq!(status.closed_by, ClosedBy::Local);
        assert_eq!((status.local, status.remote), (CloseSignal::NoCode, signal(4000)));
        assert_eq!(status.reason, "done");
        assert!(status.is_clean());
    }
}

#[test]
fn close_frames_that_cross_are_not_answered() {
    let mut ends = ROLES.map(|role| Connection::new(role, Config::default()));
    for end in &mut ends {
        end.close(Some(close_body(3000, "")));
    }
    let [mut client, mut server] = ends;
    let (from_client, from_server) = (drain_frames(&mut client), drain_frames(&mut server));
    assert_eq!(feed(&mut client, &from_server), [close_event(3000, "")]);
    assert_eq!(feed(&mut server, &from_client), [close_event(3000, "")]);
    for mut end in [client, server] {
        assert_eq!(drain_frames(&mut end), []);
        assert_eq!(end.transport(), transport_at_the_end(end.role()));
        let status = end.close_status().unwrap();
        assert_eq!(status.closed_by, ClosedBy::Local, "each began by itself");
        assert!(status.is_clean());
    }
}

#[test]
fn a_close_frame_goes_behind_what_was_queued() {
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default());
        connection.send("first").unwrap();
        connection.send(vec![0; 10_000]).unwrap();
        connection.close(None);
        let sent = [text("first"), wire::binary(vec![0; 10_000]), empty_close()];
        assert_eq!(drain_frames(&mut connection), sent);
    }
}

#[test]
fn a_close_frame_finds_room_in_a_full_queue() {
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default().max_outgoing_size(1));
        connection.send("more than that").unwrap();
        connection.close(None);
        assert_eq!(drain_frames(&mut connection), [text("more than that"), empty_close()]);

        let full = Endpoint::new(role)
            .config(Config::default().max_outgoing_size(1))
            .after(|connection| connection.send("more than that").unwrap());
        full.receives(&[wire::close(1000, "")]).assert_closed_by_peer(
            &[close_event(1000, "")],
            &[text("more than that"), wire::close(1000, "")],
            signal(1000),
            "",
        );
    }
}

#[test]
fn one_close_frame_is_all_that_an_endpoint_sends() {
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default());
        connection.close(Some(close_body(1000, "first")));
        connection.close(Some(close_body(1001, "second")));
        assert_eq!(drain_frames(&mut connection), [wire::close(1000, "first")]);
        feed(&mut connection, &[wire::close(1000, "")]);
        connection.close(None);
        assert_eq!(drain_frames(&mut connection), []);
        assert_eq!(connection.close_status().unwrap().local, signal(1000));

        let mut answered = Connection::new(role, Config::default());
        feed(&mut answered, &[wire::close(3000, "")]);
        answered.close(Some(close_body(1000, "too late")));
        assert_eq!(drain_frames(&mut answered), [wire::close(3000, "")]);
        assert_eq!(answered.close_status().unwrap().closed_by, ClosedBy::Remote);
    }
}

#[test]
fn nothing_is_sent_behind_a_close_frame() {
    for role in ROLES {
        let mut closing = Connection::new(role, Config::default());
        closing.close(None);
        let mut answered = Connection::new(role, Config::default());
        feed(&mut answered, &[empty_close()]);
        for mut connection in [closing, answered] {
            assert_refuses_to_send(&mut connection);
            assert_eq!(drain_frames(&mut connection), [empty_close()]);
        }
    }
}

#[test]
fn a_message_that_was_not_finished_is_not_finished_behind_a_close_frame() {
    for role in ROLES {
        let mut closing = Connection::new(role, Config::default());
        closing.fragments().write("open").unwrap();
        closing.close(None);
        let mut answered = Connection::new(role, Config::default());
        answered.fragments().write("open").unwrap();
        feed(&mut answered, &[empty_close()]);
        for mut connection in [closing, answered] {
            assert_refuses_to_send(&mut connection);
            let sent = [text("open").unfinished(), empty_close()];
            assert_eq!(drain_frames(&mut connection), sent);
        }
    }
}

#[test]
fn a_received_message_that_was_not_finished_may_be_finished_before_the_answer() {
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default());
        assert_eq!(feed(&mut connection, &[text("in the ").unfinished()]), []);
        connection.close(None);
        let events = feed(&mut connection, &[continuation("middle"), empty_close()]);
        assert_eq!(events, [message("in the middle"), Event::Close(None)]);
        assert_eq!(drain_frames(&mut connection), [empty_close()]);
        assert_eq!(connection.transport(), transport_at_the_end(role));
    }
}

#[track_caller]
fn assert_refuses_to_send(connection: &mut Connection) {
    let refused = Err(SendError::Refused(UsageError::NotOpen));
    assert_eq!(connection.send("late"), refused);
    assert_eq!(connection.send_prepared(&PreparedMessage::new("late")), refused);
    assert_eq!(connection.fragments().write("late"), refused);
    assert_eq!(connection.fragments().finish("late"), refused);
    assert_eq!(connection.ping(b"late"), Err(UsageError::NotOpen));
    assert_eq!(connection.pong(b"late"), Err(UsageError::NotOpen));
}
