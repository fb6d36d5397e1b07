//! Two or more threads on one WebSocket over TLS.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use sansocket::blocking::{Error, Reader, Server, Timeouts, TlsStream, Writer};
use sansocket::{CloseCode, CloseSignal};

use crate::bounded::bounded;
use crate::loopback::{client, echo, pair, serving};

const WRITERS: usize = 4;
const MESSAGES: usize = 200;

/// A writer's message: of a different length than those before it.
fn message(writer: usize, number: usize) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(writer).unwrap()];
    bytes.extend(number.to_be_bytes().into_iter().cycle().take(number * 61));
    bytes
}

#[test]
fn messages_of_several_writers_come_back_whole_and_in_order() {
    bounded(|| {
        let (address, server) = serving(Server::new(), echo);
        let socket = client(address).connect().unwrap();
        let (mut reader, writer) = socket.split().unwrap();
        let writers: Vec<_> = (0..WRITERS)
            .map(|index| {
                let writer = writer.clone();
                thread::spawn(move || {
                    for number in 0..MESSAGES {
                        writer.send(message(index, number)).unwrap();
                    }
                })
            })
            .collect();
        let mut next = [0; WRITERS];
        for _ in 0..WRITERS * MESSAGES {
            let received = reader.read().unwrap().unwrap();
            let index = usize::from(received.as_bytes()[0]);
            assert!(received.as_bytes() == message(index, next[index]));
            next[index] += 1;
        }
        for writer in writers {
            writer.join().unwrap();
        }
        writer.close(CloseCode::NORMAL, "done").unwrap();
        assert_matches!(reader.read(), Ok(None));
        assert_matches!(server.join().unwrap(), Ok(_));
    });
}

/// Counts the messages until there have been enough.
fn count(mut reader: Reader<TlsStream>, enough: usize) -> Result<Reader<TlsStream>, Error> {
    for _ in 0..enough {
        reader.read()?.expect("a message");
    }
    Ok(reader)
}

#[test]
fn a_reader_goes_on_while_a_writer_waits_for_a_peer_that_does_not_read() {
    bounded(|| {
        let (client, server) = pair(Server::new(), |client| client);
        let (unread, sender) = client.split().unwrap();
        let (reader, writer) = server.split().unwrap();
        let is_over = Arc::new(AtomicBool::new(false));
        let writing = {
            let is_over = Arc::clone(&is_over);
            thread::spawn(move || {
                // More than all buffers hold: it waits in the middle.
                let outcome = writer.send(vec![7; 64 << 20]);
                is_over.store(true, Ordering::Relaxed);
                outcome
            })
        };
        let reading = thread::spawn(move || count(reader, MESSAGES));
        for number in 0..MESSAGES {
            sender.send(message(0, number)).unwrap();
            sender.ping(b"a reply that has to wait").unwrap();
        }
        let mut reader = reading.join().unwrap().unwrap();
        assert!(!is_over.load(Ordering::Relaxed));
        drop((unread, sender));
        assert_matches!(reader.read(), Err(_));
        assert_matches!(writing.join().unwrap(), Err(_));
    });
}

/// Sends until the buffers of both ends are full; returns how many messages. Each fits into what one write
/// encrypts, so the last is encrypted, but part of it is not sent.
fn send_until_nothing_goes(writer: &Writer<TlsStream>) -> usize {
    let mut sent = 0;
    loop {
        sent += 1;
        // The operating system finds room for some more after a while.
        if writer.send(vec![7; 30 << 10]).is_err() && (0..3).all(|_| writer.flush().is_err()) {
            return sent;
        }
    }
}

#[test]
fn a_reader_goes_on_when_a_writer_has_left_something_that_the_peer_does_not_take() {
    bounded(|| {
        let timeouts = Timeouts::default().write(Some(Duration::from_secs(1)));
        let (client, server) = pair(Server::new().timeouts(timeouts), |client| client);
        let (_unread, sender) = client.split().unwrap();
        let (mut reader, writer) = server.split().unwrap();
        send_until_nothing_goes(&writer);
        // If each read waited for the writer's bytes to go, this would take longer than a test may.
        for number in 0..MESSAGES {
            sender.send(message(0, number)).unwrap();
            assert!(reader.read().unwrap().unwrap().as_bytes() == message(0, number));
        }
    });
}

#[test]
fn what_a_writer_has_left_goes_out_after_a_reunion() {
    bounded(|| {
        let timeouts = Timeouts::default().write(Some(Duration::from_millis(50)));
        let (mut client, server) = pair(Server::new().timeouts(timeouts), |client| client);
        let (reader, writer) = server.split().unwrap();
        let sent = send_until_nothing_goes(&writer);
        let mut server = reader.reunite(writer).unwrap();
        let (counted, all) = mpsc::channel();
        let counting = thread::spawn(move || {
            for _ in 0..sent {
                client.read().unwrap().unwrap();
            }
            counted.send(()).unwrap();
            client
        });
        while let Err(error) = server.flush() {
            assert_matches!(error, Error::WriteTimedOut);
        }
        all.recv().unwrap();
        drop(counting.join().unwrap());
    });
}

#[test]
fn either_end_of_either_half_closes_the_connection() {
    bounded(|| {
        for is_reader in [true, false] {
            let (client, server) = pair(Server::new(), |client| client);
            let closing = thread::spawn(move || {
                let (mut reader, writer) = client.split().unwrap();
                if is_reader {
                    reader.close(CloseCode::GOING_AWAY, "").unwrap()
                } else {
                    writer.close(CloseCode::GOING_AWAY, "").unwrap();
                    assert_matches!(reader.read(), Ok(None));
                    reader.close_status().unwrap()
                }
            });
            let (mut reader, writer) = server.split().unwrap();
            assert_matches!(reader.read(), Ok(None));
            assert_matches!(writer.send("too late"), Err(Error::Usage(_)));
            let status = closing.join().unwrap();
            assert_eq!(status.local, CloseSignal::Code(CloseCode::GOING_AWAY));
            assert!(status.is_clean());
        }
    });
}
