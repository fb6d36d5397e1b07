//! The n-th call goes wrong, for every n, for a reader that serves and for streams of bytes over the two
//! ends; and nothing is lost, repeated or reordered.

use std::fmt::Debug;
use std::io::{self, ErrorKind, Read, Write};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use sansocket::blocking::{
    ByteReader, ByteStream, ByteWriter, Client, Error, Server, Timeouts, WebSocket,
};
use sansocket::{CloseCode, Message};

use super::faults::{CAPACITY, FATAL, HARMLESS, TIMEOUTS, messages};
use crate::bounded::bounded;
use crate::faulty_stream::{Call, Fault, again};
use crate::pipe::{Pipe, pipe};

/// What came of a conversation: what our end saw, what the other one saw, and how ours ended.
#[derive(Debug)]
struct Outcome<T, E> {
    heard: Vec<T>,
    returned: Vec<T>,
    end: Result<(), E>,
    hit: Option<Call>,
}

/// Makes the n-th call go wrong, for every n, until that is past the last one.
fn for_every_call<T: PartialEq + Debug, E: Debug>(
    faults: &[Fault],
    all: &[T],
    run: impl Fn(Fault, usize) -> Outcome<T, E>,
) {
    for &fault in faults {
        for at in 0.. {
            let Outcome { heard, returned, end, hit } = run(fault, at);
            let context = format!("{fault:?} of call {at}, a {hit:?}, and then {end:?}");
            assert!(all.starts_with(&heard) && all.starts_with(&returned), "{context}");
            // Only a break after the last word goes unnoticed.
            if end.is_ok() || hit.is_none() || !FATAL.contains(&fault) {
                assert!(heard == all && returned == all, "{context}");
            }
            if hit.is_none() {
                assert!(end.is_ok(), "{context}");
                assert!(at > 10, "only {at} calls were made");
                break;
            }
            assert!(end.is_ok() || FATAL.contains(&fault), "{context}");
        }
    }
}

/// Gives up soon on a peer that isn't told.
fn timeouts() -> Timeouts {
    Timeouts::default().close(Duration::from_millis(40))
}

// ---- A reader that serves

/// A client that sends everything, and closes when everything has come back.
fn asking(pipe: Pipe) -> JoinHandle<Vec<Message<'static>>> {
    thread::spawn(move || {
        let socket = Client::new("ws://memory/").unwrap().connect_on(pipe).unwrap();
        let (mut reader, writer) = socket.split().unwrap();
        let asking = writer.clone();
        // It is for the other end to report that the transport fails.
        let sending = thread::spawn(move || {
            messages().into_iter().all(|message| asking.send(message).is_ok())
        });
        let mut returned = Vec::new();
        while returned.len() < messages().len() {
            let Ok(Some(message)) = reader.read() else { break };
            returned.push(message);
        }
        let _ = writer.close(CloseCode::NORMAL, "");
        let _ = reader.read();
        sending.join().unwrap();
        returned
    })
}

fn serve(fault: Fault, at: usize) -> Outcome<Message<'static>, Error> {
    let (ours, theirs) = pipe(CAPACITY);
    let peer = asking(theirs);
    let socket = Server::new().timeouts(timeouts()).accept(ours).unwrap();
    let (mut reader, writer) = socket.split().unwrap();
    reader.stream().arm(fault, at);
    let mut heard = Vec::new();
    let end = loop {
        let served: Result<(), Error> = reader.serve(|message, outbox| {
            heard.push(message.clone().into_owned());
            outbox.send(message)
        });
        match served {
            Err(Error::ReadTimedOut | Error::WriteTimedOut) => {}
            outcome => break outcome,
        }
    };
    let hit = reader.stream().hit();
    drop((reader, writer));
    Outcome { heard, returned: peer.join().unwrap(), end, hit }
}

#[test]
fn a_reader_that_serves_does_not_notice_short_and_interrupted_calls() {
    bounded(|| for_every_call(&HARMLESS, &messages(), serve));
}

#[test]
fn a_reader_that_serves_resumes_after_a_timeout() {
    bounded(|| for_every_call(&TIMEOUTS, &messages(), serve));
}

#[test]
fn a_reader_that_serves_ends_with_an_error_when_the_transport_fails() {
    bounded(|| for_every_call(&FATAL, &messages(), serve));
}

// ---- Streams of bytes

fn bytes() -> Vec<u8> {
    (0..=250).cycle().take(5000).collect()
}

/// A server that sends bytes back, and returns those it got.
fn returning(pipe: Pipe) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let socket: WebSocket<Pipe> = Server::new().accept(pipe).unwrap();
        let mut stream = ByteStream::new(socket);
        let (mut heard, mut room) = (Vec::new(), [0; 300]);
        while let Ok(count @ 1..) = stream.read(&mut room) {
            heard.extend_from_slice(&room[..count]);
            let _ = stream.write_all(&room[..count]).and_then(|()| stream.flush());
        }
        heard
    })
}

fn pass(fault: Fault, at: usize) -> Outcome<u8, io::Error> {
    let (ours, theirs) = pipe(CAPACITY);
    let peer = returning(theirs);
    let client = Client::new("ws://memory/").unwrap().timeouts(timeouts());
    let (reader, writer) = client.connect_on(ours).unwrap().split().unwrap();
    reader.stream().arm(fault, at);
    let (mut reader, mut writer) = (ByteReader::new(reader), ByteWriter::new(writer));
    let sending = thread::spawn(move || {
        let sent = bytes();
        let mut unsent = &sent[..];
        let outcome = loop {
            if unsent.is_empty() {
                break again(|| writer.flush());
            }
            match again(|| writer.write(unsent)) {
                Ok(count) => unsent = &unsent[count..],
                Err(error) => break Err(error),
            }
        };
        (outcome, writer)
    });
    let (mut heard, mut room) = (Vec::new(), [0; 300]);
    let mut end = Ok(());
    while heard.len() < bytes().len() && end.is_ok() {
        match again(|| reader.read(&mut room)) {
            Ok(0) => end = Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => heard.extend_from_slice(&room[..count]),
            Err(error) => end = Err(error),
        }
    }
    let (sent, writer) = sending.join().unwrap();
    end = end.and(sent);
    if end.is_ok() {
        let _ = again(|| writer.close());
        end = again(|| reader.read(&mut room)).map(|count| assert_eq!(count, 0));
    }
    let reader = reader.into_inner();
    let hit = reader.stream().hit();
    drop((reader, writer));
    Outcome { heard, returned: peer.join().unwrap(), end, hit }
}

#[test]
fn streams_of_bytes_do_not_notice_short_and_interrupted_calls() {
    bounded(|| for_every_call(&HARMLESS, &bytes(), pass));
}

#[test]
fn streams_of_bytes_resume_after_a_timeout() {
    bounded(|| for_every_call(&TIMEOUTS, &bytes(), pass));
}

#[test]
fn streams_of_bytes_end_with_an_error_when_the_transport_fails() {
    bounded(|| for_every_call(&FATAL, &bytes(), pass));
}
