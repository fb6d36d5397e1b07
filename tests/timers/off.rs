//! Without timers the time has no effect.

use sansocket::{ConnectionState, Timers};

use crate::endpoint::{Endpoint, ROLES};

#[test]
fn nothing_ever_happens_by_the_clock() {
    for role in ROLES {
        let actions: [fn(&mut Endpoint); 5] = [
            |_| {},
            Endpoint::hear_message,
            |endpoint| endpoint.connection.send("hello").unwrap(),
            |endpoint| endpoint.connection.close(None),
            |endpoint| endpoint.connection.receive_write_error(),
        ];
        for act in actions {
            let mut endpoint = Endpoint::new(role, Timers::default());
            act(&mut endpoint);
            let state = endpoint.state();
            for now in [0, 1, 1_000_000] {
                assert_eq!(endpoint.next(), None);
                assert_eq!(endpoint.tick(now), Ok(()));
            }
            assert_eq!(endpoint.state(), state);
            assert_ne!(state, ConnectionState::Closed);
            assert_eq!(endpoint.round_trip_time(), None);
        }
    }
}

#[test]
fn timers_do_not_make_a_connection_large() {
    assert!(size_of::<sansocket::Connection>() <= 256);
}
