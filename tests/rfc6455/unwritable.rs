//! A transport that takes no more bytes, in each state (§7.1): nothing is sent any more, and what the
//! peer has to say is still heard.

use sansocket::{
    CloseSignal, CloseStatus, ClosedBy, Config, Connection, ConnectionState, ProtocolError, Role,
    Transport, UsageError,
};

use crate::endpoint::{
    ROLES, close_body, close_event, drain, feed, feed_bytes, message, ping_event, signal,
    transport_at_the_end,
};
use crate::wire::{close, ping, pong, text};

/// Before and after our own Close.
const STATES: [fn(&mut Connection); 3] = [
    |_| {},
    |connection| connection.close(Some(close_body(4000, ""))),
    |connection| {
        connection.close(Some(close_body(4000, "")));
        drain(connection);
    },
];

/// A connection whose transport takes no more bytes, and what its own Close said before.
fn each_unwritable(role: Role) -> impl Iterator<Item = (Connection, CloseSignal)> {
    STATES.into_iter().map(move |before| {
        let mut connection = Connection::new(role, Config::default());
        connection.send("written").unwrap();
        drain(&mut connection);
        connection.send("lost").unwrap();
        // More than is answered at once, so that one Pong waits for its turn.
        feed(&mut connection, &vec![ping(vec![0; 125]); 100]);
        before(&mut connection);
        let local = connection.close_status().map_or(CloseSignal::Missing, |status| status.local);
        connection.receive_write_error();
        (connection, local)
    })
}

#[track_caller]
fn assert_silent(connection: &mut Connection) {
    assert_eq!(connection.send("more").unwrap_err(), UsageError::NotOpen.into());
    assert_eq!(connection.fragments().write("more").unwrap_err(), UsageError::NotOpen.into());
    assert_eq!(connection.ping(b"more"), Err(UsageError::NotOpen));
    assert_eq!(connection.pong(b"more"), Err(UsageError::NotOpen));
    connection.close(Some(close_body(1000, "")));
    assert_eq!(drain(connection), b"", "nothing more is to be written");
}

#[track_caller]
fn assert_done(connection: &mut Connection, role: Role, expected: &CloseStatus) {
    assert_silent(connection);
    assert_eq!(connection.state(), ConnectionState::Closing);
    assert_eq!(connection.transport(), transport_at_the_end(role));
    assert_eq!(connection.close_status().as_ref(), Some(expected));
    connection.receive_write_error();
    assert_eq!(connection.close_status().as_ref(), Some(expected));
    connection.receive_eof();
    assert_eq!(connection.state(), ConnectionState::Closed);
    assert_eq!(connection.transport(), Transport::Close);
    assert_eq!(connection.close_status().as_ref(), Some(expected));
}

fn status(local: CloseSignal, begun_by: ClosedBy, remote: CloseSignal) -> CloseStatus {
    let mut connection = Connection::new(Role::Client, Config::default());
    connection.receive_eof();
    let mut status = connection.close_status().unwrap();
    let begun_by = if local == CloseSignal::Missing { begun_by } else { ClosedBy::Local };
    (status.local, status.closed_by, status.remote) = (local, begun_by, remote);
    status
}

#[test]
fn what_was_outgoing_is_discarded_and_nothing_more_is_sent() {
    for role in ROLES {
        for (mut connection, local) in each_unwritable(role) {
            assert_silent(&mut connection);
            assert_eq!(connection.state(), ConnectionState::Closing);
            assert_eq!(connection.transport(), Transport::KeepOpen, "there may be last words");
            let expected = status(local, ClosedBy::Transport, CloseSignal::Missing);
            assert_eq!(connection.close_status(), Some(expected));
        }
    }
}

#[test]
fn what_the_peer_said_before_is_received_and_not_answered() {
    for role in ROLES {
        for (mut connection, local) in each_unwritable(role) {
            let said = [text("one"), ping("?"), pong("!"), close(4001, "bye"), text("late")];
            let events = feed(&mut connection, &said);
            assert_eq!(events[..2], [message("one"), ping_event("?")]);
            assert_eq!(events[3..], [close_event(4001, "bye")]);
            let mut expected = status(local, ClosedBy::Remote, signal(4001));
            expected.reason = "bye".into();
            assert_done(&mut connection, role, &expected);
        }
    }
}

#[test]
fn a_ping_alone_is_not_answered_either() {
    for role in ROLES {
        for (mut connection, _) in each_unwritable(role) {
            feed(&mut connection, &[ping("?")]);
            assert_silent(&mut connection);
            assert_eq!(connection.transport(), Transport::KeepOpen);
        }
    }
}

#[test]
fn a_peer_that_breaks_the_protocol_has_broken_it() {
    for role in ROLES {
        for (mut connection, local) in each_unwritable(role) {
            let broken = text("").with_rsv(2).sent_by(role.peer());
            let outcome = feed_bytes(&mut connection, &broken);
            assert_eq!(outcome, (vec![], Some(ProtocolError::ReservedBits)));
            let expected = status(local, ClosedBy::Local, CloseSignal::Missing);
            assert_done(&mut connection, role, &expected);
        }
    }
}

#[test]
fn the_end_of_the_transport_is_the_end() {
    for role in ROLES {
        for (mut connection, local) in each_unwritable(role) {
            connection.receive_eof();
            assert_silent(&mut connection);
            assert_eq!(connection.state(), ConnectionState::Closed);
            assert_eq!(connection.transport(), Transport::Close);
            let expected = status(local, ClosedBy::Transport, CloseSignal::Missing);
            assert_eq!(connection.close_status(), Some(expected));
        }
    }
}

#[test]
fn a_connection_that_has_said_everything_goes_on_to_its_end() {
    for role in ROLES {
        let broken = text("").with_rsv(2).sent_by(role.peer());
        let endings: [&dyn Fn(&mut Connection); 3] = [
            &|connection| drop(feed(connection, &[close(1001, "")])),
            &|connection| {
                connection.close(None);
                feed(connection, &[close(1001, "")]);
            },
            &|connection| drop(feed_bytes(connection, &broken)),
        ];
        for end in endings {
            let mut connection = Connection::new(role, Config::default());
            end(&mut connection);
            let expected = connection.close_status().unwrap();
            assert_eq!(connection.transport(), Transport::KeepOpen, "there is a Close to write");
            connection.receive_write_error();
            assert_done(&mut connection, role, &expected);
        }
    }
}
