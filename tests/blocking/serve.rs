//! A handler that is given the messages.

use std::io;
use std::net::Shutdown;
use std::panic::{self, AssertUnwindSafe};
use std::thread;

use sansocket::blocking::{Error, Outbox, Server};
use sansocket::frame::Opcode;
use sansocket::{
    CloseCode, CloseSignal, ClosedBy, Config, ConnectionState, Message, PreparedMessage, UsageError,
};

use crate::bounded::bounded;
use crate::loopback::{pair, serving};
use crate::raw_peer::{RawPeer, from_client};

/// What an application's handler fails with.
#[derive(Debug)]
enum Failure {
    Socket(Error),
    Application,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Socket(error)
    }
}

#[test]
fn a_message_that_lies_whole_in_the_read_buffer_is_borrowed_from_it() {
    bounded(|| {
        let (mut client, mut server) = pair(Server::new(), |client| client);
        client.send(b"Hello").unwrap();
        let outcome = server.serve(|message, _| {
            // Shared bytes are allocated for this message alone.
            let address = message.as_bytes().as_ptr();
            assert_ne!(message.into_bytes().as_ptr(), address);
            Err(Failure::Application)
        });
        assert_matches!(outcome, Err(Failure::Application));
    });
}

#[test]
fn the_error_of_a_handler_ends_serve_and_loses_nothing_behind_it() {
    bounded(|| {
        let (mut client, mut server) = pair(Server::new(), |client| client);
        for text in ["one", "fail", "two"] {
            client.write(text).unwrap();
        }
        client.flush().unwrap();
        let mut handled = Vec::new();
        for _ in 0..2 {
            let outcome = server.serve(|message, _| {
                handled.push(message.clone().into_owned());
                match message.as_text() {
                    Some("one") => Ok(()),
                    _ => Err(Failure::Application),
                }
            });
            assert_matches!(outcome, Err(Failure::Application));
            assert_eq!(server.state(), ConnectionState::Open);
        }
        assert_eq!(handled, ["one", "fail", "two"].map(Message::from));
    });
}

#[test]
fn an_error_of_the_connection_becomes_the_handlers() {
    bounded(|| {
        let (client, mut server) = pair(Server::new(), |client| client);
        drop(client);
        let outcome: Result<(), Failure> = server.serve(|_, _| unreachable!());
        assert_matches!(outcome, Err(Failure::Socket(Error::Lost)));
    });
}

#[test]
fn a_handler_can_use_an_error_of_its_own_kind() {
    bounded(|| {
        let (client, mut server) = pair(Server::new(), |client| client);
        drop(client);
        let outcome: Result<(), Box<dyn std::error::Error>> =
            server.serve(|_, _| Err(io::Error::other("unreachable").into()));
        assert!(outcome.unwrap_err().is::<Error>());
    });
}

#[test]
fn serve_ends_after_a_handler_closed_and_the_peer_answered() {
    bounded(|| {
        let (address, server) = serving(Server::new(), |mut socket| {
            let outcome = socket.serve(|message, outbox| {
                outbox.send(message)?;
                outbox.ping(b"bye")?;
                outbox.close(CloseCode::GOING_AWAY, "enough")?;
                let refused = outbox.send("too late");
                assert_matches!(refused, Err(Error::Usage(UsageError::NotOpen)));
                Ok::<(), Error>(())
            });
            (outcome, socket.close_status())
        });
        let mut peer = RawPeer::client(address);
        peer.send(from_client(Opcode::Text, b"Hello"));
        peer.expect_frame(Opcode::Text, b"Hello");
        peer.expect_frame(Opcode::Ping, b"bye");
        peer.expect_frame(Opcode::Close, b"\x03\xE9enough");
        peer.send(from_client(Opcode::Close, b"\x03\xE9"));
        peer.expect_eof();
        drop(peer);
        let (outcome, status) = server.join().unwrap();
        outcome.unwrap();
        let status = status.unwrap();
        assert_eq!(status.closed_by, ClosedBy::Local);
        assert_eq!(status.remote, CloseSignal::Code(CloseCode::GOING_AWAY));
    });
}

#[test]
fn a_handler_can_reply_with_what_was_prepared_for_many() {
    bounded(|| {
        for splits in [false, true] {
            let (mut client, server) = pair(Server::new(), |client| client);
            let news = PreparedMessage::new("news");
            let reply = move |_: Message<'_>, outbox: &mut Outbox<'_>| outbox.send_prepared(&news);
            let serving = thread::spawn(move || {
                if splits {
                    let (mut reader, _writer) = server.split().unwrap();
                    reader.serve(reply)
                } else {
                    let mut server = server;
                    server.serve(reply)
                }
            });
            client.send("what is new?").unwrap();
            assert_eq!(client.read().unwrap(), Some("news".into()));
            client.close(CloseCode::NORMAL, "").unwrap();
            drop(client);
            serving.join().unwrap().unwrap();
        }
    });
}

#[test]
fn what_a_handler_says_after_an_earlier_call_has_closed_goes_nowhere() {
    bounded(|| {
        for split in [false, true] {
            let (address, server) = serving(Server::new(), move |mut socket| {
                let mut handled = Vec::new();
                let handle = |message: Message<'_>, outbox: &mut Outbox<'_>| {
                    handled.push(message.clone().into_owned());
                    if message.as_bytes() == b"bye" {
                        return outbox.close(CloseCode::NORMAL, "");
                    }
                    outbox.ping(b"ping")?;
                    outbox.send(message)
                };
                let outcome = if split {
                    let (mut reader, _writer) = socket.split().unwrap();
                    reader.serve(handle)
                } else {
                    socket.serve(handle)
                };
                outcome.unwrap();
                assert_eq!(handled, ["bye", "more"].map(Message::from));
            });
            let mut peer = RawPeer::client(address);
            // Both are there before the peer knows that nobody listens to it any more.
            let both = [from_client(Opcode::Text, b"bye"), from_client(Opcode::Text, b"more")];
            peer.send(both.concat());
            peer.expect_frame(Opcode::Close, b"\x03\xE8");
            peer.send(from_client(Opcode::Close, b"\x03\xE8"));
            peer.expect_eof();
            drop(peer);
            server.join().unwrap();
        }
    });
}

#[test]
fn one_call_of_a_handler_that_queues_too_much_gets_the_message_back() {
    bounded(|| {
        let config = Config::default().max_outgoing_size(500);
        let (mut client, mut server) = pair(Server::new().config(config), |client| client);
        client.send("go").unwrap();
        let outcome = server.serve(|_, outbox| {
            outbox.send(vec![1; 900])?;
            outbox.send(vec![2; 900])
        });
        assert_matches!(outcome, Err(Error::BufferFull(message)) if message.as_bytes() == [2; 900]);
        // The first is sent all the same, and the connection goes on.
        server.send("still here").unwrap();
        assert_eq!(client.read().unwrap(), Some(vec![1; 900].into()));
        assert_eq!(client.read().unwrap(), Some("still here".into()));
    });
}

#[test]
fn a_handler_that_sends_more_than_it_gets_does_not_fill_the_queue() {
    bounded(|| {
        let config = Config::default().max_outgoing_size(256 * 1024);
        let (mut client, mut server) = pair(Server::new().config(config), |client| client);
        let serving =
            std::thread::spawn(move || server.serve(|_, outbox| outbox.send(vec![7; 32 * 1024])));
        for _ in 0..500 {
            client.write("more").unwrap();
        }
        for _ in 0..500 {
            assert_eq!(client.read().unwrap().unwrap().len(), 32 * 1024);
        }
        drop(client);
        assert_matches!(serving.join().unwrap(), Err(Error::Lost));
    });
}

#[test]
fn what_was_read_with_a_message_whose_handler_panics_is_not_seen_again() {
    bounded(|| {
        let (address, server) = serving(Server::new(), |socket| socket);
        let mut peer = RawPeer::client(address);
        let mut server = server.join().unwrap();
        let batch = ["a", "b", "c"].map(|text| from_client(Opcode::Text, text.as_bytes())).concat();
        peer.send(batch);

        let mut handled = Vec::new();
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
            server.serve(|message, _| {
                handled.push(message.into_owned());
                if handled.len() == 2 {
                    panic::resume_unwind(Box::new("as it was told"));
                }
                Ok::<_, Error>(())
            })
        }));
        assert!(outcome.is_err());
        assert_eq!(handled, ["a".into(), "b".into()]);
        assert_eq!(server.read().unwrap(), Some("c".into()));
    });
}

#[test]
fn replies_are_written_between_two_messages_whatever_the_limit() {
    bounded(|| {
        let config = Config::default().max_outgoing_size(100);
        let (address, server) = serving(Server::new().config(config), |mut socket| {
            socket.serve(|_, outbox| outbox.send(&[7; 900]))
        });
        let mut peer = RawPeer::client(address);
        let ping = from_client(Opcode::Ping, &[1; 125]);
        let hello = from_client(Opcode::Text, b"hello");
        peer.send([&ping[..], &hello, &hello, &ping, &hello].concat());
        for is_pong in [true, false, false, true, false] {
            if is_pong {
                peer.expect_frame(Opcode::Pong, &[1; 125]);
            } else {
                peer.expect_frame(Opcode::Binary, &[7; 900]);
            }
        }
        peer.send(from_client(Opcode::Close, b""));
        peer.expect_frame(Opcode::Close, b"");
        server.join().unwrap().unwrap();
    });
}

#[test]
fn a_handler_whose_replies_go_nowhere_hears_the_peer_out() {
    bounded(|| {
        let (address, server) = serving(Server::new(), |socket| socket);
        let mut peer = RawPeer::client(address);
        let mut server = server.join().unwrap();
        server.stream().tcp().shutdown(Shutdown::Write).unwrap();
        peer.send(from_client(Opcode::Text, b"first"));
        let mut handled = 0;
        let outcome = server.serve(|message, outbox| {
            handled += 1;
            if handled == 1 {
                peer.send(from_client(Opcode::Text, b"second"));
                peer.send(from_client(Opcode::Close, &4001_u16.to_be_bytes()));
                peer.shutdown_write();
            }
            outbox.send(message)
        });
        assert_matches!(outcome, Err(Error::Io(_)));
        assert_eq!(handled, 2);
        assert_eq!(server.close_status().unwrap().remote.number(), 4001);
    });
}
