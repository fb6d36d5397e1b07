//! Peers that end their direction of TCP but still read.

use sansocket::blocking::Error;
use sansocket::frame::Opcode;

use super::{TOO_MUCH, assert_lost, assert_over, for_every_form, open, patient};

#[test]
fn the_end_at_any_byte_of_a_frame_is_a_loss_behind_the_messages_before() {
    for_every_form(|form| {
        let frame = form.incoming(Opcode::Binary, &[7; 200]);
        for cut in [0, 1, 2, 3, 4, 7, 8, 9, frame.len() - 1] {
            let (mut peer, ours) = open(form, patient(), |end| {
                assert_eq!(end.read().unwrap(), Some("before".into()));
                let outcome = end.read();
                assert_lost(end);
                outcome
            });
            peer.send(form.incoming(Opcode::Text, b"before"));
            peer.send(&frame[..cut]);
            peer.shutdown_write();
            assert_matches!(ours.outcome(), Err(Error::Lost), "{form:?} {cut}");
            peer.expect_eof();
        }
    });
}

#[test]
fn replies_that_are_queued_still_reach_a_peer_that_has_ended_its_direction() {
    for_every_form(|form| {
        let (mut peer, ours) = open(form, patient(), |end| {
            loop {
                match end.read() {
                    Ok(message) => end.write(message.unwrap()).unwrap(),
                    Err(error) => break error,
                }
            }
        });
        let mut segment = Vec::new();
        for number in 0..100 {
            segment.extend(form.incoming(Opcode::Text, format!("{number}").as_bytes()));
        }
        segment.extend(form.incoming(Opcode::Ping, b"still there?"));
        peer.send(segment);
        peer.shutdown_write();
        for number in 0..100 {
            peer.expect_frame(Opcode::Text, format!("{number}").as_bytes());
        }
        peer.expect_frame(Opcode::Pong, b"still there?");
        assert_matches!(ours.outcome(), Error::Lost, "{form:?}");
        peer.expect_eof();
    });
}

#[test]
fn a_long_message_still_reaches_a_peer_that_has_ended_its_direction() {
    for_every_form(|form| {
        let (mut peer, ours) = open(form, patient(), |end| {
            end.send(vec![7; TOO_MUCH].into()).unwrap();
            end.read()
        });
        peer.shutdown_write();
        let (opcode, payload) = peer.receive_frame();
        assert!(opcode == Opcode::Binary && payload == vec![7; TOO_MUCH], "{form:?}");
        peer.expect_eof();
        assert_matches!(ours.outcome(), Err(Error::Lost), "{form:?}");
    });
}

#[test]
fn a_close_frame_with_the_end_right_behind_it_is_a_clean_end() {
    for_every_form(|form| {
        let (mut peer, ours) = open(form, patient(), |end| {
            let outcome = end.read();
            assert!(end.close_status().unwrap().is_clean());
            outcome
        });
        peer.send(form.incoming(Opcode::Close, b"\x03\xE8"));
        peer.shutdown_write();
        peer.expect_close(1000);
        peer.expect_eof();
        assert_matches!(ours.outcome(), Ok(None), "{form:?}");
    });
}

#[test]
fn the_end_instead_of_an_answer_to_a_close_frame_is_a_loss() {
    for_every_form(|form| {
        let (mut peer, ours) = open(form, patient(), |end| {
            let outcome = end.close();
            assert_over(end);
            outcome
        });
        peer.expect_close(1000);
        peer.send(form.incoming(Opcode::Text, b"no answer"));
        peer.shutdown_write();
        assert_matches!(ours.outcome(), Err(Error::Lost), "{form:?}");
        peer.expect_eof();
    });
}
