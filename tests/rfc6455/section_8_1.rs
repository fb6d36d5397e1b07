//! §8.1, UTF-8: text is judged as a whole, and fails at the first byte that can't be right.

use sansocket::{Config, Connection, ProtocolError};

use crate::endpoint::{
    Endpoint, ROLES, STEP, bytes_message, drain_frames, feed_bytes, message, ping_event,
};
use crate::wire::{binary, close, continuation, ping, pong, text};

/// Invalid sequences (RFC 3629), with the number of bytes after which that is certain.
const INVALID: [(&[u8], usize); 20] = [
    (b"\x80", 1),
    (b"\xBF", 1),
    (b"\xC0\x80", 1),
    (b"\xC1\xBF", 1),
    (b"\xC3\x28", 2),
    (b"\xC3\xC3", 2),
    (b"\xE0\x80\x80", 2),
    (b"\xE0\x9F\xBF", 2),
    (b"\xE2\x28\xA1", 2),
    (b"\xE2\x82\x28", 3),
    (b"\xED\xA0\x80", 2),
    (b"\xED\xBF\xBF", 2),
    (b"\xF0\x80\x80\x80", 2),
    (b"\xF0\x8F\xBF\xBF", 2),
    (b"\xF0\x9F\x98\x28", 4),
    (b"\xF4\x90\x80\x80", 2),
    (b"\xF5\x80\x80\x80", 1),
    (b"\xF8\x88\x80\x80\x80", 1),
    (b"\xFE", 1),
    (b"\xFF", 1),
];

#[test]
fn text_that_is_not_utf8_fails_the_connection() {
    for role in ROLES {
        for (invalid, _) in INVALID {
            for (before, after) in [("", ""), ("valid ", ""), ("", " valid"), ("κόσμε", "😀")]
            {
                let payload = [before.as_bytes(), invalid, after.as_bytes()].concat();
                let outcome = Endpoint::new(role).receives(&[text(payload)]);
                outcome.assert_failed(ProtocolError::InvalidUtf8, 1007);
            }
        }
    }
}

#[test]
fn text_fails_at_the_first_byte_that_cannot_be_continued() {
    for role in ROLES {
        for (invalid, certain) in INVALID {
            // The frame goes on, and so does the message, but nobody has to wait for that.
            let bytes = text([b"valid ", invalid, &[b'.'; 200]].concat()).unfinished();
            let bytes = bytes.sent_by(role.peer());
            let header = bytes.len() - 6 - invalid.len() - 200;
            let (fine, rest) = bytes.split_at(header + 6 + certain - 1);
            let mut connection = Connection::new(role, Config::default());
            assert_eq!(feed_bytes(&mut connection, fine), (vec![], None), "{invalid:x?}");
            let (events, error) = feed_bytes(&mut connection, &rest[..1]);
            let refused = Some(ProtocolError::InvalidUtf8);
            assert_eq!((events, error), (vec![], refused), "{invalid:x?}");
            assert_eq!(drain_frames(&mut connection), [close(1007, "")]);
        }
    }
}

#[test]
fn a_character_may_be_cut_by_fragments() {
    for role in ROLES {
        for character in ["é", "€", "😀", "\u{FFFF}", "\u{10FFFF}"] {
            let mut frames = vec![text("").unfinished()];
            frames.extend(character.bytes().map(|byte| continuation([byte]).unfinished()));
            frames.push(continuation(""));
            let outcome = Endpoint::new(role).receives(&frames);
            outcome.assert_open(&[message(character)], &[]);
        }
    }
}

#[test]
fn text_that_is_invalid_only_across_fragments_fails() {
    for role in ROLES {
        for (invalid, _) in INVALID.into_iter().filter(|(invalid, _)| invalid.len() > 1) {
            for cut in 1..invalid.len() {
                let (head, tail) = invalid.split_at(cut);
                let outcome =
                    Endpoint::new(role).receives(&[text(head).unfinished(), continuation(tail)]);
                outcome.assert_failed(ProtocolError::InvalidUtf8, 1007);
            }
        }
    }
}

#[test]
fn text_that_ends_inside_a_character_fails() {
    for role in ROLES {
        for character in ["é", "€", "😀"] {
            for cut in 1..character.len() {
                let cut = &character.as_bytes()[..cut];
                let refused = ProtocolError::InvalidUtf8;
                let endpoint = Endpoint::new(role);
                endpoint.receives(&[text(cut)]).assert_failed(refused, 1007);
                let fragmented = endpoint.receives(&[text(cut).unfinished(), continuation("")]);
                fragmented.assert_failed(refused, 1007);
                let unfinished = endpoint.receives(&[text(cut).unfinished()]);
                unfinished.assert_open(&[], &[]);
            }
        }
    }
}

#[test]
fn a_new_message_does_not_continue_a_character() {
    for role in ROLES {
        let outcome = Endpoint::new(role).receives(&[text("whole"), text(b"\x82\xAC")]);
        let events = [message("whole")];
        outcome.assert_failed_after(&events, &[], ProtocolError::InvalidUtf8, 1007);
    }
}

#[test]
fn every_character_is_valid_text() {
    let characters: Vec<char> = ('\0'..=char::MAX).step_by(STEP).collect();
    for role in ROLES {
        for some in characters.chunks(100_000) {
            let payload: String = some.iter().collect();
            let mut connection = Connection::new(role, Config::default());
            let bytes = text(&payload).sent_by(role.peer());
            let (head, tail) = bytes.split_at(bytes.len() / 2);
            assert_eq!(feed_bytes(&mut connection, head), (vec![], None));
            assert_eq!(feed_bytes(&mut connection, tail), (vec![message(payload)], None));
        }
    }
}

#[test]
fn every_pair_of_bytes_is_judged_as_rfc_3629_does() {
    for role in ROLES {
        for pair in (0..=u16::MAX).step_by(STEP) {
            let pair = pair.to_be_bytes();
            let expected = match std::str::from_utf8(&pair) {
                Ok(valid) => (vec![message(valid.to_owned())], None),
                Err(_) => (vec![], Some(ProtocolError::InvalidUtf8)),
            };
            let mut connection = Connection::new(role, Config::default());
            let bytes = text(pair).sent_by(role.peer());
            assert_eq!(feed_bytes(&mut connection, &bytes), expected, "{pair:x?}");
        }
    }
}

#[test]
fn bytes_that_are_not_text_need_not_be_utf8() {
    for role in ROLES {
        for (invalid, _) in INVALID {
            let outcome = Endpoint::new(role).receives(&[binary(invalid), ping(invalid)]);
            outcome.assert_open(&[bytes_message(invalid), ping_event(invalid)], &[pong(invalid)]);
        }
    }
}
