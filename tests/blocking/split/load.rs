//! A reader and four writers, as fast as they can.

use std::thread;

use sansocket::blocking::{Client, CloneSocket, Server, WebSocket, Writer};
use sansocket::{CloseCode, Message, MessageKind, PreparedMessage};

use crate::bounded::bounded;
use crate::loopback::{pair, pair_on};
use crate::pipe::pipe;

const WRITERS: u8 = 4;
const MESSAGES: u32 = 1500;

/// A message that tells its writer and its number.
fn message(writer: u8, index: u32) -> Vec<u8> {
    let length = 8 + usize::try_from(index * 7 % 3000).unwrap();
    let mut message = vec![writer; if index % 500 == 499 { 100_000 } else { length }];
    message[4..8].copy_from_slice(&index.to_be_bytes());
    message
}

/// Sends messages in every possible way.
fn send_all<S: std::io::Read + std::io::Write>(writer: &Writer<S>, number: u8) {
    for index in 0..MESSAGES {
        let message = message(number, index);
        match index % 7 {
            0 | 1 => writer.send(message).unwrap(),
            2 => writer.write(message).unwrap(),
            3 => writer.write_prepared(&PreparedMessage::new(message)).unwrap(),
            4 => {
                let mut fragments = writer.message(MessageKind::Binary);
                for piece in message.chunks(700) {
                    std::io::Write::write_all(&mut fragments, piece).unwrap();
                    std::io::Write::flush(&mut fragments).unwrap();
                }
                fragments.finish().unwrap();
            }
            5 => {
                writer.send(message).unwrap();
                writer.ping(b"hello").unwrap();
            }
            _ => {
                writer.write(message).unwrap();
                writer.flush().unwrap();
            }
        }
    }
    writer.flush().unwrap();
}

/// Four writers send, and an echo comes back: whole, and in each writer's order.
fn everything_arrives<S: CloneSocket + Send + 'static>(
    (client, server): (WebSocket<S>, WebSocket<S>),
) {
    let (mut echo, _writer) = server.split().unwrap();
    let serving = thread::spawn(move || echo.serve(|message, outbox| outbox.send(message)));
    let (mut reader, writer) = client.split().unwrap();
    let writers: Vec<_> = (0..WRITERS)
        .map(|number| {
            let writer = writer.clone();
            thread::spawn(move || send_all(&writer, number))
        })
        .collect();

    let mut next = [0; WRITERS as usize];
    for _ in 0..u32::from(WRITERS) * MESSAGES {
        let Some(Message::Binary(bytes)) = reader.read().unwrap() else { panic!() };
        let next = &mut next[usize::from(bytes[0])];
        assert!(*bytes == message(bytes[0], *next), "message {next} of writer {}", bytes[0]);
        *next += 1;
    }
    for writer in writers {
        writer.join().unwrap();
    }
    writer.close(CloseCode::NORMAL, "done").unwrap();
    assert_eq!(reader.read().unwrap(), None);
    let outcome: Result<(), sansocket::blocking::Error> = serving.join().unwrap();
    outcome.unwrap();
}

#[test]
fn every_message_of_every_writer_arrives_whole_and_in_its_order() {
    bounded(|| everything_arrives(pair(Server::new(), |client| client)));
}

#[cfg(unix)]
#[test]
fn over_a_unix_socket_as_well() {
    bounded(|| {
        let ends = std::os::unix::net::UnixStream::pair().unwrap();
        let client = Client::new("ws://localhost/").unwrap();
        everything_arrives(pair_on(ends, Server::new(), &client));
    });
}

#[test]
fn over_a_transport_that_holds_hardly_anything_as_well() {
    bounded(|| {
        let client = Client::new("ws://localhost/").unwrap();
        everything_arrives(pair_on(pipe(500), Server::new(), &client));
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
            let server = Server::new().deflate(&deflate);
            everything_arrives(pair(server, |client| client.deflate(&deflate)));
        }
    });
}

#[test]
fn both_ends_send_and_receive_at_once() {
    bounded(|| {
        let (client, server) = pair(Server::new(), |client| client);
        let ends: Vec<_> = [client, server]
            .into_iter()
            .map(|socket| {
                thread::spawn(move || {
                    let (mut reader, writer) = socket.split().unwrap();
                    let sending = thread::spawn(move || {
                        send_all(&writer, 7);
                        writer
                    });
                    for index in 0..MESSAGES {
                        let received = reader.read().unwrap().unwrap();
                        assert!(received.as_bytes() == message(7, index));
                    }
                    sending.join().unwrap().close(CloseCode::NORMAL, "").unwrap();
                    assert_eq!(reader.read().unwrap(), None);
                })
            })
            .collect();
        for end in ends {
            end.join().unwrap();
        }
    });
}
