//! Timeouts lose nothing, and a peer that drips the bytes of a record can't stretch them.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use sansocket::CloseCode;
use sansocket::blocking::{Error, Server, Socket, Timeouts};

use crate::authority::AUTHORITY;
use crate::bounded::bounded;
use crate::loopback::{client, echo, listen, pair, serving, streams};

const SHORT: Duration = Duration::from_millis(20);

/// A proxy that passes a connection on, a few bytes at a time towards the client.
fn dripping(server: SocketAddr, pieces: usize) -> SocketAddr {
    let (listener, address) = listen();
    thread::spawn(move || {
        let mut near = listener.accept().unwrap().0;
        let mut far = TcpStream::connect(server).unwrap();
        near.set_nodelay(true).unwrap();
        let (mut from_near, mut to_far) = (near.try_clone().unwrap(), far.try_clone().unwrap());
        thread::spawn(move || drop(io::copy(&mut from_near, &mut to_far)));
        let mut bytes = vec![0; pieces];
        while let Ok(count @ 1..) = far.read(&mut bytes) {
            if near.write_all(&bytes[..count]).is_err() {
                return;
            }
            thread::sleep(SHORT / 20);
        }
        let _ = near.shutdown(std::net::Shutdown::Write);
    });
    address
}

#[test]
fn a_read_that_timed_out_goes_on_in_the_middle_of_a_record() {
    bounded(|| {
        let (server, serving) = serving(Server::new(), echo);
        let timeouts = Timeouts::default().read(Some(SHORT / 2)).handshake(Duration::from_secs(20));
        let client = client(dripping(server, 3));
        let mut socket = client.timeouts(timeouts).connect().unwrap();
        let mut interruptions = 0;
        for size in [1, 100, 1000] {
            let message = vec![7; size];
            socket.send(&message[..]).unwrap();
            let reply = loop {
                match socket.read() {
                    Err(Error::ReadTimedOut) => interruptions += 1,
                    reply => break reply.unwrap().unwrap(),
                }
            };
            assert_eq!(reply.as_bytes(), message);
        }
        assert!(interruptions > 0, "the bytes came too fast to show anything");
        socket.close(CloseCode::NORMAL, "").unwrap();
        serving.join().unwrap().unwrap();
    });
}

#[test]
fn a_peer_that_drips_a_record_cannot_stretch_a_read() {
    bounded(|| {
        let (mut client, server) = streams();
        client.set_read_timeout(Some(SHORT * 10)).unwrap();
        let dripping = thread::spawn(move || {
            // RFC 8446, §5.2: the record of 16 KiB that these bytes begin takes longer than the test.
            let head = b"\x17\x03\x03\x40\x00".iter();
            for byte in head.copied().chain(std::iter::repeat(0)) {
                if server.socket().write_all(&[byte]).is_err() {
                    return;
                }
                thread::sleep(SHORT / 10);
            }
        });
        for _ in 0..3 {
            let error = client.read(&mut [0; 100]).unwrap_err();
            assert_matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
        }
        drop(client);
        dripping.join().unwrap();
    });
}

#[test]
fn a_read_waits_for_ever_again_when_the_timeout_is_lifted() {
    bounded(|| {
        let (mut client, mut server) = streams();
        client.set_read_timeout(Some(SHORT)).unwrap();
        assert_matches!(client.read(&mut [0]), Err(_));
        client.set_read_timeout(None).unwrap();
        let writing = thread::spawn(move || {
            thread::sleep(SHORT * 5);
            server.write_all(b"!").unwrap();
            server.flush().unwrap();
            server
        });
        assert_eq!(client.read(&mut [0]).unwrap(), 1);
        writing.join().unwrap();
    });
}

#[test]
fn a_timeout_of_nothing_is_refused() {
    bounded(|| {
        let (client, _server) = streams();
        let zero = Some(Duration::ZERO);
        assert_matches!(client.set_read_timeout(zero), Err(e) if e.kind() == ErrorKind::InvalidInput);
        assert_matches!(client.set_write_timeout(zero), Err(e) if e.kind() == ErrorKind::InvalidInput);
    });
}

#[test]
fn writes_that_timed_out_go_on_where_they_stopped() {
    bounded(|| {
        let (mut client, mut server) = streams();
        client.set_write_timeout(Some(SHORT)).unwrap();
        let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(16 << 20).collect();
        let mut written = 0;
        // Until the buffers of both ends are full.
        loop {
            match client.write(&bytes[written..]) {
                Ok(count) => written += count,
                Err(error) => {
                    assert_matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
                    break;
                }
            }
        }
        // The peer still reads nothing, but what is on its way may have made room.
        if let Err(error) = client.flush() {
            assert_matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
        }
        let expected = bytes.clone();
        let reading = thread::spawn(move || {
            let mut received = vec![0; expected.len()];
            server.read_exact(&mut received).unwrap();
            assert!(received == expected, "something is missing, repeated or out of order");
        });
        client.set_write_timeout(None).unwrap();
        client.write_all(&bytes[written..]).unwrap();
        client.flush().unwrap();
        reading.join().unwrap();
    });
}

#[test]
fn messages_that_a_slow_peer_takes_arrive_whole() {
    bounded(|| {
        let timeouts = Timeouts::default().write(Some(SHORT));
        let (mut client, mut server) = pair(Server::new(), |client| client.timeouts(timeouts));
        let large = vec![7; 8 << 20];
        assert_matches!(client.send(&large[..]), Err(Error::WriteTimedOut));
        let expected = large.clone();
        let reading = thread::spawn(move || {
            let message = server.read().unwrap().unwrap();
            assert!(message.as_bytes() == expected);
            assert_eq!(server.read().unwrap(), Some("the next".into()));
        });
        while let Err(error) = client.flush() {
            assert_matches!(error, Error::WriteTimedOut);
        }
        client.send("the next").unwrap();
        reading.join().unwrap();
    });
}

#[test]
fn timeouts_of_the_socket_below_are_replaced() {
    bounded(|| {
        let (listener, address) = listen();
        let tcp = TcpStream::connect(address).unwrap();
        tcp.set_read_timeout(Some(SHORT)).unwrap();
        tcp.set_write_timeout(Some(SHORT)).unwrap();
        let stream = AUTHORITY.connector().stream("localhost", tcp).unwrap();
        assert_eq!(stream.socket().read_timeout().unwrap(), None);
        assert_eq!(stream.socket().write_timeout().unwrap(), None);
        drop(listener);
    });
}
