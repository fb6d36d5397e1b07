//! Peers that don't answer, or don't read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use sansocket::blocking::{AcceptLoop, Error, Server};
use sansocket::frame::Opcode;
use sansocket::{ConnectionState, Message};

use super::{
    AMPLE, LONG, SHORT, TOO_MUCH, assert_over, for_every_form, open, patient, reset, take_some,
    unhurried,
};
use crate::bounded::bounded;
use crate::loopback::{client, listen};
use crate::raw_peer::{RawPeer, from_server};

#[test]
fn a_close_frame_that_is_never_answered_is_given_up_at_its_deadline() {
    for_every_form(|form| {
        let (mut peer, ours) = open(form, patient().close(AMPLE), |end| {
            let outcome = end.close();
            assert_over(end);
            outcome
        });
        peer.expect_close(1000);
        assert_matches!(ours.outcome(), Err(Error::CloseTimedOut), "{form:?}");
        peer.expect_eof();
    });
}

#[test]
fn a_peer_that_talks_for_ever_instead_of_answering_a_close_frame_is_given_up_too() {
    for_every_form(|form| {
        let (mut peer, ours) = open(form, patient().close(SHORT), |end| end.close());
        let chatter = [form.incoming(Opcode::Ping, b"?"), form.incoming(Opcode::Text, b"!")];
        let talking = thread::spawn(move || {
            peer.send_slowly(chatter.concat().into_iter().cycle(), Duration::from_millis(1));
        });
        assert_matches!(ours.outcome(), Err(Error::CloseTimedOut), "{form:?}");
        talking.join().unwrap();
    });
}

#[test]
fn a_peer_that_stops_reading_is_an_error_of_the_write_and_can_be_given_up() {
    for_every_form(|form| {
        let timeouts = patient().write(Some(SHORT)).close(SHORT);
        let (peer, ours) = open(form, timeouts, |end| {
            assert_matches!(end.send(vec![7; TOO_MUCH].into()), Err(Error::WriteTimedOut));
            assert_eq!(end.state(), ConnectionState::Open);
            // Below the limit, one more message is queued.
            let message = Message::from(vec![8; TOO_MUCH]);
            let refused = (0..3).find_map(|_| end.write(message.clone()).err());
            assert_matches!(refused, Some(Error::BufferFull(refused)) if refused == message);
            assert_eq!(end.state(), ConnectionState::Open);
            // Not even the Close frame gets through.
            let outcome = end.close();
            assert_over(end);
            outcome
        });
        assert_matches!(ours.outcome(), Err(Error::CloseTimedOut), "{form:?}");
        drop(peer);
    });
}

#[test]
fn a_peer_that_stops_reading_and_resets_ends_a_write_that_waits() {
    for_every_form(|form| {
        let is_waiting = Arc::new(AtomicBool::new(false));
        let waits = Arc::clone(&is_waiting);
        let (peer, ours) = open(form, patient(), move |end| {
            waits.store(true, Ordering::SeqCst);
            end.send(vec![7; TOO_MUCH].into())
        });
        while !is_waiting.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(SHORT);
        reset(peer);
        assert_matches!(ours.outcome(), Err(Error::Io(_)), "{form:?}");
    });
}

#[test]
fn a_peer_that_stops_reading_does_not_keep_the_end_that_reads() {
    bounded(|| {
        let (listener, address) = listen();
        let thread = thread::spawn(move || {
            client(address).timeouts(patient()).connect().unwrap().split().unwrap()
        });
        let mut peer = unhurried(RawPeer::server(&listener));
        let (mut reader, writer) = thread.join().unwrap();
        let writing = thread::spawn(move || writer.send(vec![7; TOO_MUCH]));
        take_some(&peer);
        for number in 0..1000 {
            let number = format!("{number}");
            peer.send(from_server(Opcode::Text, number.as_bytes()));
            assert_eq!(reader.read().unwrap(), Some(number.into()));
        }
        // And when it goes, both our halves know.
        reset(peer);
        assert_matches!(reader.read(), Err(Error::Io(_) | Error::Lost));
        assert_matches!(writing.join().unwrap(), Err(Error::Io(_) | Error::Lost));
    });
}

#[test]
fn a_shutdown_does_not_wait_longer_than_its_deadline_for_clients_that_stopped_reading() {
    bounded(|| {
        let (listener, address) = listen();
        let server = Server::new().timeouts(patient().write(Some(SHORT)).close(SHORT));
        let accept_loop = AcceptLoop::new(server).shutdown_deadline(LONG);
        let shutdown = accept_loop.shutdown_handle();
        let running = thread::spawn(move || {
            accept_loop.run(&listener, |pending| {
                let (mut reader, writer) = pending.accept().unwrap();
                let mut outcome = writer.send(vec![7; TOO_MUCH]);
                while let Err(Error::WriteTimedOut) = outcome {
                    outcome = writer.flush();
                }
                let _ = reader.read();
            })
        });
        let peers: Vec<_> = (0..8).map(|_| RawPeer::client(address)).collect();
        thread::sleep(SHORT);
        shutdown.shut_down();
        // Each connection has deadlines of its own, so that nobody has to be cut off.
        assert_eq!(running.join().unwrap().unwrap(), 0);
        drop(peers);
    });
}
