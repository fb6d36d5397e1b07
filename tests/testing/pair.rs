//! Connections in memory are real ones.

use std::io::{Read, Write};
use std::thread;
use std::time::Duration;

use http::StatusCode;
use sansocket::blocking::{AcceptError, Client, ConnectError, Error, Server, Timeouts, WebSocket};
use sansocket::handshake::{Decision, OriginPolicy, RequestError};
use sansocket::testing::{MemorySocket, Opened, pair, pair_over, pair_with};
use sansocket::{CloseCode, CloseSignal, Config, Message, Role};

use crate::bounded::bounded;

type Ends = (WebSocket<MemorySocket>, WebSocket<MemorySocket>);

fn client() -> Client {
    Client::new("ws://memory/").unwrap()
}

fn opened((client, server): Opened<MemorySocket>) -> Ends {
    (client.unwrap(), server.unwrap())
}

/// Connections over which nothing, or everything, arrives in pieces. Byte by byte, with two threads
/// involved in each, even a short conversation takes its time on a busy machine.
fn pairs() -> [Ends; 2] {
    let one_by_one = MemorySocket::pair_with_capacity(1);
    let patient = Timeouts::default().close(Duration::from_secs(120));
    let (client, server) = (client().timeouts(patient), Server::new().timeouts(patient));
    [pair(), opened(pair_over(one_by_one, &client, &server))]
}

#[test]
fn messages_pass_in_both_directions() {
    bounded(|| {
        for (mut client, mut server) in pairs() {
            let serving = thread::spawn(move || {
                let outcome: Result<(), Error> =
                    server.serve(|message, outbox| outbox.send(message));
                outcome.unwrap();
            });
            for message in [Message::from(""), "\u{20AC}".into(), vec![7; 10_000].into()] {
                client.send(message.clone()).unwrap();
                assert_eq!(client.read().unwrap(), Some(message));
            }
            assert!(client.close(CloseCode::NORMAL, "").unwrap().is_clean());
            serving.join().unwrap();
        }
    });
}

#[test]
fn either_end_closes_cleanly_and_both_transports_end() {
    bounded(|| {
        for closing in [Role::Client, Role::Server] {
            for (client, server) in pairs() {
                let (mut closing, mut reading) = match closing {
                    Role::Client => (client, server),
                    Role::Server => (server, client),
                };
                let reading = thread::spawn(move || {
                    assert!(reading.read().unwrap().is_none());
                    let status = reading.close_status().unwrap();
                    assert_eq!(status.remote, CloseSignal::Code(CloseCode::GOING_AWAY));
                    reading.into_stream()
                });
                assert!(closing.close(CloseCode::GOING_AWAY, "").unwrap().is_clean());
                // Both are still there, so the transport was ended explicitly.
                for mut stream in [closing.into_stream(), reading.join().unwrap()] {
                    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
                    assert!(stream.write(&[0]).is_err());
                }
            }
        }
    });
}

#[test]
fn what_fits_into_the_pipe_needs_no_second_thread() {
    bounded(|| {
        let (mut client, mut server) = pair();
        for number in 0..10 {
            let message = vec![number; 5000];
            client.send(&message[..]).unwrap();
            server.send(&message[..]).unwrap();
            assert_eq!(server.read().unwrap(), Some(Message::from(&message[..])));
            assert_eq!(client.read().unwrap(), Some(Message::from(&message[..])));
        }
    });
}

#[test]
fn two_threads_share_an_end() {
    bounded(|| {
        for (client, mut server) in pairs() {
            let serving = thread::spawn(move || {
                let outcome: Result<(), Error> =
                    server.serve(|message, outbox| outbox.send(message));
                outcome.unwrap();
            });
            let (mut reader, writer) = client.split().unwrap();
            let writing = thread::spawn(move || {
                for number in 0..10 {
                    writer.write(vec![number; 1000]).unwrap();
                }
                writer.close(CloseCode::NORMAL, "").unwrap();
            });
            for number in 0..10 {
                assert_eq!(reader.read().unwrap(), Some(vec![number; 1000].into()));
            }
            assert!(reader.read().unwrap().is_none());
            writing.join().unwrap();
            serving.join().unwrap();
        }
    });
}

#[test]
fn the_options_of_both_ends_count() {
    bounded(|| {
        let server = Server::new()
            .subprotocols(["b"])
            .config(Config::default().max_message_size(3))
            .on_request(|request, _| {
                assert_eq!(request.headers()["x-asked"], "for");
                assert_eq!(request.uri().path(), "/chat");
                Decision::accept()
            });
        let client = Client::new("ws://memory/chat").unwrap();
        let client = client.subprotocol("a").unwrap().subprotocol("b").unwrap();
        let timeouts = Timeouts::default().read(Some(Duration::from_millis(5)));
        let client = client.header("X-Asked", "for").unwrap().timeouts(timeouts);

        let (mut client, mut server) = opened(pair_with(&client, &server));
        assert_eq!(client.subprotocol(), Some("b"));
        assert_eq!(server.subprotocol(), Some("b"));
        assert!(matches!(client.read(), Err(Error::ReadTimedOut)));
        client.send("long").unwrap();
        drop(client.into_stream());
        assert!(matches!(server.read(), Err(Error::Protocol(_))));
    });
}

#[test]
fn a_refusal_is_seen_at_both_ends() {
    bounded(|| {
        let server = Server::new().origins(OriginPolicy::same_origin());
        let client = client().origin("https://elsewhere.example".parse().unwrap());
        let (client, server) = pair_with(&client, &server);
        let Err(ConnectError::Rejected(response)) = client else { panic!("{client:?}") };
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        let Err(AcceptError::Refused { status, error: Some(error) }) = server else {
            panic!("{server:?}")
        };
        assert_eq!(status, StatusCode::FORBIDDEN);
        assert!(matches!(error, RequestError::Origin), "{error:?}");
    });
}

#[test]
#[should_panic(expected = "as it should")]
fn a_decision_that_panics_fails_the_test() {
    bounded(|| {
        let server = Server::new().on_request(|_, _| panic!("as it should"));
        let _ = pair_with(&client(), &server);
    });
}

#[test]
fn a_peer_that_vanishes_and_a_reset_can_be_told_apart() {
    bounded(|| {
        let (mut client, server) = pair();
        drop(server);
        assert!(matches!(client.read(), Err(Error::Lost)));

        let (mut client, mut server) = pair();
        client.stream().reset();
        for socket in [&mut client, &mut server] {
            let Err(Error::Io(error)) = socket.read() else { panic!("no error") };
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
        }
    });
}

#[test]
fn a_peer_that_takes_nothing_is_waited_for_as_long_as_the_timeout_says() {
    bounded(|| {
        let timeouts = Timeouts::default().write(Some(Duration::from_millis(5)));
        let (mut client, mut server) =
            opened(pair_with(&client().timeouts(timeouts), &Server::new()));
        let message = vec![7; 100_000];
        assert!(matches!(client.send(&message[..]), Err(Error::WriteTimedOut)));
        let reading = thread::spawn(move || server.read().unwrap().unwrap());
        while let Err(error) = client.flush() {
            assert!(matches!(error, Error::WriteTimedOut));
        }
        assert!(reading.join().unwrap().as_bytes() == message);
    });
}

#[cfg(unix)]
#[test]
fn a_pair_is_opened_over_sockets_of_any_kind() {
    bounded(|| {
        let sockets = std::os::unix::net::UnixStream::pair().unwrap();
        sockets.0.set_read_timeout(None).unwrap();
        let (client, server) = pair_over(sockets, &client(), &Server::new());
        client.unwrap().send("Hello").unwrap();
        assert_eq!(server.unwrap().read().unwrap(), Some(Message::from("Hello")));
    });
}
