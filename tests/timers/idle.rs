//! A connection without messages is closed with 1001.

use sansocket::{
    CloseSignal, ClosedBy, Config, ConnectionState, Delivery, Event, PreparedMessage, TimeoutError,
    Timers,
};

use crate::endpoint::{Endpoint, LAST_CALL, ROLES, close_code, keepalive, ms, pings};

fn timers() -> Timers {
    Timers::default().idle(Some(ms(100))).close(Some(ms(30)))
}

#[test]
fn it_is_closed_when_the_timeout_has_passed_without_a_message() {
    for role in ROLES {
        let mut endpoint = Endpoint::started(role, timers());
        assert_eq!(endpoint.next(), Some(100));
        endpoint.assert_ends_at(100, TimeoutError::Idle);
        assert_eq!(endpoint.state(), ConnectionState::Closing);
        assert!(endpoint.connection.send("late").is_err());
        assert_eq!(close_code(&endpoint.write()), Some(1001));
    }
}

#[test]
fn then_the_deadline_of_closing_runs() {
    for role in ROLES {
        let mut endpoint = Endpoint::started(role, timers());
        endpoint.assert_ends_at(100, TimeoutError::Idle);
        assert_eq!(endpoint.next(), Some(140));
        endpoint.write();
        endpoint.silence();
        endpoint.assert_ends_at(140, TimeoutError::Close);
        let status = endpoint.connection.close_status().unwrap();
        assert_eq!(status.closed_by, ClosedBy::Local);
        assert_eq!((status.local.number(), status.remote), (1001, CloseSignal::Missing));
        endpoint.assert_over();
    }
}

#[test]
fn a_peer_that_answers_ends_it_cleanly() {
    for role in ROLES {
        let mut endpoint = Endpoint::started(role, timers());
        endpoint.assert_ends_at(100, TimeoutError::Idle);
        endpoint.write();
        assert_eq!(close_code(&endpoint.at(120).hear()), Some(1001));
        assert!(endpoint.connection.close_status().unwrap().is_clean());
        assert_eq!(endpoint.tick(121), Ok(()), "it is reported once");
        endpoint.connection.receive_eof();
        endpoint.assert_over();
    }
}

#[test]
fn it_goes_on_to_be_open_with_no_time_to_close() {
    for role in ROLES {
        let timers = Timers::default().idle(Some(ms(100)));
        let mut endpoint = Endpoint::started(role, timers);
        endpoint.assert_ends_at(100, TimeoutError::Idle);
        assert_eq!(endpoint.next(), None);
        assert_eq!(endpoint.tick(1_000_000), Ok(()));
        assert_eq!(endpoint.state(), ConnectionState::Closing);
        // And with a time of 0 it is over once the peer was listened to once more.
        let timers = timers.close(Some(ms(0)));
        let mut endpoint = Endpoint::started(role, timers);
        endpoint.assert_ends_at(100, TimeoutError::Idle);
        assert_eq!(endpoint.next(), Some(100 + 2 * LAST_CALL));
        assert_eq!(endpoint.tick(100 + 2 * LAST_CALL), Err(TimeoutError::Close));
        endpoint.assert_over();
    }
}

#[test]
fn a_message_in_either_direction_puts_it_off() {
    for role in ROLES {
        let sends: [fn(&mut Endpoint); 4] = [
            |endpoint| endpoint.connection.send("hello").unwrap(),
            |endpoint| {
                let prepared = PreparedMessage::new("hello");
                endpoint.connection.send_prepared(&prepared).unwrap();
            },
            |endpoint| endpoint.connection.fragments().write("hello").unwrap(),
            Endpoint::hear_message,
        ];
        for (index, send) in sends.into_iter().enumerate() {
            let mut endpoint = Endpoint::started(role, timers());
            endpoint.at(60);
            send(&mut endpoint);
            endpoint.write();
            assert_eq!(endpoint.tick(60), Ok(()));
            assert_eq!(endpoint.next(), Some(160), "{index}");
            endpoint.assert_nothing_until(159);
            endpoint.assert_ends_at(160, TimeoutError::Idle);
        }
    }
}

#[test]
fn a_message_that_is_refused_does_not() {
    for role in ROLES {
        let sends: [fn(&mut Endpoint); 4] = [
            |endpoint| drop(endpoint.connection.send("hello").unwrap_err()),
            |endpoint| drop(endpoint.connection.lend("hello").unwrap_err()),
            |endpoint| {
                let prepared = PreparedMessage::new("hello");
                drop(endpoint.connection.send_prepared(&prepared).unwrap_err());
            },
            |endpoint| drop(endpoint.connection.fragments().write("hello").unwrap_err()),
        ];
        for send in sends {
            let config = Config::default().max_outgoing_size(1);
            let mut endpoint = Endpoint::with_config(role, timers(), config);
            endpoint.connection.send("the peer takes nothing").unwrap();
            for now in (0..100).step_by(10) {
                assert_eq!(endpoint.tick(now), Ok(()));
                send(&mut endpoint);
            }
            assert_eq!(endpoint.tick(100), Ok(()));
            assert_eq!(endpoint.tick(100 + LAST_CALL), Err(TimeoutError::Idle));
        }
    }
}

#[test]
fn a_message_that_is_told_of_when_its_time_is_over_puts_it_off_as_well() {
    for role in ROLES {
        let mut endpoint = Endpoint::started(role, timers());
        assert_eq!(endpoint.tick(500), Ok(()));
        endpoint.at(500).hear_message();
        assert_eq!(endpoint.tick(500), Ok(()));
        assert_eq!(endpoint.next(), Some(600));
    }
}

#[test]
fn each_piece_of_a_message_counts_where_it_is_delivered_in_pieces() {
    for role in ROLES {
        let config = Config::default().delivery(Delivery::Chunks);
        let mut endpoint = Endpoint::with_config(role, timers(), config);
        assert_eq!(endpoint.tick(0), Ok(()));
        endpoint.peer.send(vec![0; 1000]).unwrap();
        for now in (50..1000).step_by(50) {
            assert!(matches!(endpoint.at(now).hear_up_to(50)[..], [Event::Chunk(_)]));
            assert_eq!(endpoint.tick(now), Ok(()));
            assert_eq!(endpoint.next(), Some(now + 100));
        }
    }
}

#[test]
fn pings_and_pongs_do_not_count() {
    for role in ROLES {
        let timers = timers().keepalive(Some(keepalive(20, 20)));
        let mut endpoint = Endpoint::started(role, timers);
        let mut answered = 0;
        for now in 1..100 {
            answered += pings(&endpoint.run(now));
            if now % 7 == 0 {
                endpoint.peer.ping(b"theirs").unwrap();
                endpoint.peer.pong(b"unasked for").unwrap();
                endpoint.hear();
            }
            assert_eq!(endpoint.connection.ping(b"mine"), Ok(()));
        }
        assert!(answered > 2, "the keepalive works meanwhile");
        assert_eq!(endpoint.tick(100), Ok(()));
        endpoint.peer.ping(b"theirs").unwrap();
        endpoint.at(105).hear();
        assert_eq!(endpoint.tick(100 + LAST_CALL), Err(TimeoutError::Idle));
    }
}

#[test]
fn a_peer_that_is_gone_is_told_from_one_that_is_idle() {
    for role in ROLES {
        for (idle, expected) in [(59, TimeoutError::Idle), (70, TimeoutError::Pong)] {
            let timers = Timers::default().keepalive(Some(keepalive(20, 50))).idle(Some(ms(idle)));
            let mut endpoint = Endpoint::started(role, timers);
            endpoint.run(20);
            endpoint.silence();
            endpoint.assert_ends_at(idle, expected);
        }
    }
}
