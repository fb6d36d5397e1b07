//! The n-th call goes wrong, for every n, and nothing is lost, repeated or reordered.

mod streamed;

use std::io::ErrorKind;

use sansocket::blocking::{AcceptError, Client, ConnectError, Error, Server, WebSocket};
use sansocket::handshake::ResponseError;
use sansocket::{
    CloseCode, CloseSignal, Connection, ConnectionState, Message, ProtocolError, UsageError,
};

use crate::bounded::bounded;
use crate::faulty_stream::{Buffering, Call, Fault, FaultyStream};
use crate::memory_peer::{Heard, MemoryPeer, goodbye};

/// Faults that a caller may not even notice.
const HARMLESS: [Fault; 2] = [Fault::Short, Fault::Once(ErrorKind::Interrupted)];

/// Faults after which the call is made again.
const TIMEOUTS: [Fault; 2] = [Fault::Once(ErrorKind::WouldBlock), Fault::Once(ErrorKind::TimedOut)];

/// Faults that end the connection.
const FATAL: [Fault; 4] = [
    Fault::FromThenOn(ErrorKind::ConnectionReset),
    Fault::FromThenOn(ErrorKind::BrokenPipe),
    Fault::FromThenOn(ErrorKind::UnexpectedEof),
    Fault::End,
];

/// Each end reads a head, writes one, and flushes.
const HANDSHAKE_CALLS: usize = 3;

/// How the bytes of a scenario are cut.
#[derive(Debug, Clone, Copy)]
enum Cut {
    /// Messages of a few bytes, a byte a call: every position in every header and payload.
    Bytes,
    /// A message of 200 KiB among them, as much per call as fits.
    Large,
}

impl Cut {
    fn messages(self) -> Vec<Message<'static>> {
        let mut messages =
            vec![Message::from("Hello, w\u{f6}rld"), Message::from(b"\0\xFF\xFE"), "".into()];
        if let Self::Large = self {
            messages.push(large().into());
        }
        messages.push("the last one".into());
        messages
    }

    fn stream(self, peer: MemoryPeer, fault: Fault, at: usize) -> FaultyStream {
        let stream = FaultyStream::with_fault(peer, fault, at);
        match self {
            Self::Bytes => stream.at_most(1),
            Self::Large => stream,
        }
    }

    /// A client that sends the messages, one of them in fragments, with Pings, and closes.
    fn client(self) -> MemoryPeer {
        MemoryPeer::client(match self {
            Self::Bytes => |connection| {
                send_all(connection, Self::Bytes.messages());
            },
            Self::Large => |connection| {
                send_all(connection, Self::Large.messages());
            },
        })
    }
}

fn large() -> Vec<u8> {
    // The word's length divides that of no buffer, so that anything out of place shows.
    let mut bytes = b"sansocket".repeat(200 * 1024 / 9 + 1);
    bytes.truncate(200 * 1024);
    bytes
}

fn send_all(connection: &mut Connection, messages: Vec<Message<'static>>) {
    let last = messages.len() - 1;
    for (index, message) in messages.into_iter().enumerate() {
        if index < last {
            connection.send(message).unwrap();
            continue;
        }
        let text = message.as_text().unwrap();
        connection.fragments().write(&text[..3]).unwrap();
        connection.ping(b"between").unwrap();
        connection.fragments().write("").unwrap();
        connection.fragments().finish(&text[3..]).unwrap();
    }
    goodbye(connection);
}

/// What came of a scenario.
struct Run {
    delivered: Vec<Message<'static>>,
    /// How often a call reported a timeout and was made again.
    timeouts: usize,
    end: Result<(), Error>,
}

impl Run {
    fn new() -> Self {
        Self { delivered: Vec::new(), timeouts: 0, end: Ok(()) }
    }

    /// Repeats a call until it doesn't report a timeout.
    fn again<T>(&mut self, mut call: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
        loop {
            match call() {
                Err(Error::ReadTimedOut | Error::WriteTimedOut) => self.timeouts += 1,
                outcome => return outcome,
            }
        }
    }
}

type Faulty<'s> = WebSocket<&'s mut FaultyStream>;

/// A server that echoes with `read` and `write`.
fn echo_with_read(socket: &mut Faulty<'_>, run: &mut Run) -> Result<(), Error> {
    while let Some(message) = run.again(|| socket.read())? {
        run.delivered.push(message.clone());
        match socket.write(message) {
            // What the peer has said before is still to be read.
            Ok(()) | Err(Error::Io(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// A server that echoes with `serve`.
fn echo_with_serve(socket: &mut Faulty<'_>, run: &mut Run) -> Result<(), Error> {
    let mut delivered = Vec::new();
    let outcome = run.again(|| {
        socket.serve(|message, outbox| {
            delivered.push(message.clone().into_owned());
            outbox.send(message)
        })
    });
    run.delivered = delivered;
    outcome
}

/// A client that sends everything, reads everything, and closes.
fn exchange(cut: Cut) -> impl Fn(&mut Faulty<'_>, &mut Run) -> Result<(), Error> {
    move |socket, run| {
        for message in cut.messages() {
            socket.write(message)?;
        }
        run.again(|| socket.flush())?;
        for _ in cut.messages() {
            let message = run.again(|| socket.read())?.expect("a message");
            run.delivered.push(message);
        }
        run.again(|| socket.close(CloseCode::NORMAL, "goodbye")).map(drop)
    }
}

/// Runs a server over a stream; an error if it wasn't accepted.
fn serve(
    stream: &mut FaultyStream,
    body: impl Fn(&mut Faulty<'_>, &mut Run) -> Result<(), Error>,
) -> Result<Run, AcceptError> {
    let mut socket = Server::new().accept_over(stream)?;
    Ok(drive(&mut socket, body))
}

fn connect(
    stream: &mut FaultyStream,
    body: impl Fn(&mut Faulty<'_>, &mut Run) -> Result<(), Error>,
) -> Result<Run, ConnectError> {
    let mut socket = Client::new("ws://memory/").unwrap().connect_over(stream)?;
    Ok(drive(&mut socket, body))
}

fn drive(
    socket: &mut Faulty<'_>,
    body: impl Fn(&mut Faulty<'_>, &mut Run) -> Result<(), Error>,
) -> Run {
    let mut run = Run::new();
    run.end = body(socket, &mut run);
    match &run.end {
        Ok(()) => {
            let status = socket.close_status().expect("it is closed");
            assert_eq!(status.local, CloseSignal::Code(CloseCode::NORMAL));
            assert_eq!(status.remote, CloseSignal::Code(CloseCode::NORMAL));
            assert_matches!(socket.read(), Ok(None));
        }
        Err(_) => says_that_it_is_over(socket),
    }
    run
}

/// Asserts that every further call says so too, whichever comes first.
fn says_that_it_is_over(socket: &mut Faulty<'_>) {
    // What arrived before the failure of a write is handed out first.
    while let Ok(Some(_)) = socket.read() {}
    for _ in 0..2 {
        assert_matches!(socket.read(), Err(Error::Io(_) | Error::Lost));
        assert_eq!(socket.state(), ConnectionState::Closed);
        assert_matches!(socket.write("more"), Err(Error::Usage(UsageError::NotOpen)));
        assert_matches!(socket.ping(b""), Err(Error::Usage(UsageError::NotOpen)));
        assert_matches!(socket.close(CloseCode::NORMAL, ""), Err(Error::Io(_) | Error::Lost));
    }
}

/// Runs a scenario with the fault at every call, until it is past the last one.
fn for_every_call(least: usize, mut scenario: impl FnMut(usize) -> Option<Call>) {
    let mut calls = 0;
    while scenario(calls).is_some() {
        calls += 1;
    }
    assert!(calls >= least, "only {calls} calls were made");
}

/// Asserts that the peer got every echo, every Pong, and the Close, in order.
fn assert_served(peer: &MemoryPeer, cut: Cut) {
    let mut expected: Vec<_> = cut.messages().into_iter().map(Heard::Message).collect();
    // The Ping came within the last message.
    expected.insert(expected.len() - 1, Heard::Pong(b"between".to_vec()));
    expected.push(Heard::Close(Some((CloseCode::NORMAL, String::new()))));
    assert!(peer.heard == expected, "something is missing, repeated or out of order");
}

fn assert_exchanged(peer: &MemoryPeer, run: &Run, cut: Cut) {
    assert!(run.delivered == cut.messages());
    assert!(peer.messages() == cut.messages());
    let pongs: Vec<_> = peer.heard.iter().filter(|heard| matches!(heard, Heard::Pong(_))).collect();
    assert_eq!(pongs.len(), 2 * cut.messages().len());
    let goodbye = Heard::Close(Some((CloseCode::NORMAL, "goodbye".into())));
    assert_eq!(peer.heard.last(), Some(&goodbye));
}

fn served_in_spite_of(
    faults: &[Fault],
    cut: Cut,
    body: fn(&mut Faulty<'_>, &mut Run) -> Result<(), Error>,
) {
    for &fault in faults {
        for_every_call(10, |at| {
            let mut stream = cut.stream(cut.client(), fault, at);
            let run = serve(&mut stream, body);
            let hit = stream.hit();
            match run {
                Ok(run) => {
                    assert_matches!(run.end, Ok(()), "{fault:?} of call {at}, a {hit:?}");
                    assert!(run.delivered == cut.messages(), "{fault:?} of call {at}");
                    assert!(run.timeouts <= usize::from(TIMEOUTS.contains(&fault)));
                    assert_served(&stream.peer, cut);
                }
                Err(error) => {
                    // In the opening handshake a timeout is the end: see below.
                    assert_matches!(error, AcceptError::TimedOut);
                    assert!(TIMEOUTS.contains(&fault) && at < HANDSHAKE_CALLS);
                }
            }
            hit
        });
    }
}

fn exchanged_in_spite_of(
    faults: &[Fault],
    cut: Cut,
    body: impl Fn(&mut Faulty<'_>, &mut Run) -> Result<(), Error>,
) {
    for &fault in faults {
        for_every_call(10, |at| {
            let mut stream = cut.stream(MemoryPeer::echo_server(), fault, at);
            let run = connect(&mut stream, &body);
            let hit = stream.hit();
            match run {
                Ok(run) => {
                    assert_matches!(run.end, Ok(()), "{fault:?} of call {at}, a {hit:?}");
                    assert!(run.timeouts <= usize::from(TIMEOUTS.contains(&fault)));
                    assert_exchanged(&stream.peer, &run, cut);
                }
                Err(error) => {
                    assert_matches!(error, ConnectError::TimedOut);
                    assert!(TIMEOUTS.contains(&fault) && at < HANDSHAKE_CALLS);
                }
            }
            hit
        });
    }
}

#[test]
fn a_server_does_not_notice_short_and_interrupted_calls_at_any_byte() {
    bounded(|| {
        served_in_spite_of(&HARMLESS, Cut::Bytes, echo_with_read);
        served_in_spite_of(&HARMLESS, Cut::Bytes, echo_with_serve);
    });
}

#[test]
fn a_server_does_not_notice_short_and_interrupted_calls_in_a_large_message() {
    bounded(|| {
        served_in_spite_of(&HARMLESS, Cut::Large, echo_with_read);
        served_in_spite_of(&HARMLESS, Cut::Large, echo_with_serve);
    });
}

#[test]
fn a_server_resumes_after_a_timeout_at_any_byte() {
    bounded(|| {
        served_in_spite_of(&TIMEOUTS, Cut::Bytes, echo_with_read);
        served_in_spite_of(&TIMEOUTS, Cut::Bytes, echo_with_serve);
    });
}

#[test]
fn a_server_resumes_after_a_timeout_in_a_large_message() {
    bounded(|| {
        served_in_spite_of(&TIMEOUTS, Cut::Large, echo_with_read);
        served_in_spite_of(&TIMEOUTS, Cut::Large, echo_with_serve);
    });
}

#[test]
fn a_client_does_not_notice_short_and_interrupted_calls_at_any_byte() {
    bounded(|| exchanged_in_spite_of(&HARMLESS, Cut::Bytes, exchange(Cut::Bytes)));
}

#[test]
fn a_client_does_not_notice_short_and_interrupted_calls_in_a_large_message() {
    bounded(|| exchanged_in_spite_of(&HARMLESS, Cut::Large, exchange(Cut::Large)));
}

#[test]
fn a_client_resumes_after_a_timeout_at_any_byte() {
    bounded(|| exchanged_in_spite_of(&TIMEOUTS, Cut::Bytes, exchange(Cut::Bytes)));
}

#[test]
fn a_client_resumes_after_a_timeout_in_a_large_message() {
    bounded(|| exchanged_in_spite_of(&TIMEOUTS, Cut::Large, exchange(Cut::Large)));
}

/// Asserts that what arrived, at either end, is the beginning of what was sent.
fn assert_broken(run: &Run, peer: &MemoryPeer, cut: Cut, context: (Fault, usize)) {
    assert_matches!(&run.end, Err(Error::Io(_) | Error::Lost), "{context:?}");
    assert!(cut.messages().starts_with(&run.delivered), "{context:?}");
    assert!(cut.messages().starts_with(&peer.messages()), "{context:?}");
}

fn broken_for_a_server(cut: Cut, body: fn(&mut Faulty<'_>, &mut Run) -> Result<(), Error>) {
    for fault in FATAL {
        for_every_call(10, |at| {
            let mut stream = cut.stream(cut.client(), fault, at);
            let run = serve(&mut stream, body);
            let hit = stream.hit();
            match run {
                Ok(run) if hit.is_some() => assert_broken(&run, &stream.peer, cut, (fault, at)),
                Ok(run) => assert_matches!(run.end, Ok(())),
                Err(error) => assert_matches!(error, AcceptError::Io(_) | AcceptError::Truncated),
            }
            hit
        });
    }
}

fn broken_for_a_client(cut: Cut, body: impl Fn(&mut Faulty<'_>, &mut Run) -> Result<(), Error>) {
    for fault in FATAL {
        for_every_call(10, |at| {
            let mut stream = cut.stream(MemoryPeer::echo_server(), fault, at);
            let run = connect(&mut stream, &body);
            let hit = stream.hit();
            match run {
                Ok(run) if hit.is_some() => assert_broken(&run, &stream.peer, cut, (fault, at)),
                Ok(run) => assert_matches!(run.end, Ok(())),
                Err(error) => {
                    assert_matches!(
                        error,
                        ConnectError::Io(_) | ConnectError::Response(ResponseError::Truncated)
                    );
                }
            }
            hit
        });
    }
}

#[test]
fn a_server_ends_with_an_error_when_the_transport_fails_at_any_byte() {
    bounded(|| {
        broken_for_a_server(Cut::Bytes, echo_with_read);
        broken_for_a_server(Cut::Bytes, echo_with_serve);
    });
}

#[test]
fn a_server_ends_with_an_error_when_the_transport_fails_in_a_large_message() {
    bounded(|| {
        broken_for_a_server(Cut::Large, echo_with_read);
        broken_for_a_server(Cut::Large, echo_with_serve);
    });
}

#[test]
fn a_client_ends_with_an_error_when_the_transport_fails_at_any_byte() {
    bounded(|| broken_for_a_client(Cut::Bytes, exchange(Cut::Bytes)));
}

#[test]
fn a_client_ends_with_an_error_when_the_transport_fails_in_a_large_message() {
    bounded(|| broken_for_a_client(Cut::Large, exchange(Cut::Large)));
}

#[test]
fn a_timeout_in_the_opening_handshake_is_the_end_of_it() {
    bounded(|| {
        for fault in TIMEOUTS {
            // A server reads the request, writes the response, and flushes.
            for at in 0..HANDSHAKE_CALLS {
                let peer = MemoryPeer::client(goodbye);
                let outcome = Server::new().accept_over(FaultyStream::with_fault(peer, fault, at));
                assert_matches!(outcome.err(), Some(AcceptError::TimedOut));
                // A client writes the request, flushes, and reads the response.
                let stream = FaultyStream::with_fault(MemoryPeer::echo_server(), fault, at);
                let outcome = Client::new("ws://memory/").unwrap().connect_over(stream);
                assert_matches!(outcome.err(), Some(ConnectError::TimedOut));
            }
        }
    });
}

#[test]
fn a_failure_in_the_opening_handshake_is_the_error_of_the_handshake() {
    bounded(|| {
        let fault = Fault::FromThenOn(ErrorKind::ConnectionReset);
        for at in 0..HANDSHAKE_CALLS {
            let peer = MemoryPeer::client(goodbye);
            let outcome = Server::new().accept_over(FaultyStream::with_fault(peer, fault, at));
            assert_matches!(outcome.err(), Some(AcceptError::Io(error))
                if error.kind() == ErrorKind::ConnectionReset);
            let stream = FaultyStream::with_fault(MemoryPeer::echo_server(), fault, at);
            let outcome = Client::new("ws://memory/").unwrap().connect_over(stream);
            assert_matches!(outcome.err(), Some(ConnectError::Io(error))
                if error.kind() == ErrorKind::ConnectionReset);
        }
    });
}

#[test]
fn a_flush_that_timed_out_is_made_again() {
    bounded(|| {
        for fault in TIMEOUTS {
            for_every_call(5, |at| {
                let peer = MemoryPeer::echo_server();
                let mut stream =
                    FaultyStream::with_fault(peer, fault, at).buffering(Buffering::UntilFlush);
                let Ok(mut socket) = Client::new("ws://memory/").unwrap().connect_over(&mut stream)
                else {
                    return stream.hit();
                };
                let mut run = Run::new();
                socket.write("Hello").unwrap();
                run.again(|| socket.flush()).unwrap();
                drop(socket);
                assert_eq!(stream.peer.messages(), ["Hello".into()], "{fault:?} of call {at}");
                stream.hit()
            });
        }
    });
}

#[test]
fn what_fails_the_connection_is_told_in_spite_of_a_timeout() {
    bounded(|| {
        for fault in TIMEOUTS {
            for_every_call(5, |at| {
                // A frame with a reserved opcode, right after the head of the response.
                let peer = MemoryPeer::server_that_says(b"\x83\0");
                let mut stream = FaultyStream::with_fault(peer, fault, at);
                let Ok(mut socket) = Client::new("ws://memory/").unwrap().connect_over(&mut stream)
                else {
                    return stream.hit();
                };
                for _ in 0..3 {
                    let error = ProtocolError::ReservedOpcode(3);
                    assert_matches!(socket.read(), Err(Error::Protocol(found)) if found == error);
                }
                drop(socket);
                let told = Heard::Close(Some((CloseCode::PROTOCOL_ERROR, String::new())));
                assert_eq!(stream.peer.heard, [told], "{fault:?} of call {at}");
                stream.hit()
            });
        }
    });
}

fn read_though_nothing_can_be_written(
    cut: Cut,
    body: fn(&mut Faulty<'_>, &mut Run) -> Result<(), Error>,
) {
    for_every_call(10, |at| {
        let mut stream = cut.stream(cut.client(), Fault::BrokenPipe, at);
        let run = serve(&mut stream, body);
        let hit = stream.hit();
        match run {
            Ok(run) if hit.is_some() => {
                assert_broken(&run, &stream.peer, cut, (Fault::BrokenPipe, at));
                assert!(run.delivered == cut.messages(), "call {at}");
            }
            Ok(run) => assert_matches!(run.end, Ok(())),
            Err(error) => assert_matches!(error, AcceptError::Io(_)),
        }
        hit
    });
}

#[test]
fn what_the_peer_says_is_still_read_when_nothing_can_be_written() {
    bounded(|| {
        for cut in [Cut::Bytes, Cut::Large] {
            read_though_nothing_can_be_written(cut, echo_with_read);
        }
    });
}
