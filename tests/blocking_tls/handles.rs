//! Two threads on one connection: neither keeps the other from its work.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use sansocket::blocking::{CloneSocket, Socket, TlsStream};

use crate::bounded::bounded;
use crate::loopback::streams;

/// More than the buffers of both ends hold.
const MUCH: usize = 16 << 20;

fn pattern(size: usize) -> impl Iterator<Item = u8> {
    (0..=250).cycle().take(size)
}

fn write_pattern(stream: &mut TlsStream, size: usize) {
    let bytes: Vec<u8> = pattern(size).collect();
    stream.write_all(&bytes).unwrap();
    stream.flush().unwrap();
}

fn read_pattern(stream: &mut TlsStream, size: usize) {
    let mut bytes = vec![0; size];
    stream.read_exact(&mut bytes).unwrap();
    assert!(bytes.into_iter().eq(pattern(size)), "something is missing or out of order");
}

#[test]
fn both_directions_are_used_at_once_by_both_ends() {
    bounded(|| {
        let (client, server) = streams();
        let threads = [client, server].map(|mut reader| {
            let mut writer = reader.try_clone().unwrap();
            [
                thread::spawn(move || write_pattern(&mut writer, MUCH / 2)),
                thread::spawn(move || read_pattern(&mut reader, MUCH / 2)),
            ]
        });
        for thread in threads.into_iter().flatten() {
            thread.join().unwrap();
        }
    });
}

#[test]
fn a_writer_is_not_kept_waiting_by_a_reader_that_waits() {
    bounded(|| {
        let (mut client, mut server) = streams();
        let mut reader = client.try_clone().unwrap();
        let (waiting, begun) = channel();
        let reading = thread::spawn(move || {
            waiting.send(()).unwrap();
            let mut answer = [0; 6];
            reader.read_exact(&mut answer).unwrap();
            answer
        });
        begun.recv().unwrap();
        thread::sleep(Duration::from_millis(50));
        client.write_all(b"question").unwrap();
        client.flush().unwrap();
        let mut question = [0; 8];
        server.read_exact(&mut question).unwrap();
        server.write_all(b"answer").unwrap();
        server.flush().unwrap();
        assert_eq!(&reading.join().unwrap(), b"answer");
    });
}

/// A client whose writer waits for a server that doesn't read, and what becomes of that writer.
fn stuck() -> (TlsStream, thread::JoinHandle<std::io::Error>, TlsStream) {
    let (client, server) = streams();
    let mut writer = client.try_clone().unwrap();
    let (stuck, is_stuck) = channel();
    writer.set_write_timeout(Some(Duration::from_millis(50))).unwrap();
    let writing = thread::spawn(move || {
        let bytes = vec![7; 1 << 20];
        while let Ok(1..) = writer.write(&bytes) {}
        writer.set_write_timeout(None).unwrap();
        stuck.send(()).unwrap();
        loop {
            if let Err(error) = writer.write(&bytes) {
                return error;
            }
        }
    });
    is_stuck.recv().unwrap();
    // Now it waits for ever.
    thread::sleep(Duration::from_millis(50));
    (client, writing, server)
}

#[test]
fn a_reader_goes_on_while_a_writer_waits_for_a_peer_that_does_not_read() {
    bounded(|| {
        let (mut client, writing, mut server) = stuck();
        let mut sender = server.try_clone().unwrap();
        let sending = thread::spawn(move || write_pattern(&mut sender, MUCH));
        read_pattern(&mut client, MUCH);
        sending.join().unwrap();
        assert!(!writing.is_finished());
        // It goes on when the peer reads, and ends with the connection.
        let mut bytes = vec![0; MUCH];
        server.read_exact(&mut bytes).unwrap();
        assert!(bytes.iter().all(|byte| *byte == 7));
        drop(server);
        writing.join().unwrap();
    });
}

#[test]
fn a_writer_that_waits_is_ended_by_a_shutdown() {
    bounded(|| {
        for how in [Shutdown::Write, Shutdown::Both] {
            let (client, writing, server) = stuck();
            client.shutdown(how).unwrap();
            assert_matches!(
                writing.join().unwrap().kind(),
                ErrorKind::BrokenPipe | ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted
            );
            drop(server);
        }
    });
}

#[test]
fn a_reader_that_waits_is_ended_by_a_shutdown() {
    bounded(|| {
        for how in [Shutdown::Read, Shutdown::Both] {
            let (client, _server) = streams();
            let mut reader = client.try_clone().unwrap();
            let reading = thread::spawn(move || reader.read(&mut [0]));
            thread::sleep(Duration::from_millis(50));
            client.shutdown(how).unwrap();
            assert_matches!(
                reading.join().unwrap(),
                Err(error) if error.kind() == ErrorKind::UnexpectedEof
            );
        }
    });
}

#[test]
fn the_handshake_is_made_by_whichever_handle_comes_first() {
    bounded(|| {
        let (listener, address) = crate::loopback::listen();
        let server = thread::spawn(move || {
            let tls = crate::authority::LOCALHOST.acceptor();
            let mut server = tls.stream(listener.accept().unwrap().0).unwrap();
            let mut writer = server.try_clone().unwrap();
            let writing = thread::spawn(move || write_pattern(&mut writer, 1000));
            read_pattern(&mut server, 1000);
            writing.join().unwrap();
        });
        let tcp = std::net::TcpStream::connect(address).unwrap();
        let tls = crate::authority::AUTHORITY.connector();
        let mut client = tls.stream("localhost", tcp).unwrap();
        let mut writer = client.try_clone().unwrap();
        let writing = thread::spawn(move || write_pattern(&mut writer, 1000));
        read_pattern(&mut client, 1000);
        writing.join().unwrap();
        server.join().unwrap();
    });
}

#[test]
fn timeouts_hold_for_all_handles() {
    bounded(|| {
        let (client, _server) = streams();
        let mut other = client.try_clone().unwrap();
        client.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
        let error = other.read(&mut [0]).unwrap_err();
        assert_matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
    });
}
