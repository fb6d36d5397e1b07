//! §7.1, closing: who closes TCP (7.1.1), clean or not (7.1.4), code (7.1.5) and reason (7.1.6), and
//! what it is to _Fail the WebSocket Connection_ (7.1.7).

use sansocket::{
    CloseCode, CloseFrame, CloseSignal, CloseStatus, ClosedBy, Config, Connection, ConnectionState,
    ProtocolError, Role, Transport,
};

use crate::endpoint::{
    ROLES, close_body, close_event, drain, drain_frames, feed, feed_bytes, message, signal,
};
use crate::wire::{close, empty_close, text};

#[test]
fn the_server_closes_tcp_first_and_the_client_waits_for_it() {
    for (role, expected) in [(Role::Server, Transport::Close), (Role::Client, Transport::AwaitPeer)]
    {
        for ended in all_endings(role) {
            assert_eq!(ended.transport(), expected);
            assert_eq!(ended.state(), ConnectionState::Closing);
        }
    }
}

#[test]
fn tcp_is_kept_until_the_close_frame_is_written() {
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default());
        feed(&mut connection, &[close(1000, "")]);
        assert_eq!(connection.transport(), Transport::KeepOpen);
        drain(&mut connection);
        assert_ne!(connection.transport(), Transport::KeepOpen);
    }
}

#[test]
fn an_open_connection_has_no_close_status() {
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default());
        assert_eq!(connection.role(), role);
        assert_eq!(feed(&mut connection, &[text("a")]), [message("a")]);
        connection.send("b").unwrap();
        assert_eq!(connection.state(), ConnectionState::Open);
        assert_eq!(connection.close_status(), None);
        assert_eq!(connection.transport(), Transport::KeepOpen);
    }
}

#[test]
fn the_end_of_the_transport_is_the_end_in_every_state() {
    for role in ROLES {
        for mut ended in all_endings(role) {
            let before = ended.close_status();
            ended.receive_eof();
            assert_is_over(&mut ended);
            assert_eq!(ended.close_status(), before, "how it ended stays as it was");
        }
    }
}

#[test]
fn a_transport_that_ends_without_a_close_frame_is_an_abnormal_closure() {
    for role in ROLES {
        let mut open = Connection::new(role, Config::default());
        open.receive_eof();
        assert_is_over(&mut open);
        let status = open.close_status().unwrap();
        assert_eq!(status.closed_by, ClosedBy::Transport);
        assert_eq!((status.local, status.remote), (CloseSignal::Missing, CloseSignal::Missing));
        assert_eq!((status.remote.number(), status.is_clean()), (1006, false));
    }
}

#[test]
fn a_transport_that_ends_before_the_answer_is_an_abnormal_closure() {
    for role in ROLES {
        let mut closing = Connection::new(role, Config::default());
        closing.close(Some(close_body(1001, "")));
        drain(&mut closing);
        closing.receive_eof();
        assert_is_over(&mut closing);
        let status = closing.close_status().unwrap();
        assert_eq!(status.closed_by, ClosedBy::Local);
        assert_eq!((status.local, status.remote), (signal(1001), CloseSignal::Missing));
        assert_eq!((status.remote.number(), status.is_clean()), (1006, false));
    }
}

#[test]
fn a_transport_that_ends_inside_a_frame_or_a_message_is_an_abnormal_closure() {
    for role in ROLES {
        let whole = text("in two halves").sent_by(role.peer());
        let unfinished = text("one of two").unfinished().sent_by(role.peer());
        for bytes in [&whole[..1], &whole[..9], &unfinished] {
            let mut connection = Connection::new(role, Config::default());
            assert_eq!(feed_bytes(&mut connection, bytes), (vec![], None));
            connection.receive_eof();
            assert_is_over(&mut connection);
            assert_eq!(connection.close_status().unwrap().remote, CloseSignal::Missing);
        }
    }
}

#[test]
fn what_waits_when_the_transport_ends_does_not_keep_it_open() {
    // Nobody will read it: an adapter that obeys must come to an end.
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default());
        connection.send("never read").unwrap();
        connection.receive_eof();
        assert_eq!(connection.state(), ConnectionState::Closed);
        assert_eq!(connection.transport(), Transport::Close);
    }
}

#[test]
fn a_closure_is_clean_when_each_end_has_closed() {
    for role in ROLES {
        let mut by_us = Connection::new(role, Config::default());
        by_us.close(None);
        feed(&mut by_us, &[empty_close()]);
        let mut by_peer = Connection::new(role, Config::default());
        feed(&mut by_peer, &[empty_close()]);
        for mut connection in [by_us, by_peer] {
            assert!(connection.close_status().unwrap().is_clean());
            connection.receive_eof();
            assert!(connection.close_status().unwrap().is_clean());
        }
    }
}

#[test]
fn the_close_code_is_that_of_the_peers_close_frame() {
    for role in ROLES {
        let cases = [(close(4321, ""), 4321), (close(1000, ""), 1000), (empty_close(), 1005)];
        for (frame, number) in cases {
            let mut connection = Connection::new(role, Config::default());
            connection.close(Some(close_body(1001, "ours")));
            feed(&mut connection, &[frame]);
            assert_eq!(connection.close_status().unwrap().remote.number(), number);
            assert_eq!(connection.close_status().unwrap().local.number(), 1001);
        }
    }
}

#[test]
fn the_close_reason_is_that_of_the_peers_close_frame() {
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default());
        connection.close(Some(close_body(1000, "ours")));
        assert_eq!(connection.close_status().unwrap().reason, "");
        feed(&mut connection, &[close(1000, "thëirs")]);
        assert_eq!(connection.close_status().unwrap().reason, "thëirs");
        connection.receive_eof();
        assert_eq!(connection.close_status().unwrap().reason, "thëirs");
    }
}

#[test]
fn a_close_status_reads_as_the_peers_code_and_its_reason() {
    for (frame, words) in [
        (close(1000, "th\u{eb}irs"), "1000 \"th\u{eb}irs\""),
        (close(1001, "a \"b\"\r\n"), r#"1001 "a \"b\"\r\n""#),
        (close(4999, ""), "4999"),
        (empty_close(), "1005"),
    ] {
        for role in ROLES {
            let mut connection = Connection::new(role, Config::default());
            connection.close(Some(close_body(1011, "ours")));
            connection.receive_eof();
            assert_eq!(connection.close_status().unwrap().to_string(), "1006", "lost");

            let mut connection = Connection::new(role, Config::default());
            feed(&mut connection, std::slice::from_ref(&frame));
            assert_eq!(connection.close_status().unwrap().to_string(), words);
        }
    }
}

#[test]
fn failing_the_connection_sends_one_close_frame_and_is_final() {
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default());
        let mut bytes = text("before").sent_by(role.peer());
        bytes.extend(text("broken").with_rsv(2).sent_by(role.peer()));
        bytes.extend(text("after").sent_by(role.peer()));
        let refused = Some(ProtocolError::ReservedBits);
        assert_eq!(feed_bytes(&mut connection, &bytes), (vec![message("before")], refused));
        assert_eq!(drain_frames(&mut connection), [close(1002, "")]);

        // The error again, whatever arrives; and nothing more is sent.
        for further in [&bytes[..], b"", &close(1000, "").sent_by(role.peer())] {
            assert_eq!(feed_bytes(&mut connection, further), (vec![], refused));
        }
        connection.close(Some(close_body(1000, "")));
        assert_eq!(drain(&mut connection), b"");
        connection.receive_eof();
        assert_eq!(feed_bytes(&mut connection, b"more"), (vec![], refused));
        assert_is_over(&mut connection);
    }
}

#[test]
fn failing_after_our_own_close_sends_no_second_one() {
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default());
        connection.close(Some(close_body(1001, "")));
        let broken = text("").with_rsv(2).sent_by(role.peer());
        let (events, error) = feed_bytes(&mut connection, &broken);
        assert_eq!((events, error), (vec![], Some(ProtocolError::ReservedBits)));
        assert_eq!(drain_frames(&mut connection), [close(1001, "")]);
        assert_eq!(connection.state(), ConnectionState::Closing);
        assert_eq!(connection.transport(), crate::endpoint::transport_at_the_end(role));
        let CloseStatus { closed_by, local, remote, .. } = connection.close_status().unwrap();
        assert_eq!(closed_by, ClosedBy::Local);
        assert_eq!((local, remote), (signal(1001), CloseSignal::Missing));
    }
}

#[test]
fn a_failure_is_followed_by_the_close_frame_inside_a_message_being_sent() {
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default());
        connection.fragments().write("open").unwrap();
        let broken = text("").with_rsv(2).sent_by(role.peer());
        assert!(feed_bytes(&mut connection, &broken).1.is_some());
        connection.fragments().finish("never").unwrap_err();
        let sent = [text("open").unfinished(), close(1002, "")];
        assert_eq!(drain_frames(&mut connection), sent);
    }
}

#[test]
fn input_after_the_end_of_the_transport_is_discarded() {
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default());
        connection.receive_eof();
        let late = text("late").sent_by(role.peer());
        assert_eq!(feed_bytes(&mut connection, &late), (vec![], None));
        assert_is_over(&mut connection);
    }
}

#[test]
fn the_close_event_is_the_last_one() {
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default());
        let events = feed(&mut connection, &[text("a"), close(1000, "bye"), text("b")]);
        assert_eq!(events, [message("a"), close_event(1000, "bye")]);
        assert_eq!(feed(&mut connection, &[text("c"), close(1000, "bye")]), []);
    }
}

/// A connection for each way in which everything can have been said and written.
fn all_endings(role: Role) -> [Connection; 4] {
    let mut endings = [(); 4].map(|()| Connection::new(role, Config::default()));
    let [by_us, by_peer, failed, failed_while_closing] = &mut endings;
    by_us.close(Some(CloseFrame::from(CloseCode::NORMAL)));
    feed(by_us, &[close(1000, "")]);
    feed(by_peer, &[close(1001, "")]);
    let broken = text("").with_rsv(7).sent_by(role.peer());
    assert!(feed_bytes(failed, &broken).1.is_some());
    failed_while_closing.close(None);
    assert!(feed_bytes(failed_while_closing, &broken).1.is_some());
    for ended in &mut endings {
        drain(ended);
    }
    endings
}

/// The transport has ended; nothing has any effect any more.
#[track_caller]
fn assert_is_over(connection: &mut Connection) {
    assert_eq!(connection.state(), ConnectionState::Closed);
    assert_eq!(connection.transport(), Transport::Close);
    let status = connection.close_status();
    connection.receive_eof();
    connection.close(None);
    connection.send("late").unwrap_err();
    connection.ping(b"late").unwrap_err();
    assert_eq!(drain(connection), b"");
    assert_eq!(connection.close_status(), status);
    assert_eq!(connection.state(), ConnectionState::Closed);
}
