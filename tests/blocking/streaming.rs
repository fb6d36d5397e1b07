//! Messages that are written and read piece by piece.

use std::io::{self, BufRead, ErrorKind, Read, Write};
use std::thread;
use std::time::Duration;

use sansocket::blocking::{Client, Error, Server, Timeouts, WebSocket};
use sansocket::frame::Opcode;
use sansocket::{Config, Delivery, Message, MessageKind, Role, UsageError};

use crate::bounded::bounded;
use crate::either_role::{self, ROLES, fragment_to as to};
use crate::loopback::{pair, pair_on};
use crate::pipe::{Pipe, pipe};
use crate::raw_peer::RawPeer;

/// As many bytes as make a fragment: with the longest header, it has 64 KiB.
const FRAGMENT: usize = 64 * 1024 - 14;

const TEXT: &str = "a\u{E9}\u{20AC}\u{1F600}\0z\u{7FF}\u{800}\u{FFFF}\u{10000}\u{10FFFF}";

fn chunks() -> Config {
    Config::default().delivery(Delivery::Chunks).max_message_size(u64::MAX)
}

fn open(role: Role, timeouts: Timeouts, config: Config) -> (WebSocket<Pipe>, RawPeer<Pipe>) {
    either_role::open(role, 1 << 20, timeouts, config)
}

/// The error inside an I/O error.
fn cause(error: &io::Error) -> &Error {
    error.get_ref().unwrap().downcast_ref().unwrap()
}

/// Bytes that each say where they belong.
fn long(size: usize) -> Vec<u8> {
    (0..=250).cycle().take(size).collect()
}

// ---- Writing

#[test]
fn text_may_be_cut_at_any_byte() {
    bounded(|| {
        for role in ROLES {
            let (mut socket, mut peer) = open(role, Timeouts::default(), Config::default());
            for piece in 1..=TEXT.len() {
                for flush in [false, true] {
                    let mut message = socket.message(MessageKind::Text);
                    for piece in TEXT.as_bytes().chunks(piece) {
                        message.write_all(piece).unwrap();
                        if flush {
                            message.flush().unwrap();
                        }
                    }
                    message.finish().unwrap();
                    let (mut text, mut expected) = (String::new(), Opcode::Text);
                    loop {
                        let (fin, opcode, payload) = peer.receive_fragment();
                        assert_eq!(opcode, expected);
                        // Each fragment is text by itself, which is more than §5.6 asks for.
                        text.push_str(&String::from_utf8(payload).unwrap());
                        expected = Opcode::Continuation;
                        if fin {
                            break;
                        }
                    }
                    assert_eq!(text, TEXT, "by {piece}");
                }
            }
        }
    });
}

#[test]
fn what_is_not_text_is_refused_and_never_sent() {
    bounded(|| {
        let cases: [&[u8]; 4] = [b"\xFF", b"\xC0\x80", b"\xED\xA0\x80", b"\xE2\x82("];
        for role in ROLES {
            for bad in cases {
                let (mut socket, mut peer) = open(role, Timeouts::default(), Config::default());
                let mut message = socket.message(MessageKind::Text);
                message.write_all(b"good").unwrap();
                message.flush().unwrap();
                // It is noticed when its fragment is due.
                let refused = message.write_all(bad).and_then(|()| message.flush()).unwrap_err();
                assert_eq!(refused.kind(), ErrorKind::InvalidData);
                let refused =
                    message.write_all(b"more").and_then(|()| message.flush()).unwrap_err();
                assert_eq!(refused.kind(), ErrorKind::InvalidData, "there is no way around it");
                let refused = message.finish().unwrap_err();
                assert_eq!(refused.kind(), ErrorKind::InvalidData);
                assert_eq!(peer.receive_fragment(), (false, Opcode::Text, b"good".to_vec()));
                peer.expect_close(1011);
            }
        }
    });
}

#[test]
fn what_is_not_text_is_refused_in_a_full_fragment_too() {
    bounded(|| {
        for role in ROLES {
            let (mut socket, mut peer) = open(role, Timeouts::default(), Config::default());
            let mut message = socket.message(MessageKind::Text);
            message.write_all(b"\xFF").unwrap();
            let refused = message.write_all(&vec![b'x'; FRAGMENT]).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::InvalidData);
            drop(message);
            peer.expect_close(1011);
        }
    });
}

#[test]
fn a_text_does_not_end_inside_a_character() {
    bounded(|| {
        for role in ROLES {
            for cut in 1.."\u{1F600}".len() {
                let (mut socket, mut peer) = open(role, Timeouts::default(), Config::default());
                let mut message = socket.message(MessageKind::Text);
                message.write_all(&"\u{1F600}".as_bytes()[..cut]).unwrap();
                message.flush().unwrap();
                let refused = message.finish().unwrap_err();
                assert_eq!(refused.kind(), ErrorKind::InvalidData);
                peer.expect_close(1011);
            }
        }
    });
}

#[test]
fn binary_is_whatever_it_is() {
    bounded(|| {
        for role in ROLES {
            let (mut socket, mut peer) = open(role, Timeouts::default(), Config::default());
            let mut message = socket.message(MessageKind::Binary);
            message.write_all(b"\xFF\xC0").unwrap();
            message.finish().unwrap();
            peer.expect_frame(Opcode::Binary, b"\xFF\xC0");
        }
    });
}

#[test]
fn fragments_have_nearly_64_kib_or_what_is_there_when_it_is_flushed() {
    bounded(|| {
        for role in ROLES {
            let (mut socket, mut peer) = open(role, Timeouts::default(), Config::default());
            let bytes = long(3 * FRAGMENT + 10);
            let mut message = socket.message(MessageKind::Binary);
            message.write_all(&bytes[..5]).unwrap();
            message.flush().unwrap();
            message.flush().unwrap();
            message.write_all(&bytes[5..]).unwrap();
            message.finish().unwrap();
            let mut received = Vec::new();
            let mut sizes = Vec::new();
            loop {
                let (fin, _, payload) = peer.receive_fragment();
                sizes.push(payload.len());
                received.extend(payload);
                if fin {
                    break;
                }
            }
            assert_eq!(sizes, [5, FRAGMENT, FRAGMENT, FRAGMENT, 5], "none is empty");
            assert!(received == bytes);
        }
    });
}

#[test]
fn a_text_of_full_fragments_is_cut_between_characters() {
    bounded(|| {
        for role in ROLES {
            let (mut socket, mut peer) = open(role, Timeouts::default(), Config::default());
            let text = "\u{20AC}".repeat(FRAGMENT);
            let mut message = socket.message(MessageKind::Text);
            message.write_all(text.as_bytes()).unwrap();
            let reading = thread::spawn(move || {
                let mut received = Vec::new();
                loop {
                    let (fin, _, payload) = peer.receive_fragment();
                    assert!(payload.len() % 3 == 0 && payload.len() <= FRAGMENT);
                    assert!(payload.len() > FRAGMENT - 3 || fin);
                    received.extend(payload);
                    if fin {
                        return received;
                    }
                }
            });
            message.finish().unwrap();
            assert!(reading.join().unwrap() == text.as_bytes());
        }
    });
}

#[test]
fn a_message_may_be_empty() {
    bounded(|| {
        for role in ROLES {
            for (kind, opcode) in
                [(MessageKind::Text, Opcode::Text), (MessageKind::Binary, Opcode::Binary)]
            {
                let (mut socket, mut peer) = open(role, Timeouts::default(), Config::default());
                let mut message = socket.message(kind);
                message.flush().unwrap();
                assert_eq!(message.write(b"").unwrap(), 0);
                message.finish().unwrap();
                peer.expect_frame(opcode, b"");
            }
        }
    });
}

#[test]
fn a_message_that_is_given_up_closes_with_1011() {
    bounded(|| {
        for role in ROLES {
            let (mut socket, mut peer) = open(role, Timeouts::default(), Config::default());
            let mut message = socket.message(MessageKind::Binary);
            message.write_all(&[1; 10]).unwrap();
            message.flush().unwrap();
            message.write_all(&[2; 10]).unwrap();
            drop(message);
            assert_eq!(peer.receive_fragment(), (false, Opcode::Binary, vec![1; 10]));
            peer.expect_close(1011);
        }
    });
}

#[test]
fn a_message_of_which_nothing_was_written_leaves_no_trace() {
    bounded(|| {
        for role in ROLES {
            let (mut socket, mut peer) = open(role, Timeouts::default(), Config::default());
            drop(socket.message(MessageKind::Text));
            socket.send("whole").unwrap();
            peer.expect_frame(Opcode::Text, b"whole");

            // Who writes some of it and forgets to finish is told.
            let mut message = socket.message(MessageKind::Text);
            message.write_all(b"gathered").unwrap();
            drop(message);
            peer.expect_close(1011);
        }
    });
}

#[test]
fn a_message_does_not_go_on_with_one_that_was_left_unfinished() {
    bounded(|| {
        for role in ROLES {
            let (mut socket, mut peer) = open(role, Timeouts::default(), Config::default());
            socket.write_fragment("to be ").unwrap();
            let mut message = socket.message(MessageKind::Text);
            let refused = [message.write(b"or").map(drop), message.flush(), message.finish()];
            for refused in refused {
                let error = refused.unwrap_err();
                assert_matches!(cause(&error), Error::Usage(UsageError::MessageUnfinished));
            }
            drop(socket.message(MessageKind::Text));
            // That one is none the worse for it.
            socket.finish_fragments("continued").unwrap();
            socket.flush().unwrap();
            assert_eq!(peer.receive_fragment(), (false, Opcode::Text, b"to be ".to_vec()));
            assert_eq!(
                peer.receive_fragment(),
                (true, Opcode::Continuation, b"continued".to_vec())
            );
            let mut message = socket.message(MessageKind::Text);
            message.write_all(b"another").unwrap();
            message.finish().unwrap();
            peer.expect_frame(Opcode::Text, b"another");
        }
    });
}

#[test]
fn fragments_that_could_not_be_written_are_queued_up_to_the_limit() {
    bounded(|| {
        for role in ROLES {
            let timeouts = Timeouts::default().write(Some(Duration::from_millis(5)));
            let config = Config::default().max_outgoing_size(1 << 20);
            let (mut socket, mut peer) = open(role, timeouts, config);
            let bytes = long(5 << 20);
            let mut written = 0;
            let mut message = socket.message(MessageKind::Binary);
            let refused = loop {
                match message.write(&bytes[written..]) {
                    Ok(count) => written += count,
                    Err(error) => break error,
                }
            };
            assert_eq!(refused.kind(), ErrorKind::WouldBlock);
            assert_matches!(cause(&refused), Error::BufferFull(_));
            assert!(written < 4 << 20, "the transport and the queue hold a mebibyte each");
            let reading = thread::spawn(move || {
                let mut received = Vec::new();
                loop {
                    let (fin, _, payload) = peer.receive_fragment();
                    received.extend(payload);
                    if fin {
                        return received;
                    }
                }
            });
            // What was refused is tried again.
            while written < bytes.len() {
                match message.write(&bytes[written..]) {
                    Ok(count) => written += count,
                    Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
                }
            }
            while let Err(error) = message.flush() {
                assert_matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock);
            }
            message.finish().unwrap();
            assert!(reading.join().unwrap() == bytes);
        }
    });
}

#[test]
fn a_message_that_cannot_be_written_ends_with_the_transport() {
    bounded(|| {
        for role in ROLES {
            let (mut socket, peer) = open(role, Timeouts::default(), Config::default());
            drop(peer);
            let mut message = socket.message(MessageKind::Binary);
            let error = io::copy(&mut io::repeat(7), &mut message).unwrap_err();
            assert_matches!(cause(&error), Error::Io(_));
            assert_eq!(error.kind(), ErrorKind::BrokenPipe);
            assert!(message.finish().is_err());
        }
    });
}

// ---- Reading

#[test]
fn a_message_is_read_however_it_arrives() {
    bounded(|| {
        for role in ROLES {
            for config in [chunks(), Config::default()] {
                let (mut socket, mut peer) = open(role, Timeouts::default(), config);
                let talking = thread::spawn(move || {
                    peer.send(to(role, false, Opcode::Text, b"one, "));
                    peer.send(to(role, true, Opcode::Ping, b"between"));
                    peer.send(to(role, false, Opcode::Continuation, b""));
                    for byte in to(role, true, Opcode::Continuation, "tw\u{F6}".as_bytes()) {
                        peer.send([byte]);
                    }
                    peer.send(to(role, true, Opcode::Binary, b""));
                    peer.send(to(role, true, Opcode::Binary, &long(100_000)));
                    peer.send(to(role, true, Opcode::Close, b""));
                    peer.expect_frame(Opcode::Pong, b"between");
                    peer.expect_frame(Opcode::Close, b"");
                });
                let mut message = socket.next_message().unwrap().unwrap();
                assert_eq!(message.kind(), MessageKind::Text);
                assert_eq!(io::read_to_string(&mut message).unwrap(), "one, tw\u{F6}");
                assert_eq!(message.read(&mut [0]).unwrap(), 0, "the end stays the end");
                drop(message);
                let mut message = socket.next_message().unwrap().unwrap();
                assert_eq!(message.kind(), MessageKind::Binary);
                assert_eq!(message.fill_buf().unwrap(), b"");
                drop(message);
                let mut received = Vec::new();
                let mut message = socket.next_message().unwrap().unwrap();
                assert_eq!(message.read_to_end(&mut received).unwrap(), 100_000);
                assert!(received == long(100_000));
                drop(message);
                assert!(socket.next_message().unwrap().is_none());
                talking.join().unwrap();
            }
        }
    });
}

#[test]
fn lines_of_a_text_are_read_as_from_any_file() {
    bounded(|| {
        for role in ROLES {
            let (mut socket, mut peer) = open(role, Timeouts::default(), chunks());
            peer.send(to(role, false, Opcode::Text, b"one\ntw"));
            peer.send(to(role, true, Opcode::Continuation, b"o\nthree"));
            let message = socket.next_message().unwrap().unwrap();
            let lines: Vec<_> = message.lines().map(Result::unwrap).collect();
            assert_eq!(lines, ["one", "two", "three"]);
        }
    });
}

#[test]
fn what_is_not_read_of_a_message_is_skipped() {
    bounded(|| {
        for role in ROLES {
            for config in [chunks(), Config::default()] {
                for read in [0, 1, 10, 70_000, 199_999, 200_000] {
                    let (mut socket, mut peer) = open(role, Timeouts::default(), config);
                    let (head, tail) = (long(100_000), long(100_000));
                    peer.send(to(role, false, Opcode::Binary, &head));
                    peer.send(to(role, true, Opcode::Continuation, &tail));
                    peer.send(to(role, true, Opcode::Text, b"the next"));
                    let mut message = socket.next_message().unwrap().unwrap();
                    let mut taken = vec![0; read];
                    message.read_exact(&mut taken).unwrap();
                    assert!(taken == [head, tail].concat()[..read]);
                    drop(message);
                    let mut message = socket.next_message().unwrap().unwrap();
                    assert_eq!(io::read_to_string(&mut message).unwrap(), "the next");
                }
            }
        }
    });
}

#[test]
fn the_next_message_is_never_the_rest_of_one() {
    bounded(|| {
        for role in ROLES {
            let (mut socket, mut peer) = open(role, Timeouts::default(), chunks());
            peer.send(to(role, false, Opcode::Text, b"one"));
            assert!(socket.read_chunk().unwrap().unwrap().first);
            peer.send(to(role, true, Opcode::Continuation, b"and a half"));
            peer.send(to(role, true, Opcode::Text, b"two"));
            let mut message = socket.next_message().unwrap().unwrap();
            assert_eq!(io::read_to_string(&mut message).unwrap(), "two");
        }
    });
}

#[test]
fn a_read_within_a_message_times_out_and_resumes() {
    bounded(|| {
        for role in ROLES {
            let timeouts = Timeouts::default().read(Some(Duration::from_millis(3)));
            let (mut socket, mut peer) = open(role, timeouts, chunks());
            assert_matches!(socket.next_message().err(), Some(Error::ReadTimedOut));
            let frame = to(role, true, Opcode::Text, "gr\u{FC}n".as_bytes());
            let (last, head) = frame.split_last().unwrap();
            peer.send(head);
            let mut message = loop {
                match socket.next_message() {
                    Err(Error::ReadTimedOut) => {}
                    outcome => break outcome.unwrap().unwrap(),
                }
            };
            let mut bytes = Vec::new();
            let error = message.read_to_end(&mut bytes).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut);
            assert_matches!(cause(&error), Error::ReadTimedOut);
            peer.send([*last]);
            while let Err(error) = message.read_to_end(&mut bytes) {
                assert_eq!(error.kind(), ErrorKind::TimedOut);
            }
            assert_eq!(bytes, "gr\u{FC}n".as_bytes());
            drop(message);
            // A message that is given up while waiting is skipped all the same.
            peer.send(to(role, false, Opcode::Binary, b"never "));
            let message = loop {
                match socket.next_message() {
                    Err(Error::ReadTimedOut) => {}
                    outcome => break outcome.unwrap().unwrap(),
                }
            };
            drop(message);
            assert_matches!(socket.next_message().err(), Some(Error::ReadTimedOut));
            peer.send(to(role, true, Opcode::Continuation, b"read"));
            peer.send(to(role, true, Opcode::Binary, b"next"));
            let mut message = loop {
                match socket.next_message() {
                    Err(Error::ReadTimedOut) => {}
                    outcome => break outcome.unwrap().unwrap(),
                }
            };
            assert_eq!(message.fill_buf().unwrap(), b"next");
        }
    });
}

#[test]
fn a_connection_that_is_lost_within_a_message_is_never_a_shorter_message() {
    bounded(|| {
        for role in ROLES {
            let whole = to(role, true, Opcode::Binary, &long(1000));
            let fragments = [
                to(role, false, Opcode::Binary, &long(500)),
                to(role, true, Opcode::Continuation, &long(500)),
            ]
            .concat();
            for frames in [whole, fragments] {
                // Always after the first byte of the payload.
                for cut in (10..frames.len()).step_by(7) {
                    let (mut socket, mut peer) = open(role, Timeouts::default(), chunks());
                    peer.send(&frames[..cut]);
                    drop(peer);
                    let mut message = socket.next_message().unwrap().unwrap();
                    let mut bytes = Vec::new();
                    let error = message.read_to_end(&mut bytes).unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
                    assert_matches!(cause(&error), Error::Lost);
                    assert!(bytes.len() < 1000);
                    assert!(message.read(&mut [0]).is_err(), "and it stays so");
                    drop(message);
                    assert_matches!(socket.next_message().err(), Some(Error::Lost));
                }
            }
        }
    });
}

#[test]
fn a_peer_that_closes_within_a_message_has_given_it_up() {
    bounded(|| {
        for role in ROLES {
            let (mut socket, mut peer) = open(role, Timeouts::default(), chunks());
            peer.send(to(role, false, Opcode::Binary, &long(500)));
            peer.send(to(role, true, Opcode::Close, &1011_u16.to_be_bytes()));
            let closing = thread::spawn(move || peer.expect_close(1011));
            let mut message = socket.next_message().unwrap().unwrap();
            let error = message.read_to_end(&mut Vec::new()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
            closing.join().unwrap();
            drop(message);
            assert!(socket.next_message().unwrap().is_none());
            assert_eq!(socket.close_status().unwrap().remote.number(), 1011);
        }
    });
}

#[test]
fn a_peer_that_breaks_the_protocol_within_a_message_is_an_error_of_invalid_data() {
    bounded(|| {
        for role in ROLES {
            let (mut socket, mut peer) = open(role, Timeouts::default(), chunks());
            peer.send(to(role, false, Opcode::Text, b"good"));
            peer.send(to(role, true, Opcode::Continuation, b"\xFF"));
            let closing = thread::spawn(move || peer.expect_close(1007));
            let mut message = socket.next_message().unwrap().unwrap();
            let error = message.read_to_end(&mut Vec::new()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidData);
            assert_matches!(cause(&error), Error::Protocol(_));
            closing.join().unwrap();
        }
    });
}

// ---- Both

/// Copies a long message through both ends, which hold hardly any of it.
fn copied_through(server: Server, configure: impl FnOnce(Client) -> Client) {
    const SIZE: u64 = 3_000_003;

    let client = configure(Client::new("ws://memory/").unwrap());
    let (mut client, server) = pair_on(pipe(4096), server, &client);
    let echoing = thread::spawn(move || {
        // Back piece by piece, through the two halves.
        let (mut reader, writer) = server.split().unwrap();
        while let Some(mut incoming) = reader.next_message().unwrap() {
            let mut outgoing = writer.message(incoming.kind());
            io::copy(&mut incoming, &mut outgoing).unwrap();
            outgoing.finish().unwrap();
        }
    });
    let sent: Vec<u8> = long(usize::try_from(SIZE).unwrap());
    let (mut reader, writer) = client.split().unwrap();
    let sending = thread::spawn({
        let sent = sent.clone();
        move || {
            let mut message = writer.message(MessageKind::Binary);
            assert_eq!(io::copy(&mut &sent[..], &mut message).unwrap(), SIZE);
            message.finish().unwrap();
            let mut message = writer.message(MessageKind::Text);
            message.write_all(TEXT.repeat(5000).as_bytes()).unwrap();
            message.finish().unwrap();
            writer
        }
    });
    let mut received = Vec::new();
    let mut message = reader.next_message().unwrap().unwrap();
    assert_eq!(io::copy(&mut message, &mut received).unwrap(), SIZE);
    assert!(received == sent);
    drop(message);
    let mut message = reader.next_message().unwrap().unwrap();
    assert_eq!(message.kind(), MessageKind::Text);
    assert!(io::read_to_string(&mut message).unwrap() == TEXT.repeat(5000));
    drop(message);
    client = reader.reunite(sending.join().unwrap()).unwrap();
    assert!(client.close(sansocket::CloseCode::NORMAL, "").unwrap().is_clean());
    echoing.join().unwrap();
}

#[test]
fn long_messages_are_copied_through_both_ends() {
    bounded(|| {
        for config in [chunks(), Config::default()] {
            copied_through(Server::new().config(config), |client| client.config(config));
        }
    });
}

#[cfg(feature = "deflate")]
#[test]
fn compressed_as_well() {
    use sansocket::extension::Deflate;

    bounded(|| {
        for deflate in [
            Deflate::default(),
            Deflate::default().server_no_context_takeover().client_no_context_takeover(),
        ] {
            let server = Server::new().config(chunks()).deflate(&deflate);
            copied_through(server, |client| client.config(chunks()).deflate(&deflate));
        }
    });
}

#[test]
fn what_is_written_bit_by_bit_is_read_whole_and_the_reverse() {
    bounded(|| {
        let (mut client, mut server) = pair(Server::new().config(chunks()), |client| client);
        let mut message = server.message(MessageKind::Text);
        message.write_all(TEXT.as_bytes()).unwrap();
        message.finish().unwrap();
        assert_eq!(client.read().unwrap(), Some(Message::from(TEXT)));
        client.send(TEXT).unwrap();
        let mut message = server.next_message().unwrap().unwrap();
        assert_eq!(io::read_to_string(&mut message).unwrap(), TEXT);
    });
}
