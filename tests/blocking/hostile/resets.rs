//! Peers that reset TCP.

use std::io::ErrorKind;

use sansocket::blocking::Error;
use sansocket::frame::Opcode;
use sansocket::{CloseCode, CloseSignal};

use super::{TOO_MUCH, assert_lost, assert_over, for_every_form, open, patient, reset, take_some};

/// What the transport says when it is reset, or used after that.
fn is_reset(kind: ErrorKind) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    matches!(kind, ConnectionReset | ConnectionAborted | BrokenPipe)
}

#[test]
fn a_reset_at_any_byte_of_a_frame_is_an_error_of_the_transport() {
    for_every_form(|form| {
        let frame = form.incoming(Opcode::Binary, &[7; 200]);
        for cut in [0, 1, 2, 3, 4, 7, 8, 9, frame.len() - 1] {
            let (mut peer, ours) = open(form, patient(), |end| {
                assert_eq!(end.read().unwrap(), Some("before".into()));
                end.send("ready".into()).unwrap();
                let outcome = end.read();
                assert_lost(end);
                outcome
            });
            peer.send(form.incoming(Opcode::Text, b"before"));
            peer.expect_frame(Opcode::Text, b"ready");
            peer.send(&frame[..cut]);
            reset(peer);
            let context = (form, cut);
            assert_matches!(ours.outcome(), Err(Error::Io(error)) if is_reset(error.kind()), "{context:?}");
        }
    });
}

#[test]
fn a_reset_under_a_message_that_is_being_sent_is_an_error_of_the_write() {
    for_every_form(|form| {
        let (peer, ours) = open(form, patient(), |end| {
            let outcome = end.send(vec![7; TOO_MUCH].into());
            assert!(end.read().is_err());
            assert_lost(end);
            outcome
        });
        // The beginning of the message is there, and it goes on.
        take_some(&peer);
        reset(peer);
        assert_matches!(ours.outcome(), Err(Error::Io(error)) if is_reset(error.kind()), "{form:?}");
    });
}

#[test]
fn a_reset_instead_of_an_answer_to_a_close_frame_is_no_clean_end() {
    for_every_form(|form| {
        let (mut peer, ours) = open(form, patient(), |end| {
            let outcome = end.close();
            assert_over(end);
            assert_eq!(end.close_status().unwrap().local, CloseSignal::Code(CloseCode::NORMAL));
            outcome
        });
        peer.expect_close(1000);
        reset(peer);
        assert_matches!(ours.outcome(), Err(Error::Io(error)) if is_reset(error.kind()), "{form:?}");
    });
}
