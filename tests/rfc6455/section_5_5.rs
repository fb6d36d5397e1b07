//! §5.5, control frames: at most 125 bytes, never fragmented, anywhere between the frames of data.

use std::slice;

use sansocket::{
    CloseCode, CloseFrame, Config, Connection, ControlPayload, ProtocolError, Role, UsageError,
};

use crate::endpoint::{Endpoint, ROLES, close_event, drain_frames, ping_event, pong_event, signal};
use crate::wire::{
    self, CONTROL_OPCODES, LENGTH_16, LENGTH_64, MASKED, announce, frame, ping, pong,
};

#[test]
fn a_payload_of_125_bytes_is_received() {
    let payload = [0xA7; 125];
    let reason: &'static str = Box::leak("r".repeat(123).into_boxed_str());
    for role in ROLES {
        let outcome = Endpoint::new(role).receives(&[ping(payload), pong(payload)]);
        outcome.assert_open(&[ping_event(payload), pong_event(payload)], &[pong(payload)]);

        let outcome = Endpoint::new(role).receives(&[wire::close(1000, reason)]);
        outcome.assert_closed_by_peer(
            &[close_event(1000, reason)],
            &[wire::close(1000, "")],
            signal(1000),
            reason,
        );
    }
}

#[test]
fn a_payload_of_126_bytes_is_refused() {
    for role in ROLES {
        for opcode in CONTROL_OPCODES {
            for length in [126, 127, 65_535, 65_536] {
                let outcome = Endpoint::new(role).receives(&[frame(opcode, vec![0; length])]);
                outcome.assert_failed(ProtocolError::ControlFrameTooLong, 1002);
            }
            let huge = announce(role.peer(), 0x80 | opcode, 1 << 62);
            let outcome = Endpoint::new(role).receives_bytes(&huge);
            outcome.assert_failed(ProtocolError::ControlFrameTooLong, 1002);
        }
    }
}

#[test]
fn a_longer_form_of_the_length_is_refused_whatever_it_says() {
    for role in ROLES {
        let masked = if role == Role::Server { MASKED } else { 0 };
        for opcode in CONTROL_OPCODES {
            for form in [LENGTH_16, LENGTH_64] {
                let outcome = Endpoint::new(role).receives_bytes(&[0x80 | opcode, masked | form]);
                outcome.assert_failed(ProtocolError::ControlFrameTooLong, 1002);
            }
        }
    }
}

#[test]
fn a_control_frame_is_never_fragmented() {
    for role in ROLES {
        for opcode in CONTROL_OPCODES {
            for payload in ["", "half"] {
                let refused = ProtocolError::FragmentedControlFrame;
                let fragment = frame(opcode, payload).unfinished();
                let endpoint = Endpoint::new(role);
                endpoint.receives(slice::from_ref(&fragment)).assert_failed(refused, 1002);
                let inside = endpoint.receives(&[wire::text("open").unfinished(), fragment]);
                inside.assert_failed(refused, 1002);
            }
        }
    }
}

#[test]
fn a_control_frame_of_more_than_125_bytes_cannot_be_sent() {
    assert!(ControlPayload::new(vec![0; 125]).is_ok());
    assert_eq!(ControlPayload::new(vec![0; 126]), Err(UsageError::ControlPayloadTooLong(126)));
    let reason = "r".repeat(124);
    assert!(CloseFrame::new(CloseCode::NORMAL, &reason[1..]).is_ok());
    assert_eq!(
        CloseFrame::new(CloseCode::NORMAL, &*reason),
        Err(UsageError::CloseReasonTooLong(124))
    );
}

#[test]
fn a_payload_of_125_bytes_is_sent() {
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default());
        let payload = [0x5A; 125];
        connection.ping(&payload).unwrap();
        connection.pong(ControlPayload::new(&payload[..]).unwrap()).unwrap();
        let reason = "r".repeat(CloseFrame::MAX_REASON);
        connection.close(Some(CloseFrame::new(CloseCode::NORMAL, &*reason).unwrap()));
        let sent = [ping(payload), pong(payload), wire::close(1000, &reason)];
        assert_eq!(drain_frames(&mut connection), sent);
    }
}
