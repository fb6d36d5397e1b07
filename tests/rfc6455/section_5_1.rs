//! §5.1, overview: a client masks every frame that it sends, a server none.

use sansocket::{Connection, ProtocolError, Role};

use crate::endpoint::{Endpoint, ROLES, drain, feed, message};
use crate::wire::{self, Frame, OPCODES, frame, text};

#[test]
fn a_server_refuses_an_unmasked_frame() {
    for opcode in OPCODES {
        let bytes = frame(opcode, "unmasked").unmasked();
        let outcome = Endpoint::new(Role::Server).receives_bytes(&bytes);
        outcome.assert_failed(ProtocolError::UnmaskedFrame, 1002);
    }
}

#[test]
fn a_client_refuses_a_masked_frame() {
    for opcode in OPCODES {
        let bytes = frame(opcode, "masked").masked_with([1, 2, 3, 4]);
        let outcome = Endpoint::new(Role::Client).receives_bytes(&bytes);
        outcome.assert_failed(ProtocolError::MaskedFrame, 1002);
    }
}

#[test]
fn a_client_refuses_even_a_masking_key_of_zeros() {
    // Nothing of the payload is changed by it; the rule is about the bit.
    let outcome = Endpoint::new(Role::Client).receives_bytes(&text("same").masked_with([0; 4]));
    outcome.assert_failed(ProtocolError::MaskedFrame, 1002);
}

#[test]
fn an_empty_frame_is_held_to_the_rule_too() {
    let outcome = Endpoint::new(Role::Server).receives_bytes(&text("").unmasked());
    outcome.assert_failed(ProtocolError::UnmaskedFrame, 1002);
    let outcome = Endpoint::new(Role::Client).receives_bytes(&text("").masked_with([9; 4]));
    outcome.assert_failed(ProtocolError::MaskedFrame, 1002);
}

#[test]
fn the_second_byte_of_a_frame_is_enough_to_refuse_it() {
    let refused = [
        (Role::Server, [0x81, 0x05], ProtocolError::UnmaskedFrame),
        (Role::Client, [0x81, 0x85], ProtocolError::MaskedFrame),
    ];
    for (role, bytes, error) in refused {
        Endpoint::new(role).receives_bytes(&bytes).assert_failed(error, 1002);
    }
}

#[test]
fn what_was_masked_correctly_before_is_received() {
    for role in ROLES {
        let mut bytes = text("right").sent_by(role.peer());
        bytes.extend(text("wrong").sent_by(role));
        let error = match role {
            Role::Server => ProtocolError::UnmaskedFrame,
            Role::Client => ProtocolError::MaskedFrame,
        };
        let outcome = Endpoint::new(role).receives_bytes(&bytes);
        outcome.assert_failed_after(&[message("right")], &[], error, 1002);
    }
}

#[test]
fn a_client_masks_every_frame_and_a_server_none() {
    for role in ROLES {
        let mut connection = Connection::new(role, sansocket::Config::default());
        connection.send("text").unwrap();
        connection.send("").unwrap();
        connection.send(vec![0xFF; 70_000]).unwrap();
        connection.fragments().write("frag").unwrap();
        connection.ping(b"ping").unwrap();
        connection.pong(b"pong").unwrap();
        connection.fragments().finish("ments").unwrap();
        feed(&mut connection, &[wire::ping("asked")]);
        connection.close(None);

        // The reader refuses a mask, or its absence, by the sender's role.
        let opcodes: Vec<u8> =
            wire::frames_of(role, &drain(&mut connection)).iter().map(opcode).collect();
        assert_eq!(opcodes, [0x1, 0x1, 0x2, 0x1, 0x9, 0xA, 0x0, 0xA, 0x8]);
    }
}

fn opcode(frame: &Frame) -> u8 {
    frame.opcode
}
