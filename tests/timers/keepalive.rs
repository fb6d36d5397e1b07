//! A peer that has fallen silent is detected by Pings (RFC 6455, sections 5.5.2 and 5.5.3).

use bytes::Buf;
use sansocket::{
    CloseSignal, ClosedBy, Config, ConnectionState, Event, TimeoutError, Timers, UsageError,
};

use crate::endpoint::{Endpoint, LAST_CALL, ROLES, keepalive, ms, pings};

/// A Ping every 20 ms, with 50 ms to answer.
fn timers() -> Timers {
    Timers::default().keepalive(Some(keepalive(20, 50)))
}

#[test]
fn the_first_ping_goes_out_an_interval_after_the_clock_has_begun_to_run() {
    for role in ROLES {
        let mut endpoint = Endpoint::new(role, timers());
        assert_eq!(endpoint.next(), None, "no time was told yet");
        assert_eq!(endpoint.tick(100), Ok(()));
        assert_eq!(endpoint.next(), Some(120));
        endpoint.assert_nothing_until(119);
        assert_eq!(pings(&endpoint.run(120)), 1);
    }
}

#[test]
fn a_ping_is_answered_by_its_pong_and_the_next_goes_out_an_interval_later() {
    for role in ROLES {
        let mut endpoint = Endpoint::started(role, timers());
        for round in 0..100 {
            let start = round * 27;
            assert_eq!(endpoint.next(), Some(start + 20));
            endpoint.assert_nothing_until(start + 19);
            assert_eq!(pings(&endpoint.run(start + 20)), 1);
            assert_eq!(endpoint.next(), Some(start + 70));
            endpoint.assert_nothing_until(start + 26);
            endpoint.at(start + 27).hear();
            assert_eq!(endpoint.round_trip_time(), Some(7));
        }
        assert_eq!(endpoint.state(), ConnectionState::Open);
    }
}

#[test]
fn the_payloads_of_pings_differ() {
    for role in ROLES {
        let mut endpoint = Endpoint::started(role, timers());
        let mut seen = Vec::new();
        for round in 1..300 {
            let [Event::Ping(payload)] = &endpoint.run(round * 20)[..] else { panic!() };
            assert!(!seen.contains(&payload.to_vec()));
            seen.push(payload.to_vec());
            endpoint.hear();
        }
    }
}

#[test]
fn a_peer_that_says_nothing_is_gone_when_the_timeout_has_passed_since_the_ping_left() {
    for role in ROLES {
        let mut endpoint = Endpoint::started(role, timers());
        assert_eq!(pings(&endpoint.run(20)), 1);
        endpoint.silence();
        assert_eq!(endpoint.next(), Some(70));
        endpoint.assert_ends_at(70, TimeoutError::Pong);
        let status = endpoint.connection.close_status().unwrap();
        assert_eq!(status.closed_by, ClosedBy::Transport);
        assert_eq!((status.local, status.remote), (CloseSignal::Missing, CloseSignal::Missing));
        assert!(endpoint.connection.send("more").is_err());
        endpoint.assert_over();
    }
}

#[test]
fn a_driver_that_is_late_is_told_the_same() {
    for role in ROLES {
        let mut endpoint = Endpoint::started(role, timers());
        // Nobody looked at the time for long: first there has to be a Ping.
        assert_eq!(pings(&endpoint.run(1000)), 1);
        assert_eq!(endpoint.next(), Some(1050));
        assert_eq!(endpoint.tick(9000), Ok(()), "what the peer said may not have been read");
        assert_eq!(endpoint.next(), Some(9000 + LAST_CALL));
        assert_eq!(endpoint.tick(9999), Err(TimeoutError::Pong));
        endpoint.assert_over();
    }
}

#[test]
fn what_arrived_before_the_time_was_told_is_a_sign_of_life() {
    for role in ROLES {
        let mut endpoint = Endpoint::started(role, timers());
        endpoint.run(20);
        // The Pong was there in time, and is read late.
        assert_eq!(endpoint.tick(500), Ok(()));
        endpoint.at(500).hear();
        assert_eq!(endpoint.tick(500), Ok(()));
        assert_eq!(endpoint.next(), Some(520));
    }
}

#[test]
fn the_deadline_runs_from_when_the_ping_has_left() {
    for role in ROLES {
        let mut endpoint = Endpoint::started(role, timers());
        assert_eq!(endpoint.tick(20), Ok(()));
        // All but its last byte, one at a time.
        let outgoing = endpoint.connection.outgoing().remaining();
        for step in 1..outgoing as u64 {
            let now = 20 + 40 * step;
            assert_eq!(pings(&endpoint.at(now).write_up_to(1)), 0);
            assert_eq!(endpoint.tick(now), Ok(()));
            assert_eq!(
                endpoint.next(),
                Some(now + 50),
                "what is taken slowly can't be answered yet"
            );
        }
        assert_eq!(pings(&endpoint.write()), 1);
        assert_eq!(endpoint.tick(700), Ok(()));
        endpoint.silence();
        endpoint.assert_ends_at(750, TimeoutError::Pong);
    }
}

#[test]
fn a_peer_that_says_nothing_and_takes_nothing_is_gone_though_the_ping_never_left() {
    for role in ROLES {
        for taken in [0, 1000] {
            let mut endpoint = Endpoint::started(role, timers());
            endpoint.connection.send(vec![0; 100_000]).unwrap();
            assert_eq!(endpoint.tick(20), Ok(()));
            endpoint.at(60).write_up_to(taken);
            assert_eq!(endpoint.tick(60), Ok(()));
            // It counts as taken at the time that is told next.
            endpoint.assert_ends_at(if taken == 0 { 70 } else { 110 }, TimeoutError::Pong);
        }
    }
}

#[test]
fn a_peer_that_talks_and_takes_nothing_is_not_silent() {
    for role in ROLES {
        let mut endpoint = Endpoint::started(role, timers());
        endpoint.connection.send(vec![0; 100_000]).unwrap();
        for round in 1..20 {
            assert_eq!(endpoint.tick(20 * round), Ok(()));
            endpoint.hear_message();
        }
        endpoint.assert_ends_at(19 * 20 + 50, TimeoutError::Pong);
    }
}

#[test]
fn the_deadline_runs_although_other_bytes_wait_behind_the_ping() {
    for role in ROLES {
        let mut endpoint = Endpoint::started(role, timers());
        endpoint.connection.send("before").unwrap();
        assert_eq!(endpoint.tick(20), Ok(()));
        let until_ping = endpoint.connection.outgoing().remaining();
        endpoint.connection.send(vec![0; 100_000]).unwrap();
        assert_eq!(pings(&endpoint.write_up_to(until_ping)), 1);
        endpoint.silence();
        // There is always something more to write.
        assert_eq!(endpoint.tick(30), Ok(()));
        assert_eq!(endpoint.next(), Some(80));
        endpoint.write_up_to(1000);
        assert_eq!(endpoint.tick(80), Ok(()));
        assert_eq!(endpoint.tick(80 + LAST_CALL), Err(TimeoutError::Pong));
    }
}

#[test]
fn a_ping_goes_out_although_the_queue_is_full() {
    for role in ROLES {
        let config = Config::default().max_outgoing_size(10);
        let mut endpoint = Endpoint::with_config(role, timers(), config);
        assert_eq!(endpoint.tick(0), Ok(()));
        endpoint.connection.send(vec![0; 100]).unwrap();
        assert_eq!(endpoint.connection.ping(b"mine"), Err(UsageError::BacklogFull));
        assert_eq!(endpoint.tick(20), Ok(()));
        // If it hadn't left, the peer would be blamed for its silence.
        assert_eq!(pings(&endpoint.write()), 1);
        endpoint.at(25).hear();
        assert_eq!(endpoint.tick(25), Ok(()));
        assert_eq!(endpoint.next(), Some(45));
    }
}

#[test]
fn whatever_arrives_is_a_sign_of_life() {
    for role in ROLES {
        let mut endpoint = Endpoint::started(role, timers());
        endpoint.run(20);
        endpoint.silence();
        // One byte of a frame that takes forever: no Pong fits inside it.
        endpoint.peer.send(vec![0; 10_000]).unwrap();
        for now in (60..2000).step_by(40) {
            assert_eq!(endpoint.at(now).hear_up_to(1), []);
            assert_eq!(endpoint.tick(now), Ok(()));
            assert_eq!(endpoint.next(), Some(now + 50));
        }
        endpoint.silence();
        endpoint.assert_ends_at(2030, TimeoutError::Pong);
    }
}

#[test]
fn a_sign_of_life_before_the_ping_left_does_not_shorten_its_deadline() {
    for role in ROLES {
        let mut endpoint = Endpoint::started(role, timers());
        endpoint.at(5).hear_message();
        assert_eq!(pings(&endpoint.run(20)), 1);
        assert_eq!(endpoint.next(), Some(70));
    }
}

#[test]
fn a_peer_that_is_heard_at_last_has_all_its_time_again() {
    for role in ROLES {
        let mut endpoint = Endpoint::started(role, timers());
        endpoint.run(20);
        endpoint.silence();
        for now in [500, 1000, 1500] {
            // The application was busy, reads a piece of what is there, and is busy with that.
            assert_eq!(endpoint.tick(now), Ok(()));
            assert_eq!(endpoint.next(), Some(now + LAST_CALL));
            endpoint.at(now + 1).hear_message();
        }
        endpoint.assert_ends_at(1551, TimeoutError::Pong);
    }
}

#[test]
fn a_peer_that_was_listened_to_once_more_for_another_reason_is_so_again() {
    for role in ROLES {
        let mut endpoint = Endpoint::started(role, timers().idle(Some(ms(30))));
        endpoint.run(20);
        endpoint.silence();
        assert_eq!(endpoint.tick(30), Ok(()));
        assert_eq!(endpoint.next(), Some(30 + LAST_CALL), "no message so far");
        // The application is busy with this one while another arrives.
        endpoint.at(31).hear_message();
        assert_eq!(endpoint.tick(500), Ok(()));
        assert_eq!(endpoint.next(), Some(500 + LAST_CALL));
        endpoint.at(501).hear_message();
        assert_eq!(endpoint.tick(501), Ok(()));
        assert_eq!(endpoint.next(), Some(531));
    }
}

#[test]
fn a_pong_with_another_payload_answers_nothing() {
    for role in ROLES {
        let mut endpoint = Endpoint::started(role, timers());
        // Payloads that could be taken for an answer: none, an earlier one, a longer one.
        let [Event::Ping(first)] = &endpoint.run(20)[..] else { panic!() };
        let first = first.clone();
        endpoint.at(30).hear();
        assert_eq!(endpoint.round_trip_time(), Some(10));
        let [Event::Ping(second)] = &endpoint.run(50)[..] else { panic!() };
        let longer = [&second[..], b"?"].concat();
        endpoint.silence();
        for payload in [b"".to_vec(), first.to_vec(), longer] {
            let payload = sansocket::ControlPayload::new(payload).unwrap();
            endpoint.peer.pong(payload).unwrap();
            endpoint.at(60).hear();
            assert_eq!(endpoint.tick(60), Ok(()));
            assert_eq!(endpoint.round_trip_time(), Some(10), "nothing new");
            assert_eq!(endpoint.next(), Some(110), "but a sign of life");
        }
        endpoint.assert_ends_at(110, TimeoutError::Pong);
    }
}

/// §5.5.3: a peer that finds several Pings may answer the latest and no other.
#[test]
fn a_pong_for_a_later_ping_of_the_application_answers_all_before() {
    for role in ROLES {
        for told in [true, false] {
            let mut endpoint = Endpoint::started(role, timers());
            endpoint.connection.ping(b"before it").unwrap();
            assert_eq!(endpoint.tick(20), Ok(()));
            endpoint.connection.ping(b"after it").unwrap();
            assert_eq!(pings(&endpoint.write()), 3);
            if told {
                assert_eq!(endpoint.tick(20), Ok(()));
            }
            endpoint.silence();
            endpoint.peer.pong(b"after it").unwrap();
            endpoint.at(26).hear();
            assert_eq!(endpoint.round_trip_time(), None, "that one wasn't answered");
            // One more doesn't change that.
            endpoint.connection.ping(b"much later").unwrap();
            assert_eq!(endpoint.tick(26), Ok(()));
            assert_eq!(endpoint.next(), Some(46));
            assert_eq!(pings(&endpoint.write()), 1);

            // The next one has to be answered by itself again.
            assert_eq!(pings(&endpoint.run(46)), 1);
            endpoint.silence();
            endpoint.peer.pong(b"after it").unwrap();
            endpoint.at(50).hear();
            endpoint.assert_ends_at(100, TimeoutError::Pong);
        }
    }
}

#[test]
fn a_pong_for_an_earlier_ping_of_the_application_answers_nothing() {
    for role in ROLES {
        let mut endpoint = Endpoint::started(role, timers());
        endpoint.connection.ping(b"before it").unwrap();
        assert_eq!(pings(&endpoint.at(10).write()), 1);
        endpoint.connection.send(vec![0; 100_000]).unwrap();
        assert_eq!(endpoint.tick(20), Ok(()));
        endpoint.connection.ping(b"after it").unwrap();
        endpoint.at(30).hear();
        assert_eq!(endpoint.tick(30), Ok(()));
        assert_eq!(endpoint.next(), Some(80), "ours still waits");
        assert_eq!(pings(&endpoint.at(40).write()), 2);
        assert_eq!(endpoint.tick(40), Ok(()));
        assert_eq!(endpoint.next(), Some(90));
        endpoint.at(45).hear();
        assert_eq!(endpoint.round_trip_time(), Some(5), "not since it was queued");
        assert_eq!(endpoint.next(), Some(65));
    }
}

#[test]
fn a_pong_answers_a_ping_whose_leaving_was_not_told() {
    for role in ROLES {
        let mut endpoint = Endpoint::started(role, timers());
        assert_eq!(endpoint.tick(20), Ok(()));
        endpoint.write();
        endpoint.at(26).hear();
        assert_eq!(endpoint.round_trip_time(), Some(6), "since it was queued");
        assert_eq!(endpoint.tick(26), Ok(()));
        assert_eq!(endpoint.next(), Some(46));
    }
}

#[test]
fn pings_stand_between_the_fragments_of_a_message() {
    for role in ROLES {
        let mut endpoint = Endpoint::started(role, timers());
        endpoint.connection.fragments().write("be").unwrap();
        assert_eq!(pings(&endpoint.run(20)), 1);
        endpoint.connection.fragments().finish("gin").unwrap();
        assert_eq!(endpoint.write(), [Event::Message("begin".into())]);
        // And the peer's Pong between its own.
        endpoint.peer.fragments().write(&[1; 4]).unwrap();
        endpoint.peer.fragments().finish(&[2; 4]).unwrap();
        endpoint.at(25).hear();
        assert_eq!(endpoint.tick(25), Ok(()));
        assert_eq!(endpoint.next(), Some(45));
    }
}

#[test]
fn there_is_one_ping_at_a_time() {
    for role in ROLES {
        let mut endpoint = Endpoint::started(role, timers());
        assert_eq!(pings(&endpoint.run(20)), 1);
        endpoint.silence();
        for now in (30..1000).step_by(10) {
            endpoint.at(now).hear_ping();
            assert_eq!(pings(&endpoint.run(now)), 0);
        }
    }
}

#[test]
fn there_are_no_pings_once_the_connection_closes() {
    for role in ROLES {
        let mut endpoint = Endpoint::started(role, timers());
        endpoint.connection.close(None);
        endpoint.write();
        endpoint.silence();
        assert_eq!(endpoint.next(), None);
        assert_eq!(endpoint.run(1_000_000), []);
        // Nor is one already under way waited for.
        let mut endpoint = Endpoint::started(role, timers());
        endpoint.run(20);
        endpoint.silence();
        endpoint.connection.close(None);
        assert_eq!(endpoint.next(), None);
        assert_eq!(endpoint.tick(1_000_000), Ok(()));
        assert_eq!(endpoint.state(), ConnectionState::Closing);
    }
}

#[test]
fn times_beyond_the_clocks_range_never_come() {
    for role in ROLES {
        let timers = Timers::default().keepalive(Some(keepalive(u64::MAX, u64::MAX)));
        let mut endpoint = Endpoint::started(role, timers);
        assert!(endpoint.next().is_none_or(|next| next > 1 << 60));
        assert_eq!(endpoint.run(1 << 40), []);
    }
}
