//! §6.2, receiving data: messages whole, or in pieces as they arrive.

use sansocket::{
    Chunk, Config, Connection, Delivery, Event, Message, MessageKind, ProtocolError, Role,
};

use crate::endpoint::{
    Endpoint, ROLES, bytes_message, close_event, drain_frames, feed, feed_bytes, message,
    ping_event, signal,
};
use crate::wire::{self, Frame, announce, binary, close, continuation, ping, pong, text};

#[test]
fn what_was_received_whole_before_an_error_is_delivered_and_answered_first() {
    for role in ROLES {
        let outcome = Endpoint::new(role).echoing().receives(&[
            text("whole"),
            binary("two ").unfinished(),
            continuation("parts"),
            text("never finished").unfinished(),
            text("an error"),
            text("after it"),
        ]);
        outcome.assert_failed_after(
            &[message("whole"), bytes_message("two parts")],
            &[text("whole"), binary("two parts")],
            ProtocolError::ExpectedContinuation,
            1002,
        );
    }
}

#[test]
fn frames_of_any_size_are_received_however_they_are_read() {
    let frames: Vec<Frame> =
        (0..40).map(|n| binary(vec![u8::try_from(n).unwrap(); n * 331])).collect();
    for role in ROLES {
        let bytes = wire::sent_by(role.peer(), &frames);
        for read in [1, 2, 3, 13, 14, 15, 1_000, 4_096, 65_536, usize::MAX] {
            let mut connection = Connection::new(role, Config::default());
            let events: Vec<Event<'static>> =
                bytes.chunks(read).flat_map(|read| taken(&mut connection, read)).collect();
            let expected: Vec<Event<'static>> =
                frames.iter().map(|frame| bytes_message(&frame.payload)).collect();
            assert_eq!(events, expected, "by {read}");
        }
    }
}

#[test]
fn chunks_of_a_message_are_the_message() {
    for role in ROLES {
        let outcome = chunked(role).receives(&[
            text("frag").unfinished(),
            continuation("").unfinished(),
            continuation("ments"),
            binary([0xFF, 0xFE]),
            text("€ and 😀"),
        ]);
        let events = [
            chunk("fragments", true, true),
            chunk(&[0xFF, 0xFE], true, true),
            chunk("€ and 😀", true, true),
        ];
        outcome.assert_open(&events, &[]);
    }
}

#[test]
fn an_empty_message_is_one_empty_chunk() {
    for role in ROLES {
        let endpoint = chunked(role);
        endpoint.receives(&[text("")]).assert_open(&[chunk("", true, true)], &[]);
        endpoint.receives(&[binary("")]).assert_open(&[chunk(b"", true, true)], &[]);
        let fragmented = [text("").unfinished(), continuation("").unfinished(), continuation("")];
        endpoint.receives(&fragmented).assert_open(&[chunk("", true, true)], &[]);
    }
}

#[test]
fn a_chunk_is_handed_out_as_soon_as_it_arrives() {
    for role in ROLES {
        let mut connection = Connection::new(role, chunks());
        let bytes = binary(b"0123456789").sent_by(role.peer());
        let (head, payload) = bytes.split_at(bytes.len() - 10);
        assert_eq!(taken(&mut connection, head), [], "no byte of the message");
        assert_eq!(taken(&mut connection, &payload[..3]), [chunk(b"012", true, false)]);
        assert_eq!(taken(&mut connection, b""), []);
        assert_eq!(taken(&mut connection, &payload[3..4]), [chunk(b"3", false, false)]);
        assert_eq!(taken(&mut connection, &payload[4..]), [chunk(b"456789", false, true)]);
    }
}

#[test]
fn only_the_last_chunk_may_be_empty() {
    for role in ROLES {
        let mut connection = Connection::new(role, chunks());
        let step = |connection: &mut Connection, frame: Frame| feed(connection, &[frame]);
        assert_eq!(step(&mut connection, text("").unfinished()), []);
        assert_eq!(
            step(&mut connection, continuation("a").unfinished()),
            [chunk("a", true, false)]
        );
        assert_eq!(step(&mut connection, continuation("").unfinished()), []);
        assert_eq!(step(&mut connection, continuation("")), [chunk("", false, true)]);
        assert_eq!(step(&mut connection, text("next")), [chunk("next", true, true)]);
    }
}

#[test]
fn chunks_of_text_are_cut_between_characters() {
    for role in ROLES {
        let whole = "aé€😀z";
        let mut connection = Connection::new(role, chunks());
        let mut pieces = Vec::new();
        for byte in text(whole).sent_by(role.peer()) {
            pieces.extend(taken(&mut connection, &[byte]));
        }
        let expected = [
            chunk("a", true, false),
            chunk("é", false, false),
            chunk("€", false, false),
            chunk("😀", false, false),
            chunk("z", false, true),
        ];
        assert_eq!(pieces, expected);
    }
}

#[test]
fn chunks_of_text_cut_anywhere_are_text() {
    let whole = "Ünïcødé 日本語 😀😀";
    for role in ROLES {
        let bytes = text(whole).sent_by(role.peer());
        for read in 1..=bytes.len() {
            let mut connection = Connection::new(role, chunks());
            let mut joined = String::new();
            let (mut firsts, mut lasts) = (0, 0);
            for event in bytes.chunks(read).flat_map(|read| taken(&mut connection, read)) {
                let Event::Chunk(Chunk { piece, first, last }) = event else {
                    panic!("a chunk");
                };
                assert_eq!(first, joined.is_empty());
                joined.push_str(piece.as_text().expect("text"));
                firsts += u32::from(first);
                lasts += u32::from(last);
            }
            assert_eq!((joined.as_str(), firsts, lasts), (whole, 1, 1), "by {read}");
        }
    }
}

#[test]
fn a_ping_between_chunks_is_answered() {
    for role in ROLES {
        let mut connection = Connection::new(role, chunks());
        assert_eq!(
            feed(&mut connection, &[text("a").unfinished(), ping("now")]),
            [chunk("a", true, false), ping_event("now")]
        );
        assert_eq!(drain_frames(&mut connection), [pong("now")]);
        assert_eq!(feed(&mut connection, &[continuation("b")]), [chunk("b", false, true)]);
    }
}

#[test]
fn a_close_frame_between_chunks_ends_the_message_unfinished() {
    for role in ROLES {
        let outcome = chunked(role).receives(&[
            binary("cut off").unfinished(),
            close(1001, ""),
            continuation("too late"),
        ]);
        outcome.assert_closed_by_peer(
            &[chunk(b"cut off", true, false), close_event(1001, "")],
            &[close(1001, "")],
            signal(1001),
            "",
        );
    }
}

#[test]
fn chunks_that_were_handed_out_are_followed_by_the_error() {
    for role in ROLES {
        let outcome = chunked(role).receives(&[binary("so far").unfinished(), text("an error")]);
        outcome.assert_failed_after(
            &[chunk(b"so far", true, false)],
            &[],
            ProtocolError::ExpectedContinuation,
            1002,
        );
    }
}

#[test]
fn invalid_text_in_chunks_fails_at_its_byte() {
    for role in ROLES {
        let mut connection = Connection::new(role, chunks());
        assert_eq!(feed(&mut connection, &[text("fine").unfinished()]).len(), 1);
        assert_eq!(feed(&mut connection, &[continuation([0xE2, 0x82]).unfinished()]), []);
        let bytes = continuation([0x28]).unfinished().sent_by(role.peer());
        let (events, error) = feed_bytes(&mut connection, &bytes);
        assert_eq!((events, error), (vec![], Some(ProtocolError::InvalidUtf8)));
        assert_eq!(drain_frames(&mut connection), [close(1007, "")]);
    }
}

#[test]
fn a_message_of_10_gigabytes_is_received_as_it_comes() {
    // Announced whole, sent in part. `tests/memory` shows that it costs no memory.
    let size: u64 = 10 << 30;
    for role in ROLES {
        let config = chunks().max_message_size(u64::MAX);
        let mut connection = Connection::new(role, config);
        let header = announce(role.peer(), 0x82, size);
        assert_eq!(taken(&mut connection, &header), []);
        let mut buffer = vec![0; 64 * 1024];
        for round in 0..256 {
            buffer.fill(0);
            let mut input = &mut buffer[..];
            let Some(Event::Chunk(chunk)) = connection.next_event(&mut input).unwrap() else {
                panic!("a chunk");
            };
            assert_eq!(chunk.piece.kind(), MessageKind::Binary);
            assert_eq!(chunk.piece.len(), 64 * 1024);
            assert_eq!((chunk.first, chunk.last), (round == 0, false));
            assert_eq!(connection.next_event(&mut input), Ok(None));
        }
    }
}

#[test]
fn a_chunk_borrows_the_input() {
    for role in ROLES {
        let mut connection = Connection::new(role, chunks());
        let mut buffer = binary(vec![5; 1_000]).sent_by(role.peer());
        buffer.truncate(500);
        let end = buffer.as_ptr_range().end;
        let mut input = &mut buffer[..];
        let Some(Event::Chunk(chunk)) = connection.next_event(&mut input).unwrap() else {
            panic!("a chunk");
        };
        assert_eq!(chunk.piece.as_bytes().as_ptr_range().end, end);
    }
}

fn chunks() -> Config {
    Config::default().delivery(Delivery::Chunks)
}

fn chunked(role: Role) -> Endpoint<'static> {
    Endpoint::new(role).config(chunks())
}

fn chunk(piece: impl Into<Message<'static>>, first: bool, last: bool) -> Event<'static> {
    Event::Chunk(Chunk { piece: piece.into(), first, last })
}

/// The events of one read, none of which is an error.
fn taken(connection: &mut Connection, read: &[u8]) -> Vec<Event<'static>> {
    let (events, error) = feed_bytes(connection, read);
    assert_eq!(error, None);
    events
}
