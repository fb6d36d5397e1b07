//! §5.5.3, Pong: the latest Ping is always answered; a Pong that nobody asked for needs no answer.

use bytes::Buf;
use sansocket::{Config, Connection, UsageError};

use crate::endpoint::{
    Endpoint, ROLES, close_event, drain_frames, feed, message, pong_event, signal,
};
use crate::wire::{self, Frame, PONG, empty_close, ping, pong, text};

/// More than any backlog of Pongs may hold.
const FLOOD: u32 = 10_000;

#[test]
fn an_unsolicited_pong_is_not_answered() {
    for role in ROLES {
        for payload in [&b""[..], b"heartbeat", &[0xFF; 125]] {
            let outcome = Endpoint::new(role).receives(&[pong(payload), text("next")]);
            outcome.assert_open(&[pong_event(payload), message("next")], &[]);
        }
    }
}

#[test]
fn a_pong_after_our_own_close_is_received() {
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default());
        connection.ping(b"last").unwrap();
        connection.close(None);
        drain_frames(&mut connection);
        let events = feed(&mut connection, &[pong("last"), wire::close(1000, "")]);
        assert_eq!(events, [pong_event("last"), close_event(1000, "")]);
        assert_eq!(drain_frames(&mut connection), []);
        assert_eq!(connection.close_status().unwrap().remote, signal(1000));
    }
}

#[test]
fn an_unsolicited_pong_is_sent_while_open() {
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default());
        connection.pong(b"heartbeat").unwrap();
        connection.pong(b"").unwrap();
        connection.close(None);
        assert_eq!(connection.pong(b"late"), Err(UsageError::NotOpen));
        assert_eq!(drain_frames(&mut connection), [pong("heartbeat"), pong(""), empty_close()]);
    }
}

#[test]
fn of_a_flood_of_pings_the_first_and_the_latest_are_answered() {
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default());
        flood(&mut connection);
        let sent = drain_frames(&mut connection);
        let count = sent.len() - 1;
        assert!((1..1000).contains(&count), "a backlog, but a short one: {count}");
        assert_eq!(sent[..count], answers(0..u32::try_from(count).unwrap()));
        assert_eq!(sent[count], pong((FLOOD - 1).to_be_bytes()));
    }
}

#[test]
fn a_flood_that_was_answered_leaves_nothing_behind() {
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default());
        flood(&mut connection);
        drain_frames(&mut connection);
        feed(&mut connection, &[ping("a"), ping("b"), ping("c")]);
        assert_eq!(drain_frames(&mut connection), [pong("a"), pong("b"), pong("c")]);
    }
}

#[test]
fn the_latest_answer_is_not_lost_to_a_peer_that_reads_slowly() {
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default());
        flood(&mut connection);
        let mut bytes = Vec::new();
        while connection.outgoing().has_remaining() {
            bytes.push(connection.outgoing().chunk()[0]);
            connection.outgoing().advance(1);
        }
        let sent = wire::frames_of(role, &bytes);
        assert_eq!(sent.last(), Some(&pong((FLOOD - 1).to_be_bytes())));
    }
}

#[test]
fn a_peer_that_takes_a_byte_now_and_then_is_not_owed_more() {
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default());
        flood(&mut connection);
        let waiting = connection.outgoing().remaining();
        for _ in 0..100 {
            connection.outgoing().advance(1);
            feed(&mut connection, &[ping("one more")]);
        }
        assert_eq!(connection.outgoing().remaining(), waiting - 100);
    }
}

#[test]
fn the_latest_answer_precedes_a_close_frame() {
    for role in ROLES {
        let mut closing = Connection::new(role, Config::default());
        flood(&mut closing);
        closing.close(None);
        let mut answered = Connection::new(role, Config::default());
        flood(&mut answered);
        feed(&mut answered, &[empty_close()]);
        for mut connection in [closing, answered] {
            let sent = drain_frames(&mut connection);
            let last = [pong((FLOOD - 1).to_be_bytes()), empty_close()];
            assert!(sent.ends_with(&last));
        }
    }
}

#[test]
fn a_flood_after_our_own_close_is_answered_too() {
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default());
        connection.close(None);
        flood(&mut connection);
        let sent = drain_frames(&mut connection);
        assert_eq!(sent[0], empty_close());
        assert_eq!(sent.last(), Some(&pong((FLOOD - 1).to_be_bytes())));
        assert!(sent.len() < 1000, "{} frames", sent.len());
    }
}

#[test]
fn a_flood_behind_messages_that_wait_leaves_them_whole() {
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default());
        connection.send("before").unwrap();
        flood(&mut connection);
        connection.send("after").unwrap();
        let sent = drain_frames(&mut connection);
        let messages: Vec<&Frame> = sent.iter().filter(|frame| frame.opcode != PONG).collect();
        assert_eq!(messages, [&text("before"), &text("after")]);
        assert_eq!(sent[0], text("before"));
        assert!(sent.contains(&pong((FLOOD - 1).to_be_bytes())));
    }
}

/// Numbered Pings, while nothing is written.
fn flood(connection: &mut Connection) {
    for number in 0..FLOOD {
        assert_eq!(feed(connection, &[ping(number.to_be_bytes())]).len(), 1);
    }
}

fn answers(numbers: impl Iterator<Item = u32>) -> Vec<Frame> {
    numbers.map(|number| pong(number.to_be_bytes())).collect()
}
