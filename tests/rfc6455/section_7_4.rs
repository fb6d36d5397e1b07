//! §7.4, status codes: which may be on the wire, and which is sent for what.

use sansocket::{CloseCode, CloseFrame, Config, Connection, Event, ProtocolError};

use crate::endpoint::{Endpoint, ROLES, STEP, close_event, drain_frames, feed_bytes, signal};
use crate::wire::{self, close};

/// §7.4.1 and §7.4.2, with 1012 to 1014 from the registry of section 11.7.
fn may_be_on_the_wire(code: u16) -> bool {
    match code {
        // 1004 is reserved; 1005, 1006 and 1015 must not be set in a Close frame.
        1004 | 1005 | 1006 | 1015 => false,
        // Defined by the RFC or registered; for libraries and frameworks; for private use.
        1000..=1014 | 3000..=3999 | 4000..=4999 => true,
        // Below 1000 nothing is used; 1016 to 2999 are reserved for later.
        _ => false,
    }
}

#[test]
fn every_code_is_received_or_refused() {
    for role in ROLES {
        for code in (0..=u16::MAX).step_by(STEP) {
            let mut connection = Connection::new(role, Config::default());
            let (events, error) =
                feed_bytes(&mut connection, &close(code, "").sent_by(role.peer()));
            let sent = drain_frames(&mut connection);
            if may_be_on_the_wire(code) {
                assert_eq!((events, error), (vec![close_event(code, "")], None));
                assert_eq!(sent, [close(code, "")]);
            } else {
                assert_eq!((events, error), (vec![], Some(ProtocolError::InvalidCloseCode(code))));
                assert_eq!(sent, [close(1002, "")]);
            }
        }
    }
}

#[test]
fn a_code_that_must_not_be_on_the_wire_fails_the_connection() {
    for role in ROLES {
        for code in [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535] {
            let refused = ProtocolError::InvalidCloseCode(code);
            let endpoint = Endpoint::new(role);
            endpoint.receives(&[close(code, "")]).assert_failed(refused, 1002);
            endpoint.receives(&[close(code, "a reason")]).assert_failed(refused, 1002);
        }
    }
}

#[test]
fn a_code_at_either_end_of_its_range_closes_the_connection() {
    for role in ROLES {
        for code in [1000, 1003, 1007, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999] {
            Endpoint::new(role).receives(&[close(code, "why")]).assert_closed_by_peer(
                &[close_event(code, "why")],
                &[close(code, "")],
                signal(code),
                "why",
            );
        }
    }
}

#[test]
fn an_invalid_code_comes_before_an_invalid_reason() {
    for role in ROLES {
        let outcome = Endpoint::new(role).receives(&[close(1006, [0xFF])]);
        outcome.assert_failed(ProtocolError::InvalidCloseCode(1006), 1002);
    }
}

#[test]
fn a_code_that_must_not_be_on_the_wire_cannot_be_sent() {
    for code in (0..=u16::MAX).step_by(STEP) {
        let made = CloseCode::new(code);
        assert_eq!(made.is_some(), may_be_on_the_wire(code), "{code}");
        assert_eq!(made.map(CloseCode::get), may_be_on_the_wire(code).then_some(code));
    }
}

#[test]
fn every_code_that_can_be_made_is_sent_as_it_is() {
    for role in ROLES {
        for code in (0..=u16::MAX).step_by(STEP).filter_map(CloseCode::new) {
            let mut connection = Connection::new(role, Config::default());
            connection.close(Some(CloseFrame::from(code)));
            assert_eq!(drain_frames(&mut connection), [close(code.get(), "")]);
        }
    }
}

#[test]
fn the_codes_have_the_numbers_of_section_7_4_1() {
    let numbers = [
        (CloseCode::NORMAL, 1000),
        (CloseCode::GOING_AWAY, 1001),
        (CloseCode::PROTOCOL_ERROR, 1002),
        (CloseCode::UNSUPPORTED_DATA, 1003),
        (CloseCode::INVALID_PAYLOAD, 1007),
        (CloseCode::POLICY_VIOLATION, 1008),
        (CloseCode::MESSAGE_TOO_BIG, 1009),
        (CloseCode::MANDATORY_EXTENSION, 1010),
        (CloseCode::INTERNAL_ERROR, 1011),
        (CloseCode::SERVICE_RESTART, 1012),
        (CloseCode::TRY_AGAIN_LATER, 1013),
        (CloseCode::BAD_GATEWAY, 1014),
    ];
    for (code, number) in numbers {
        assert_eq!(code.get(), number);
    }
}

#[test]
fn a_missing_code_is_reported_but_never_sent() {
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default());
        let bytes = wire::empty_close().sent_by(role.peer());
        assert_eq!(feed_bytes(&mut connection, &bytes), (vec![Event::Close(None)], None));
        let status = connection.close_status().unwrap();
        assert_eq!((status.local.number(), status.remote.number()), (1005, 1005));
        assert_eq!(drain_frames(&mut connection), [wire::empty_close()]);
    }
}
