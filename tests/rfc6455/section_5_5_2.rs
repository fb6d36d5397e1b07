//! §5.5.2, Ping: answered with its own payload, until a Close frame was received.

use sansocket::{Config, Connection, Event, ProtocolError, UsageError};

use crate::endpoint::{
    Endpoint, ROLES, close_event, drain_frames, feed, message, ping_event, signal,
};
use crate::wire::{self, empty_close, ping, pong, text};

#[test]
fn a_ping_is_answered_with_its_payload() {
    for role in ROLES {
        for payload in [&b""[..], b"payload", &[0xFF; 125]] {
            let outcome = Endpoint::new(role).receives(&[ping(payload)]);
            outcome.assert_open(&[ping_event(payload)], &[pong(payload)]);
        }
    }
}

#[test]
fn each_of_some_pings_is_answered_in_order() {
    for role in ROLES {
        let outcome = Endpoint::new(role).receives(&[ping("1"), text("between"), ping("2")]);
        outcome.assert_open(
            &[ping_event("1"), message("between"), ping_event("2")],
            &[pong("1"), pong("2")],
        );
    }
}

#[test]
fn a_pong_goes_between_what_was_queued_before_and_after() {
    for role in ROLES {
        let endpoint =
            Endpoint::new(role).echoing().after(|connection| connection.send("before").unwrap());
        let outcome = endpoint.receives(&[ping("ping"), text("after")]);
        outcome.assert_open(
            &[ping_event("ping"), message("after")],
            &[text("before"), pong("ping"), text("after")],
        );
    }
}

#[test]
fn a_ping_is_answered_in_a_full_queue() {
    for role in ROLES {
        let endpoint = Endpoint::new(role)
            .config(Config::default().max_outgoing_size(1))
            .after(|connection| connection.send("more than that").unwrap());
        let outcome = endpoint.receives(&[ping("ping")]);
        outcome.assert_open(&[ping_event("ping")], &[text("more than that"), pong("ping")]);
    }
}

#[test]
fn a_ping_is_answered_after_our_own_close_until_the_peers() {
    for role in ROLES {
        let endpoint = Endpoint::new(role).after(|connection| connection.close(None));
        let outcome = endpoint.receives(&[ping("1"), ping("2"), empty_close(), ping("3")]);
        assert_eq!(outcome.events, [ping_event("1"), ping_event("2"), Event::Close(None)]);
        assert_eq!(outcome.sent, [empty_close(), pong("1"), pong("2")]);
        outcome.assert_ended();
        assert!(outcome.close_status.unwrap().is_clean());
    }
}

#[test]
fn a_ping_behind_the_peers_close_is_not_answered() {
    for role in ROLES {
        let outcome = Endpoint::new(role).receives(&[wire::close(1000, ""), ping("late")]);
        outcome.assert_closed_by_peer(
            &[close_event(1000, "")],
            &[wire::close(1000, "")],
            signal(1000),
            "",
        );
    }
}

#[test]
fn a_ping_behind_an_error_is_not_answered() {
    for role in ROLES {
        let broken = wire::frame(wire::BINARY, "").with_rsv(4);
        let outcome = Endpoint::new(role).receives(&[ping("before"), broken, ping("after")]);
        outcome.assert_failed_after(
            &[ping_event("before")],
            &[pong("before")],
            ProtocolError::ReservedBits,
            1002,
        );
    }
}

#[test]
fn a_ping_is_sent_at_any_time_while_open() {
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default());
        connection.ping(b"1").unwrap();
        connection.fragments().write("open").unwrap();
        connection.ping(b"").unwrap();
        connection.close(None);
        assert_eq!(connection.ping(b"3"), Err(UsageError::NotOpen));
        let sent = [ping("1"), text("open").unfinished(), ping(""), empty_close()];
        assert_eq!(drain_frames(&mut connection), sent);
    }
}

#[test]
fn a_ping_finds_no_room_in_a_full_queue() {
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default().max_outgoing_size(10));
        connection.send("ten bytes and more").unwrap();
        assert_eq!(connection.ping(b"full"), Err(UsageError::BacklogFull));
        assert_eq!(connection.pong(b"full"), Err(UsageError::BacklogFull));
        assert_eq!(drain_frames(&mut connection), [text("ten bytes and more")]);
        connection.ping(b"room").unwrap();
        assert_eq!(drain_frames(&mut connection), [ping("room")]);
    }
}

#[test]
fn an_answer_to_our_ping_is_reported() {
    for role in ROLES {
        let mut ends = [role, role.peer()].map(|role| Connection::new(role, Config::default()));
        let [asking, asked] = &mut ends;
        asking.ping(b"there?").unwrap();
        assert_eq!(feed(asked, &drain_frames(asking)), [ping_event("there?")]);
        let events = feed(asking, &drain_frames(asked));
        assert_eq!(events, [crate::endpoint::pong_event("there?")]);
        assert_eq!(drain_frames(asking), []);
    }
}
