//! The n-th call goes wrong, for every n, in whichever of the two threads it is made, and nothing is
//! lost, repeated or reordered.

use std::io::{ErrorKind, Read, Write};
use std::thread;
use std::time::Duration;

use sansocket::blocking::{Client, Error, Reader, Server, Timeouts, WebSocket, Writer};
use sansocket::{CloseCode, Message, MessageKind};

use crate::bounded::bounded;
use crate::faulty_stream::{Call, Fault};
use crate::pipe::{Pipe, pipe};

/// Faults that a caller may not even notice.
pub(super) const HARMLESS: [Fault; 2] = [Fault::Short, Fault::Once(ErrorKind::Interrupted)];

/// Faults after which the call is made again.
pub(super) const TIMEOUTS: [Fault; 2] =
    [Fault::Once(ErrorKind::WouldBlock), Fault::Once(ErrorKind::TimedOut)];

/// Faults that end the connection.
pub(super) const FATAL: [Fault; 4] = [
    Fault::FromThenOn(ErrorKind::ConnectionReset),
    Fault::FromThenOn(ErrorKind::BrokenPipe),
    Fault::BrokenPipe,
    Fault::End,
];

/// Few enough that each call moves only a part of a message.
pub(super) const CAPACITY: usize = 700;

pub(super) fn messages() -> Vec<Message<'static>> {
    let mut messages = vec![Message::from("Hello, w\u{f6}rld"), "".into(), vec![7; 3000].into()];
    messages.extend((0..10).map(|index| Message::from(format!("{index}").repeat(90))));
    messages.push("the last one".into());
    messages
}

/// Both ends. The peer sends back what it gets, with a Ping after each message.
fn open(timeouts: Timeouts) -> (WebSocket<Pipe>, thread::JoinHandle<Vec<Message<'static>>>) {
    let (ours, theirs) = pipe(CAPACITY);
    let peer = thread::spawn(move || {
        let server = Server::new().timeouts(timeouts);
        let mut socket = server.accept(theirs).unwrap();
        let mut heard = Vec::new();
        // It is for the other end to report that the transport fails.
        while let Ok(Some(message)) = socket.read() {
            heard.push(message.clone());
            let _ = socket.write(message);
            let _ = socket.ping(b"and?");
        }
        heard
    });
    let client = Client::new("ws://memory/").unwrap().timeouts(timeouts);
    (client.connect_on(ours).unwrap(), peer)
}

/// Repeats a call until it doesn't report a timeout: what timed out is queued.
fn again(mut flush: impl FnMut() -> Result<(), Error>) -> Result<(), Error> {
    loop {
        match flush() {
            Err(Error::WriteTimedOut) => {}
            outcome => return outcome,
        }
    }
}

/// Sends the messages, in one way or another.
fn send(writer: &Writer<Pipe>) -> Result<(), Error> {
    for (index, message) in messages().into_iter().enumerate() {
        if index % 3 == 2 {
            let mut fragments = writer.message(message.kind());
            for piece in message.as_bytes().chunks(500) {
                fragments.write_all(piece).map_err(cause)?;
                match fragments.flush().map_err(cause) {
                    // What was not written is queued.
                    Ok(()) | Err(Error::WriteTimedOut) => {}
                    Err(error) => return Err(error),
                }
            }
            match fragments.finish().map_err(cause) {
                Ok(()) | Err(Error::WriteTimedOut) => {}
                Err(error) => return Err(error),
            }
        } else {
            match writer.send(message) {
                Ok(()) | Err(Error::WriteTimedOut) => {}
                Err(error) => return Err(error),
            }
        }
        again(|| writer.flush())?;
    }
    Ok(())
}

/// The error inside an I/O error.
fn cause(error: std::io::Error) -> Error {
    *error.into_inner().unwrap().downcast().unwrap()
}

struct Outcome {
    sent: Result<(), Error>,
    received: Vec<Message<'static>>,
    end: Result<(), Error>,
    heard: Vec<Message<'static>>,
    hit: Option<Call>,
}

/// One thread reads, another writes, and call number `at` goes wrong.
fn run(fault: Fault, at: usize, timeouts: Timeouts) -> Outcome {
    let (socket, peer) = open(timeouts);
    let (reader, writer) = socket.split().unwrap();
    reader.stream().arm(fault, at);
    let sending = thread::spawn(move || {
        let sent = send(&writer);
        // The close is left for when everything has come back.
        (sent, writer)
    });
    let (mut reader, received, mut end) = receive(reader, messages().len());
    let (sent, writer) = sending.join().unwrap();
    if end.is_ok() {
        let _ = again(|| writer.close(CloseCode::NORMAL, ""));
        end = match reader.read() {
            Ok(None) => Ok(()),
            Ok(Some(message)) => panic!("more than was sent: {message:?}"),
            Err(error) => Err(error),
        };
    }
    assert_matches!(writer.send("late"), Err(_));
    let hit = reader.stream().hit();
    drop((reader, writer));
    Outcome { sent, received, end, heard: peer.join().unwrap(), hit }
}

fn receive(
    mut reader: Reader<Pipe>,
    count: usize,
) -> (Reader<Pipe>, Vec<Message<'static>>, Result<(), Error>) {
    let mut received = Vec::new();
    let mut end = Ok(());
    while received.len() < count && end.is_ok() {
        // One whole, the next one piece by piece.
        let read =
            if received.len() % 2 == 0 { reader.read() } else { read_bit_by_bit(&mut reader) };
        match read {
            Ok(Some(message)) => received.push(message),
            Ok(None) => end = Err(Error::Lost),
            Err(error) => end = Err(error),
        }
    }
    (reader, received, end)
}

fn read_bit_by_bit(reader: &mut Reader<Pipe>) -> Result<Option<Message<'static>>, Error> {
    let Some(mut message) = reader.next_message()? else {
        return Ok(None);
    };
    let (mut bytes, mut room) = (Vec::new(), [0; 100]);
    loop {
        match message.read(&mut room).map_err(cause)? {
            0 => break,
            count => bytes.extend_from_slice(&room[..count]),
        }
    }
    Ok(Some(match message.kind() {
        MessageKind::Text => String::from_utf8(bytes).unwrap().into(),
        MessageKind::Binary => bytes.into(),
    }))
}

/// Runs it with the fault at every call, until it is past the last one.
fn for_every_call(fault: Fault, timeouts: Timeouts, check: impl Fn(usize, Outcome)) {
    for at in 0.. {
        let outcome = run(fault, at, timeouts);
        let is_last = outcome.hit.is_none();
        check(at, outcome);
        if is_last {
            assert!(at > 40, "only {at} calls were made");
            return;
        }
    }
}

#[track_caller]
fn assert_all_arrived(fault: Fault, at: usize, outcome: &Outcome) {
    let context = format!("{fault:?} of call {at}, a {:?}", outcome.hit);
    assert_matches!(&outcome.sent, Ok(()), "{context}");
    assert_matches!(&outcome.end, Ok(()), "{context}");
    assert!(outcome.heard == messages(), "{context}");
    assert!(outcome.received == messages(), "{context}");
}

#[test]
fn short_and_interrupted_calls_are_not_noticed() {
    bounded(|| {
        for fault in HARMLESS {
            for_every_call(fault, Timeouts::default(), |at, outcome| {
                assert_all_arrived(fault, at, &outcome);
            });
        }
    });
}

#[test]
fn calls_that_time_out_are_made_again() {
    bounded(|| {
        for fault in TIMEOUTS {
            for_every_call(fault, Timeouts::default(), |at, outcome| {
                assert_all_arrived(fault, at, &outcome);
            });
        }
    });
}

#[test]
fn a_transport_that_fails_ends_both_halves() {
    bounded(|| {
        // A peer that is not told has to be given up.
        let timeouts = Timeouts::default().close(Duration::from_millis(40));
        for fault in FATAL {
            for_every_call(fault, timeouts, |at, outcome| {
                let context = format!("{fault:?} of call {at}, a {:?}", outcome.hit);
                assert!(messages().starts_with(&outcome.heard), "{context}");
                assert!(messages().starts_with(&outcome.received), "{context}");
                if outcome.hit.is_some() {
                    // Only a break after the last word goes unnoticed.
                    let all_arrived = outcome.received == messages() && outcome.heard == messages();
                    assert!(outcome.end.is_err() || all_arrived, "{context}");
                    assert!(outcome.sent.is_ok() || outcome.end.is_err(), "{context}");
                } else {
                    assert_all_arrived(fault, at, &outcome);
                }
            });
        }
    });
}

#[test]
fn the_kind_of_every_message_is_kept() {
    // Without this, the scenario would prove little.
    let kinds: Vec<_> = messages().iter().map(Message::kind).collect();
    assert!(kinds.contains(&MessageKind::Text) && kinds.contains(&MessageKind::Binary));
}

#[test]
fn a_message_that_was_lost_with_anothers_write_is_not_reported_as_sent() {
    bounded(|| {
        let (socket, _peer) = open(Timeouts::default());
        let (reader, writer) = socket.split().unwrap();
        writer.send("taken").unwrap();
        reader.stream().arm(Fault::BrokenPipe, 0);
        writer.write("lost").unwrap();
        assert_matches!(writer.clone().flush(), Err(Error::Io(_)));
        assert_matches!(writer.flush(), Err(Error::Io(_)));
    });
}
