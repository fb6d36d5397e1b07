//! Section 6.1: sending. The first frame says that a message is compressed.

use sansocket::extension::Deflate;
use sansocket::{CloseCode, CloseFrame, Config, Connection, Message};

use crate::wire::{self, NO_TAKEOVER, ROLES, TAKEOVER};

fn text() -> String {
    "compressible ".repeat(20)
}

#[test]
fn rsv1_is_set_on_the_only_frame_of_a_message() {
    for role in ROLES {
        for sender in [TAKEOVER, NO_TAKEOVER] {
            let mut connection = wire::connection(role, Config::default(), sender);
            connection.send(text()).expect("open");
            connection.send(text().into_bytes()).expect("open");
            let frames = wire::sent(&mut connection);
            assert_eq!((frames[0].0, frames[1].0), (0xC1, 0xC2));
        }
    }
}

#[test]
fn rsv1_is_set_on_the_first_fragment_alone() {
    for role in ROLES {
        for sender in [TAKEOVER, NO_TAKEOVER] {
            let mut connection = wire::connection(role, Config::default(), sender);
            connection.fragments().write("one ").expect("open");
            connection.ping(b"?").expect("open");
            connection.fragments().write("").expect("open");
            connection.fragments().write("two ").expect("open");
            connection.fragments().finish("three").expect("open");
            let first_bytes: Vec<u8> =
                wire::sent(&mut connection).into_iter().map(|(first, _)| first).collect();
            assert_eq!(first_bytes, [0x41, 0x89, 0x00, 0x00, 0x80]);
        }
    }
}

#[test]
fn control_frames_are_not_compressed() {
    for role in ROLES {
        let mut connection = wire::connection(role, Config::default(), TAKEOVER);
        connection.ping(b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").expect("open");
        connection.pong(b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").expect("open");
        let reason = "a".repeat(100);
        connection.close(Some(CloseFrame::new(CloseCode::NORMAL, &*reason).expect("short")));
        let frames = wire::sent(&mut connection);
        assert_eq!(frames[0], (0x89, vec![b'a'; 32]));
        assert_eq!(frames[1], (0x8A, vec![b'a'; 32]));
        assert_eq!((frames[2].0, frames[2].1.len()), (0x88, 102));
    }
}

#[test]
fn a_message_under_the_threshold_is_sent_as_it_is() {
    for role in ROLES {
        let agreed = Deflate::default().threshold(100).agree(wire::both(TAKEOVER));
        let mut connection = Connection::new(role, Config::default()).with_deflate(&agreed);
        for (length, first) in [(0, 0x81), (99, 0x81), (100, 0xC1), (1000, 0xC1), (1, 0x81)] {
            connection.send("a".repeat(length)).expect("open");
            assert_eq!(wire::sent(&mut connection)[0].0, first, "{length}");
        }
    }
}

#[test]
fn a_message_that_would_not_become_smaller_is_sent_as_it_is_and_not_referred_to() {
    let noise: Vec<u8> = (0..=255).collect();
    for role in ROLES {
        for sender in [TAKEOVER, NO_TAKEOVER] {
            let mut connection = wire::connection(role, Config::default(), sender);
            connection.send(text()).expect("open");
            connection.send(&noise[..]).expect("open");
            // Would be a single reference if the noise were in the peer's window.
            connection.send([&noise[..], &[0; 200]].concat()).expect("open");
            let bytes = wire::take_outgoing(&mut connection);
            let mut peer = wire::connection(role.peer(), Config::default(), sender);
            let expected = vec![
                text().into(),
                Message::from(noise.clone()),
                [&noise[..], &[0; 200]].concat().into(),
            ];
            assert_eq!(wire::receive(&mut peer, &bytes, bytes.len()), (expected, None));
        }
    }
}

#[test]
fn without_an_agreement_nothing_is_compressed() {
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default());
        connection.send(text()).expect("open");
        assert_eq!(wire::sent(&mut connection), [(0x81, text().into_bytes())]);
    }
}

#[test]
fn a_long_message_that_is_lent_is_compressed_too() {
    let long = "over and over ".repeat(10_000);
    for role in ROLES {
        let mut sent = wire::connection(role, Config::default(), TAKEOVER);
        sent.send(&*long).expect("open");
        let mut lent = wire::connection(role, Config::default(), TAKEOVER);
        drop(lent.lend(&*long).expect("open"));
        let frames = wire::sent(&mut lent);
        assert_eq!(frames[0].0, 0xC1);
        assert_eq!(frames, wire::sent(&mut sent));
    }
}
