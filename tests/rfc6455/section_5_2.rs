//! §5.2, base framing protocol: FIN, the reserved bits, opcodes, the three forms of the length.

use sansocket::frame::FrameHeader;
use sansocket::{Config, Connection, ConnectionState, ProtocolError, Role, Transport};

use crate::endpoint::{Endpoint, ROLES, bytes_message, drain, feed_bytes};
use crate::wire::{self, LENGTH_16, LENGTH_64, MASKED, OPCODES, announce, binary, frame};

/// At the ends of each of the three forms.
const LENGTHS: &[usize] = if cfg!(miri) {
    &[0, 1, 125, 126, 127]
} else {
    &[0, 1, 125, 126, 127, 65_535, 65_536, 65_537]
};

#[test]
fn a_reserved_bit_fails_the_connection() {
    for role in ROLES {
        for opcode in OPCODES {
            for rsv in 1..8 {
                let outcome = Endpoint::new(role).receives(&[frame(opcode, "").with_rsv(rsv)]);
                outcome.assert_failed(ProtocolError::ReservedBits, 1002);
            }
        }
    }
}

#[test]
fn a_reserved_opcode_fails_the_connection() {
    for role in ROLES {
        for opcode in (0x3..=0x7).chain(0xB..=0xF) {
            for frame in [frame(opcode, "data"), frame(opcode, "data").unfinished()] {
                let outcome = Endpoint::new(role).receives(&[frame]);
                outcome.assert_failed(ProtocolError::ReservedOpcode(opcode), 1002);
            }
        }
    }
}

#[test]
fn the_first_byte_is_enough_to_refuse_a_frame() {
    for role in ROLES {
        Endpoint::new(role)
            .receives_bytes(&[0x92])
            .assert_failed(ProtocolError::ReservedBits, 1002);
        Endpoint::new(role)
            .receives_bytes(&[0x8B])
            .assert_failed(ProtocolError::ReservedOpcode(0xB), 1002);
        Endpoint::new(role)
            .receives_bytes(&[0x09])
            .assert_failed(ProtocolError::FragmentedControlFrame, 1002);
    }
}

#[test]
fn each_form_of_the_length_is_received() {
    for role in ROLES {
        for &length in LENGTHS {
            let payload = vec![0xA5; length];
            let outcome = Endpoint::new(role).receives(&[binary(&payload)]);
            outcome.assert_open(&[bytes_message(&payload)], &[]);
        }
    }
}

#[test]
fn a_length_is_sent_in_its_shortest_form() {
    for role in ROLES {
        let masked = if role == Role::Client { MASKED } else { 0 };
        let cases: [(usize, &[u8]); 6] = [
            (0, &[0]),
            (125, &[125]),
            (126, &[126, 0, 126]),
            (65_535, &[126, 0xFF, 0xFF]),
            (65_536, &[127, 0, 0, 0, 0, 0, 1, 0, 0]),
            (70_000, &[127, 0, 0, 0, 0, 0, 1, 0x11, 0x70]),
        ];
        for (length, encoded) in cases {
            let mut connection = Connection::new(role, Config::default());
            connection.send(vec![1; length]).unwrap();
            let bytes = drain(&mut connection);
            assert_eq!(bytes[0], 0x82);
            assert_eq!(bytes[1], masked | encoded[0]);
            assert_eq!(bytes[2..=encoded.len()], encoded[1..], "{length}");
            assert_eq!(wire::frames_of(role, &bytes), [binary(vec![1; length])]);
        }
    }
}

#[test]
fn a_length_of_16_bits_that_fits_7_is_refused() {
    for role in ROLES {
        for length in [0, 1, 125_u8] {
            let mut bytes = vec![0x82, masked(role) | LENGTH_16, 0, length];
            bytes.extend([0; 200]);
            let outcome = Endpoint::new(role).receives_bytes(&bytes);
            outcome.assert_failed(ProtocolError::NonMinimalLength, 1002);
        }
    }
}

#[test]
fn a_length_of_64_bits_that_fits_less_is_refused() {
    for role in ROLES {
        for length in [0, 125, 126, 65_535] {
            let outcome = Endpoint::new(role).receives_bytes(&announce(role.peer(), 0x82, length));
            outcome.assert_failed(ProtocolError::NonMinimalLength, 1002);
        }
    }
}

#[test]
fn the_most_significant_bit_of_a_length_is_0() {
    for role in ROLES {
        for length in [1 << 63, (1 << 63) + 1, u64::MAX] {
            let outcome = Endpoint::new(role).receives_bytes(&announce(role.peer(), 0x82, length));
            outcome.assert_failed(ProtocolError::LengthTopBit, 1002);
        }
    }
}

#[test]
fn the_byte_with_the_most_significant_bit_is_enough_to_refuse_a_length() {
    for role in ROLES {
        let bytes = [0x82, masked(role) | LENGTH_64, 0x80];
        Endpoint::new(role).receives_bytes(&bytes).assert_failed(ProtocolError::LengthTopBit, 1002);
        // As the documentation of the codec says: "as soon as the byte that shows it is there".
        assert_eq!(FrameHeader::decode(&bytes), Err(ProtocolError::LengthTopBit));
    }
}

#[test]
fn the_longest_length_that_can_be_written_is_no_error() {
    for role in ROLES {
        for length in [(1 << 63) - 1, 1 << 32, (1 << 31) - 1] {
            let unlimited = Config::default().max_frame_size(u64::MAX).max_message_size(u64::MAX);
            let mut connection = Connection::new(role, unlimited);
            let mut bytes = announce(role.peer(), 0x82, length);
            bytes.extend([7; 100]);
            assert_eq!(feed_bytes(&mut connection, &bytes), (vec![], None));
            assert_eq!(connection.state(), ConnectionState::Open);
            assert_eq!(connection.transport(), Transport::KeepOpen);
        }
    }
}

#[test]
fn an_incomplete_header_is_waited_for() {
    for role in ROLES {
        let bytes = wire::binary(vec![0; 70_000]).sent_by(role.peer());
        for cut in 0..14 {
            Endpoint::new(role).receives_bytes(&bytes[..cut]).assert_open(&[], &[]);
        }
    }
}

/// The MASK bit that the peer of `role` sets.
fn masked(role: Role) -> u8 {
    if role == Role::Server { MASKED } else { 0 }
}
