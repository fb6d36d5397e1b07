//! The end has one deadline, from a Close frame, or what stands for it, to the end of the transport.

use bytes::Buf;
use sansocket::{ConnectionState, Role, TimeoutError, Timers, Transport};

use crate::endpoint::{Endpoint, LAST_CALL, ROLES, close_code, close_frame, keepalive, ms};

fn timers() -> Timers {
    // Everything else that the clock decides is over once the connection closes.
    Timers::default().keepalive(Some(keepalive(10, 10))).idle(Some(ms(10))).close(Some(ms(100)))
}

fn started(role: Role) -> Endpoint {
    let mut endpoint = Endpoint::new(role, timers());
    endpoint.at(5);
    endpoint
}

/// Asserts that the deadline begins to run at the next time that is told, then passes, and that the peer
/// is listened to once more.
#[track_caller]
fn assert_ends_100_later(endpoint: &mut Endpoint, start: u64, outcome: Result<(), TimeoutError>) {
    assert_eq!(endpoint.state(), ConnectionState::Closing);
    assert_eq!(endpoint.tick(start), Ok(()));
    assert_eq!(endpoint.next(), Some(start + 100));
    for now in start..start + 100 {
        assert_eq!(endpoint.tick(now), Ok(()));
    }
    assert_eq!(endpoint.next(), Some(start + 100), "telling the time doesn't move it");
    assert_eq!(endpoint.tick(start + 100), Ok(()));
    assert_eq!(endpoint.next(), Some(start + 100 + LAST_CALL));
    assert_eq!(endpoint.tick(start + 100 + LAST_CALL), outcome);
    assert_eq!(endpoint.connection.transport(), Transport::Close);
    endpoint.assert_over();
}

/// The connection closes, and the peer doesn't answer.
fn close(endpoint: &mut Endpoint) {
    endpoint.connection.close(Some(close_frame(4000)));
}

/// The peer closes.
fn receive_close(endpoint: &mut Endpoint) {
    endpoint.peer.close(Some(close_frame(4001)));
    assert_eq!(close_code(&endpoint.hear()), Some(4001));
}

/// The peer breaks the protocol.
fn fail(endpoint: &mut Endpoint) {
    let mut reserved_opcode = *b"\x83\x80\0\0\0\0";
    endpoint.connection.next_event(&mut &mut reserved_opcode[..]).unwrap_err();
}

#[test]
fn of_a_peer_that_does_not_answer_our_close() {
    for role in ROLES {
        // Whether the peer has heard it makes no difference.
        for write in [true, false] {
            let mut endpoint = started(role);
            close(&mut endpoint);
            if write {
                endpoint.write();
                endpoint.silence();
            }
            assert_ends_100_later(&mut endpoint, 10, Err(TimeoutError::Close));
        }
    }
}

#[test]
fn of_a_peer_that_does_not_read_our_answer() {
    for role in ROLES {
        let mut endpoint = started(role);
        receive_close(&mut endpoint);
        assert_ends_100_later(&mut endpoint, 10, Err(TimeoutError::Close));
    }
}

#[test]
fn of_a_peer_that_leaves_its_transport_open_which_is_no_error() {
    for role in ROLES {
        let mut endpoint = started(role);
        receive_close(&mut endpoint);
        endpoint.write();
        assert_ends_100_later(&mut endpoint, 10, Ok(()));
        assert!(endpoint.connection.close_status().unwrap().is_clean());

        let mut endpoint = started(role);
        close(&mut endpoint);
        endpoint.write();
        endpoint.hear();
        assert_ends_100_later(&mut endpoint, 10, Ok(()));
        assert!(endpoint.connection.close_status().unwrap().is_clean());
    }
}

#[test]
fn of_a_peer_that_broke_the_protocol() {
    for role in ROLES {
        for (write, outcome) in [(true, Ok(())), (false, Err(TimeoutError::Close))] {
            let mut endpoint = started(role);
            fail(&mut endpoint);
            if write {
                assert_eq!(close_code(&endpoint.write()), Some(1002));
            }
            assert_ends_100_later(&mut endpoint, 10, outcome);
        }
    }
}

#[test]
fn of_a_transport_that_takes_nothing_more() {
    for role in ROLES {
        let mut endpoint = started(role);
        endpoint.connection.receive_write_error();
        assert_ends_100_later(&mut endpoint, 10, Err(TimeoutError::Close));
        // Also after our own Close, which may not have left.
        let mut endpoint = started(role);
        close(&mut endpoint);
        endpoint.connection.receive_write_error();
        assert_ends_100_later(&mut endpoint, 10, Err(TimeoutError::Close));
        // But nothing is missing once the peer has closed.
        for by_us in [true, false] {
            let mut endpoint = started(role);
            if by_us {
                close(&mut endpoint);
            }
            receive_close(&mut endpoint);
            endpoint.connection.receive_write_error();
            assert_ends_100_later(&mut endpoint, 10, Ok(()));
        }
    }
}

#[test]
fn the_peers_close_and_whatever_else_arrives_does_not_stretch_it() {
    for role in ROLES {
        let mut endpoint = started(role);
        close(&mut endpoint);
        endpoint.write();
        assert_eq!(endpoint.tick(5), Ok(()));
        for now in 6..105 + LAST_CALL {
            endpoint.at(now);
            if endpoint.peer.outgoing().has_remaining() {
                endpoint.hear();
            }
            // Its Close comes first, and what it says after that counts for nothing.
            let _ = endpoint.peer.send("still talking");
            assert_eq!(endpoint.tick(now), Ok(()));
            let deadline = if now < 105 { 105 } else { 105 + LAST_CALL };
            assert_eq!(endpoint.next(), Some(deadline));
        }
        assert_eq!(endpoint.tick(105 + LAST_CALL), Ok(()), "both have closed");
        endpoint.assert_over();
    }
}

#[test]
fn a_peer_that_goes_on_talking_does_not_stretch_it_either() {
    for role in ROLES {
        let mut endpoint = started(role);
        // The peer hasn't heard of the close.
        close(&mut endpoint);
        assert_eq!(endpoint.tick(5), Ok(()));
        for now in 6..105 + LAST_CALL {
            endpoint.at(now).hear_message();
            assert_eq!(endpoint.tick(now), Ok(()));
        }
        assert_eq!(endpoint.tick(105 + LAST_CALL), Err(TimeoutError::Close));
        endpoint.assert_over();
    }
}

#[test]
fn an_answer_that_came_in_time_counts_however_late_it_is_read() {
    for role in ROLES {
        let mut endpoint = started(role);
        close(&mut endpoint);
        endpoint.write();
        assert_eq!(endpoint.tick(5), Ok(()));
        assert_eq!(endpoint.tick(5000), Ok(()), "what the peer said may not have been read");
        assert_eq!(endpoint.next(), Some(5000 + LAST_CALL));
        endpoint.at(5001).hear();
        assert_eq!(endpoint.tick(6000), Ok(()), "nothing is missing");
        endpoint.assert_over();
    }
}

#[test]
fn an_earlier_call_is_none_for_the_end() {
    for role in ROLES {
        let timers = Timers::default().idle(Some(ms(10))).close(Some(ms(100)));
        let mut endpoint = Endpoint::started(role, timers);
        assert_eq!(endpoint.tick(10), Ok(()));
        // During the last call for its messages.
        close(&mut endpoint);
        assert_ends_100_later(&mut endpoint, 15, Err(TimeoutError::Close));
    }
}

#[test]
fn there_is_none_unless_it_is_asked_for() {
    for role in ROLES {
        let timers = Timers::default().keepalive(Some(keepalive(10, 10)));
        let actions: [fn(&mut Endpoint); 4] =
            [close, receive_close, fail, |endpoint| endpoint.connection.receive_write_error()];
        for act in actions {
            let mut endpoint = Endpoint::started(role, timers);
            act(&mut endpoint);
            assert_eq!(endpoint.tick(1_000_000), Ok(()));
            assert_eq!(endpoint.next(), None);
            assert_eq!(endpoint.state(), ConnectionState::Closing);
        }
    }
}

#[test]
fn the_end_of_the_transport_ends_it() {
    for role in ROLES {
        let actions: [fn(&mut Endpoint); 4] = [|_| {}, close, receive_close, fail];
        for act in actions {
            let mut endpoint = started(role);
            act(&mut endpoint);
            assert_eq!(endpoint.tick(5), Ok(()));
            endpoint.connection.receive_eof();
            endpoint.assert_over();
        }
    }
}
