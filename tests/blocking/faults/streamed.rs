//! The same laws for reading and writing piece by piece.

use std::io::{self, ErrorKind, Read, Write};

use sansocket::blocking::{ByteStream, Client, ConnectError, Error};
use sansocket::handshake::ResponseError;
use sansocket::{CloseCode, Message, MessageKind};

use super::{
    Cut, FATAL, Faulty, HANDSHAKE_CALLS, HARMLESS, Run, TIMEOUTS, broken_for_a_client,
    broken_for_a_server, exchanged_in_spite_of, for_every_call, large,
    read_though_nothing_can_be_written, served_in_spite_of,
};
use crate::bounded::bounded;
use crate::faulty_stream::{Fault, FaultyStream, again};
use crate::memory_peer::MemoryPeer;

const CUTS: [Cut; 2] = [Cut::Bytes, Cut::Large];

/// A server that echoes with `next_message` and `message`.
fn echo(socket: &mut Faulty<'_>, run: &mut Run) -> Result<(), Error> {
    while let Some(message) = receive(socket, run)? {
        run.delivered.push(message.clone());
        match send(socket, run, &message) {
            // What the peer has said before is still to be read.
            Ok(()) | Err(Error::Io(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// A client that sends everything, reads everything, and closes.
fn exchange(cut: Cut) -> impl Fn(&mut Faulty<'_>, &mut Run) -> Result<(), Error> {
    move |socket, run| {
        for message in cut.messages() {
            send(socket, run, &message)?;
        }
        for _ in cut.messages() {
            let message = receive(socket, run)?.expect("a message");
            run.delivered.push(message);
        }
        run.again(|| socket.close(CloseCode::NORMAL, "goodbye")).map(drop)
    }
}

fn receive(socket: &mut Faulty<'_>, run: &mut Run) -> Result<Option<Message<'static>>, Error> {
    loop {
        match socket.next_message() {
            Ok(Some(mut message)) => {
                let (mut bytes, mut room) = (Vec::new(), [0; 1000]);
                loop {
                    match run.again(|| message.read(&mut room).map_err(cause))? {
                        0 => break,
                        count => bytes.extend_from_slice(&room[..count]),
                    }
                }
                return Ok(Some(match message.kind() {
                    MessageKind::Text => String::from_utf8(bytes).unwrap().into(),
                    MessageKind::Binary => bytes.into(),
                }));
            }
            Ok(None) => return Ok(None),
            Err(Error::ReadTimedOut | Error::WriteTimedOut) => run.timeouts += 1,
            Err(error) => return Err(error),
        }
    }
}

/// Sends a message in two fragments and an end.
fn send(socket: &mut Faulty<'_>, run: &mut Run, message: &Message<'_>) -> Result<(), Error> {
    let mut writer = socket.message(message.kind());
    for piece in message.as_bytes().chunks(message.len() / 2 + 1) {
        writer.write_all(piece).map_err(cause)?;
        run.again(|| writer.flush().map_err(cause))?;
    }
    match writer.finish().map_err(cause) {
        // It is queued.
        Err(Error::WriteTimedOut) => {
            run.timeouts += 1;
            run.again(|| socket.flush())
        }
        outcome => outcome,
    }
}

/// The error inside a stream's I/O error.
fn cause(error: io::Error) -> Error {
    *error.into_inner().unwrap().downcast().unwrap()
}

#[test]
fn a_server_does_not_notice_short_and_interrupted_calls() {
    bounded(|| {
        for cut in CUTS {
            served_in_spite_of(&HARMLESS, cut, echo);
        }
    });
}

#[test]
fn a_server_resumes_after_a_timeout() {
    bounded(|| {
        for cut in CUTS {
            served_in_spite_of(&TIMEOUTS, cut, echo);
        }
    });
}

#[test]
fn a_server_ends_with_an_error_when_the_transport_fails() {
    bounded(|| {
        for cut in CUTS {
            broken_for_a_server(cut, echo);
        }
    });
}

#[test]
fn what_the_peer_says_is_still_read_when_nothing_can_be_written() {
    bounded(|| {
        for cut in CUTS {
            read_though_nothing_can_be_written(cut, echo);
        }
    });
}

#[test]
fn a_client_does_not_notice_short_and_interrupted_calls() {
    bounded(|| {
        for cut in CUTS {
            exchanged_in_spite_of(&HARMLESS, cut, exchange(cut));
        }
    });
}

#[test]
fn a_client_resumes_after_a_timeout() {
    bounded(|| {
        for cut in CUTS {
            exchanged_in_spite_of(&TIMEOUTS, cut, exchange(cut));
        }
    });
}

#[test]
fn a_client_ends_with_an_error_when_the_transport_fails() {
    bounded(|| {
        for cut in CUTS {
            broken_for_a_client(cut, exchange(cut));
        }
    });
}

// ---- Streams of bytes

/// A few, or more than one message holds.
fn bytes(cut: Cut) -> Vec<u8> {
    match cut {
        Cut::Bytes => b"a stream of bytes".to_vec(),
        Cut::Large => large(),
    }
}

/// Sends bytes to a peer that sends them back, and closes; puts what it has read into `received`.
fn pass(
    stream: &mut FaultyStream,
    cut: Cut,
    received: &mut Vec<u8>,
) -> Result<io::Result<()>, ConnectError> {
    let socket = Client::new("ws://memory/").unwrap().connect_over(stream)?;
    let mut stream = ByteStream::new(socket);
    let sent = bytes(cut);
    let mut exchange = || {
        let mut unsent = &sent[..];
        while !unsent.is_empty() {
            let count = again(|| stream.write(unsent))?;
            unsent = &unsent[count..];
        }
        again(|| stream.flush())?;
        let mut room = [0; 1000];
        while received.len() < sent.len() {
            match again(|| stream.read(&mut room))? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                count => received.extend_from_slice(&room[..count]),
            }
        }
        again(|| stream.close()).map(drop)
    };
    Ok(exchange())
}

fn heard(peer: &MemoryPeer) -> Vec<u8> {
    peer.messages().iter().flat_map(|message| message.as_bytes().to_vec()).collect()
}

#[test]
fn a_stream_of_bytes_loses_and_repeats_nothing() {
    bounded(|| {
        for (cut, fault) in CUTS.into_iter().flat_map(|cut| {
            [HARMLESS, TIMEOUTS].concat().into_iter().map(move |fault| (cut, fault))
        }) {
            for_every_call(8, |at| {
                let mut stream = cut.stream(MemoryPeer::echo_server(), fault, at);
                let mut received = Vec::new();
                match pass(&mut stream, cut, &mut received) {
                    Ok(outcome) => {
                        assert_matches!(outcome, Ok(()), "{fault:?} of call {at}");
                        assert!(received == bytes(cut), "{fault:?} of call {at}");
                        assert!(heard(&stream.peer) == bytes(cut), "{fault:?} of call {at}");
                    }
                    Err(error) => {
                        assert_matches!(error, ConnectError::TimedOut);
                        assert!(TIMEOUTS.contains(&fault) && at < HANDSHAKE_CALLS);
                    }
                }
                stream.hit()
            });
        }
    });
}

#[test]
fn a_stream_of_bytes_that_breaks_says_so_behind_what_has_arrived() {
    bounded(|| {
        for (cut, fault) in
            CUTS.into_iter().flat_map(|cut| FATAL.into_iter().map(move |fault| (cut, fault)))
        {
            for_every_call(8, |at| {
                let mut stream = cut.stream(MemoryPeer::echo_server(), fault, at);
                let mut received = Vec::new();
                match pass(&mut stream, cut, &mut received) {
                    Ok(outcome) => {
                        assert_eq!(outcome.is_err(), stream.hit().is_some(), "{fault:?} of {at}");
                        assert!(bytes(cut).starts_with(&received), "{fault:?} of call {at}");
                        assert!(bytes(cut).starts_with(&heard(&stream.peer)));
                    }
                    Err(error) => assert_matches!(
                        error,
                        ConnectError::Io(_) | ConnectError::Response(ResponseError::Truncated)
                    ),
                }
                stream.hit()
            });
        }
    });
}

/// Without this, the laws above would prove little.
#[test]
fn a_fault_is_hit_in_reading_and_in_writing() {
    let mut stream = FaultyStream::with_fault(MemoryPeer::echo_server(), Fault::Nothing, 0);
    pass(&mut stream, Cut::Large, &mut Vec::new()).unwrap().unwrap();
    for call in [crate::faulty_stream::Call::Read, crate::faulty_stream::Call::Write] {
        assert!(stream.count(call) > HANDSHAKE_CALLS);
    }
}
