//! How long each kind of waiting takes, and that nothing is lost by it.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use sansocket::blocking::{
    AcceptError, ByteStream, ConnectError, Error, Server, Socket as _, Timeouts,
};
use sansocket::frame::Opcode;
use sansocket::{Config, ConnectionState, Message, MessageKind, Role};

use crate::altered::{Alteration, Altered};
use crate::bounded::bounded;
use crate::either_role::{self, ROLES, to};
use crate::loopback::{Socket, client, listen, pair, serving};
use crate::raw_peer::{REQUEST, RawPeer, from_client, from_server};

const SHORT: Duration = Duration::from_millis(3);

/// Reads until a message is there, however often that times out.
fn read_at_last(socket: &mut Socket) -> Message<'static> {
    loop {
        match socket.read() {
            Err(Error::ReadTimedOut) => {}
            outcome => return outcome.unwrap().unwrap(),
        }
    }
}

#[test]
fn a_read_that_timed_out_at_any_byte_of_a_frame_is_resumed() {
    bounded(|| {
        let server = Server::new().timeouts(Timeouts::default().read(Some(SHORT)));
        let (address, server) = serving(server, |socket| socket);
        let mut peer = RawPeer::client(address);
        let mut server = server.join().unwrap();
        let payload: Vec<u8> = (0..130).collect();
        let frame = from_client(Opcode::Binary, &payload);
        let (last, head) = frame.split_last().unwrap();
        for byte in head {
            peer.send([*byte]);
            assert_matches!(server.read(), Err(Error::ReadTimedOut));
            assert_eq!(server.state(), ConnectionState::Open);
        }
        peer.send([*last]);
        assert_eq!(read_at_last(&mut server), payload.into());
    });
}

#[test]
fn a_read_that_timed_out_between_the_fragments_of_a_message_is_resumed() {
    bounded(|| {
        let (listener, address) = listen();
        let timeouts = Timeouts::default().read(Some(SHORT));
        let connecting = thread::spawn(move || client(address).timeouts(timeouts).connect());
        let mut peer = RawPeer::server(&listener);
        let mut client = connecting.join().unwrap().unwrap();
        for piece in [&b"\x01\x01\xE2"[..], b"\x89\0", b"\0\x01\x82"] {
            peer.send(piece);
            assert_matches!(client.read(), Err(Error::ReadTimedOut));
        }
        peer.send(b"\x80\x01\xAC");
        assert_eq!(read_at_last(&mut client), "\u{20AC}".into());
    });
}

#[test]
fn what_is_there_is_read_however_short_the_time_is() {
    bounded(|| {
        let timeouts = Timeouts::default().read(Some(Duration::from_nanos(1)));
        let (mut client, mut server) = pair(Server::new().timeouts(timeouts), |client| client);
        client.send("hello").unwrap();
        assert_eq!(read_at_last(&mut server), "hello".into());
    });
}

#[test]
fn a_read_that_timed_out_can_be_followed_by_a_write() {
    bounded(|| {
        let timeouts = Timeouts::default().read(Some(SHORT));
        let (mut client, mut server) = pair(Server::new().timeouts(timeouts), |client| client);
        assert_matches!(server.read(), Err(Error::ReadTimedOut));
        assert_matches!(server.messages().next(), Some(Err(Error::ReadTimedOut)));
        server.send("are you there?").unwrap();
        assert_eq!(client.read().unwrap(), Some("are you there?".into()));
        client.send("yes").unwrap();
        assert_eq!(read_at_last(&mut server), "yes".into());
    });
}

#[test]
fn a_peer_that_stops_reading_fills_the_queue_and_then_gets_everything_in_order() {
    for role in ROLES {
        bounded(move || stops_reading_for_a_while(role));
    }
}

fn stops_reading_for_a_while(role: Role) {
    let timeouts = Timeouts::default().write(Some(SHORT));
    let config = Config::default().max_outgoing_size(1 << 20);
    let (mut socket, mut peer) = either_role::open(role, 300 << 10, timeouts, config);
    let message = |number: u32| [number.to_be_bytes().to_vec(), vec![7; 200 << 10]].concat();

    let mut sent = 0;
    let refused = loop {
        match socket.write(&message(sent)[..]) {
            Ok(()) => sent += 1,
            Err(Error::BufferFull(message)) => break message,
            Err(error) => panic!("{error}"),
        }
    };
    assert!(sent > 4, "the queue takes a mebibyte");
    assert_eq!(refused, message(sent).into());
    assert_matches!(socket.flush(), Err(Error::WriteTimedOut));
    assert_matches!(socket.read(), Err(Error::WriteTimedOut));
    assert_eq!(socket.state(), ConnectionState::Open);

    let reading = thread::spawn(move || {
        for number in 0..=sent {
            assert!(peer.receive_frame() == (Opcode::Binary, message(number)), "{number}");
        }
    });
    let mut again = refused;
    while let Err(error) = socket.write(again) {
        let Error::BufferFull(message) = error else { panic!("{error}") };
        again = message;
    }
    while let Err(error) = socket.flush() {
        assert_matches!(error, Error::WriteTimedOut);
    }
    reading.join().unwrap();
}

#[test]
fn a_message_whose_send_timed_out_is_queued() {
    bounded(|| {
        let timeouts = Timeouts::default().write(Some(SHORT));
        let (mut client, mut server) = pair(Server::new(), |client| client.timeouts(timeouts));
        let message = vec![7; 16 << 20];
        assert_matches!(client.send(&message[..]), Err(Error::WriteTimedOut));
        let reading = thread::spawn(move || server.read().unwrap().unwrap());
        while let Err(error) = client.flush() {
            assert_matches!(error, Error::WriteTimedOut);
        }
        assert!(reading.join().unwrap().as_bytes() == message);
    });
}

#[test]
fn what_was_flushed_too_late_is_sent_once() {
    bounded(|| {
        let timeouts = Timeouts::default().write(Some(SHORT));
        let config = Config::default().max_outgoing_size(usize::MAX);
        let (mut client, mut server) =
            pair(Server::new(), |client| client.timeouts(timeouts).config(config));
        // Far more than the sockets hold, however slow this machine is.
        let before = 32;
        for _ in 0..before {
            let _ = client.send(vec![7; 1 << 20]);
        }

        let mut streamed = client.message(MessageKind::Text);
        let (start, end) = "a bit of an \u{e9}".as_bytes().split_at(13);
        streamed.write_all(start).unwrap();
        assert_matches!(streamed.flush().unwrap_err().kind(), ErrorKind::TimedOut);
        streamed.write_all(end).unwrap();
        assert_matches!(streamed.finish().unwrap_err().kind(), ErrorKind::TimedOut);
        let mut bytes = ByteStream::new(client);
        bytes.write_all(b"and another").unwrap();
        for _ in 0..2 {
            assert_matches!(bytes.flush().unwrap_err().kind(), ErrorKind::TimedOut);
        }

        let reading = thread::spawn(move || {
            for _ in 0..before {
                assert!(server.read().unwrap().unwrap().len() == 1 << 20);
            }
            [server.read().unwrap(), server.read().unwrap(), server.read().unwrap()]
        });
        while let Err(error) = bytes.flush() {
            assert_matches!(error.kind(), ErrorKind::TimedOut);
        }
        bytes.close().unwrap();
        let text = Message::from("a bit of an \u{e9}");
        let expected = [Some(text), Some(Message::from(&b"and another"[..])), None];
        assert_eq!(reading.join().unwrap(), expected);
    });
}

#[test]
fn how_long_a_read_may_wait_can_be_changed_in_the_middle_of_a_frame() {
    bounded(|| {
        for role in ROLES {
            let (mut socket, mut peer) =
                either_role::open(role, 1 << 16, Timeouts::default(), Config::default());
            let frame = either_role::to(role, Opcode::Text, b"hello");
            let (head, tail) = frame.split_at(3);
            peer.send(head);
            for timeout in [SHORT, Duration::ZERO] {
                socket.set_read_timeout(Some(timeout));
                assert_matches!(socket.read(), Err(Error::ReadTimedOut));
            }
            peer.send(tail);
            assert_eq!(socket.read().unwrap(), Some("hello".into()), "it is there");

            let (mut reader, _writer) = socket.split().unwrap();
            assert_matches!(reader.read(), Err(Error::ReadTimedOut));
            reader.set_read_timeout(None);
            let reading = thread::spawn(move || reader.read());
            thread::sleep(10 * SHORT);
            peer.send(&frame);
            assert_eq!(reading.join().unwrap().unwrap(), Some("hello".into()));
        }
    });
}

#[test]
fn a_read_may_have_no_time_from_the_beginning() {
    bounded(|| {
        let timeouts = Timeouts::default().read(Some(Duration::ZERO));
        let (address, server) = serving(Server::new().timeouts(timeouts), |socket| socket);
        let mut peer = RawPeer::client(address);
        let mut server = server.join().unwrap();
        assert_matches!(server.read(), Err(Error::ReadTimedOut));
        peer.send(from_client(Opcode::Text, b"hello"));
        assert_eq!(read_at_last(&mut server), "hello".into());
    });
}

#[test]
fn a_bound_that_somebody_else_has_set_ends_a_read_as_well() {
    bounded(|| {
        for role in ROLES {
            let (mut socket, _peer) =
                either_role::open(role, 1 << 16, Timeouts::default(), Config::default());
            socket.stream().set_read_timeout(Some(SHORT)).unwrap();
            for _ in 0..3 {
                assert_matches!(socket.read(), Err(Error::ReadTimedOut));
            }
        }
    });
}

/// Interrupts every read as signals do, once there is nothing to read, before it has waited for long.
struct Interrupting;

impl Alteration<TcpStream> for Interrupting {
    fn read(&self, socket: &mut TcpStream, room: &mut [u8]) -> io::Result<usize> {
        socket.set_read_timeout(Some(Duration::from_millis(1)))?;
        socket.read(room).map_err(|_| ErrorKind::Interrupted.into())
    }
}

#[test]
fn signals_do_not_stretch_a_timeout() {
    bounded(|| {
        let (listener, address) = listen();
        let mut peer = RawPeer::connect(address);
        let stream = Altered::new(listener.accept().unwrap().0, Arc::new(Interrupting));
        let timeouts = Timeouts::default().read(Some(10 * SHORT)).handshake(10 * SHORT);
        let server = Server::new().timeouts(timeouts);
        assert_matches!(server.accept(stream).map(drop), Err(AcceptError::TimedOut));
        assert_eq!(peer.receive_all(), b"");

        let mut peer = RawPeer::connect(address);
        peer.send(REQUEST);
        let stream = Altered::new(listener.accept().unwrap().0, Arc::new(Interrupting));
        let mut socket = server.accept(stream).unwrap();
        assert_matches!(socket.read(), Err(Error::ReadTimedOut));
        peer.send(from_client(Opcode::Text, b"hello"));
        assert_eq!(socket.read().unwrap(), Some("hello".into()));
    });
}

/// Makes the network give up on the peer, once told to.
#[cfg(target_os = "linux")]
#[derive(Default)]
struct GivingUp(AtomicBool);

#[cfg(target_os = "linux")]
impl Alteration<TcpStream> for GivingUp {
    fn read(&self, socket: &mut TcpStream, room: &mut [u8]) -> io::Result<usize> {
        const ETIMEDOUT: i32 = 110;
        if self.0.load(Ordering::Relaxed) {
            return Err(io::Error::from_raw_os_error(ETIMEDOUT));
        }
        socket.read(room)
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_timeout_of_the_network_is_the_end_and_not_one_of_the_read() {
    bounded(|| {
        for timeouts in [Timeouts::default(), Timeouts::default().read(Some(10 * SHORT))] {
            let (listener, address) = listen();
            let mut peer = RawPeer::connect(address);
            peer.send(REQUEST);
            let giving_up = Arc::<GivingUp>::default();
            let stream = Altered::new(listener.accept().unwrap().0, Arc::clone(&giving_up));
            let mut socket = Server::new().timeouts(timeouts).accept(stream).unwrap();
            giving_up.0.store(true, Ordering::Relaxed);
            assert_matches!(socket.read(), Err(Error::Io(_)));
            assert_eq!(socket.state(), ConnectionState::Closed);
        }
    });
}

/// Counts the writes that time out.
#[derive(Default)]
struct Counting(AtomicUsize);

impl Alteration<TcpStream> for Counting {
    fn write(&self, socket: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
        let written = socket.write(bytes);
        self.0.fetch_add(usize::from(written.is_err()), Ordering::Relaxed);
        written
    }
}

#[test]
fn a_send_waits_once_for_a_peer_that_takes_nothing() {
    bounded(|| {
        let (listener, address) = listen();
        let _peer = thread::spawn(move || RawPeer::client(address));
        let timed_out = Arc::<Counting>::default();
        let stream = Altered::new(listener.accept().unwrap().0, Arc::clone(&timed_out));
        let config = Config::default().max_outgoing_size(usize::MAX);
        let server = Server::new().config(config).timeouts(Timeouts::default().write(Some(SHORT)));
        let mut socket = server.accept(stream).unwrap();
        // So much that it has to be written, asked for or not.
        let message = vec![7; 100 << 10];
        let waits = || timed_out.0.swap(0, Ordering::Relaxed);
        // On a busy machine TCP may take some more after a while.
        let mut is_stuck = false;
        while !is_stuck {
            while socket.send(&message[..]).is_ok() {}
            is_stuck = (0..20).all(|_| socket.flush().is_err());
        }
        waits();
        assert_matches!(socket.send(&message[..]), Err(Error::WriteTimedOut));
        assert_eq!(waits(), 1);
        assert_matches!(socket.send("short"), Err(Error::WriteTimedOut));
        assert_eq!(waits(), 1);
        let mut bytes = ByteStream::new(socket);
        bytes.write_all(b"a bit").unwrap();
        assert_matches!(bytes.flush().unwrap_err().kind(), ErrorKind::TimedOut);
        assert_eq!(waits(), 1);
        let (_reader, writer) = bytes.into_inner().split().unwrap();
        assert_matches!(writer.send(&message[..]), Err(Error::WriteTimedOut));
        assert_eq!(waits(), 1);
        assert_matches!(
            writer.message(MessageKind::Text).finish().unwrap_err().kind(),
            ErrorKind::TimedOut
        );
        assert_eq!(waits(), 1);
        let mut streamed = writer.message(MessageKind::Binary);
        streamed.write_all(b"a bit").unwrap();
        assert_matches!(streamed.flush().unwrap_err().kind(), ErrorKind::TimedOut);
        assert_eq!(waits(), 1);
        assert_matches!(streamed.finish().unwrap_err().kind(), ErrorKind::TimedOut);
        assert_eq!(waits(), 1);
        // And a call that promises less doesn't mention it.
        writer.write(&message[..]).unwrap();
        assert_eq!(waits(), 1);
    });
}

/// Takes all that is written and, once stuck, sends none of it: like TLS over a peer that reads nothing.
#[derive(Default)]
struct Withholding {
    is_stuck: AtomicBool,
    bound: Mutex<Option<Duration>>,
}

impl Alteration<TcpStream> for Withholding {
    fn write(&self, socket: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
        if self.is_stuck.load(Ordering::Relaxed) { Ok(bytes.len()) } else { socket.write(bytes) }
    }

    fn flush(&self, _: &mut TcpStream) -> io::Result<()> {
        if self.is_stuck.load(Ordering::Relaxed) {
            thread::sleep(self.bound.lock().unwrap().unwrap_or(Duration::from_secs(3600)));
            return Err(ErrorKind::WouldBlock.into());
        }
        Ok(())
    }

    fn set_write_timeout(&self, _: &TcpStream, timeout: Option<Duration>) -> io::Result<()> {
        *self.bound.lock().unwrap() = timeout;
        Ok(())
    }
}

#[test]
fn the_end_has_its_deadline_also_where_the_stream_holds_back_what_was_written() {
    bounded(|| {
        let breach = [0xB1, 0x80, 0, 0, 0, 0];
        for last in [&from_client(Opcode::Close, b"")[..], &breach] {
            for pause in [Duration::ZERO, Duration::from_millis(30)] {
                let (listener, address) = listen();
                let peer = thread::spawn(move || RawPeer::client(address));
                let withholding = Arc::<Withholding>::default();
                let (stream, _) = listener.accept().unwrap();
                let stream = Altered::new(stream, Arc::clone(&withholding));
                let timeouts = Timeouts::default().close(Duration::from_millis(50));
                let mut server = Server::new().timeouts(timeouts).accept(stream).unwrap();
                withholding.is_stuck.store(true, Ordering::Relaxed);
                let mut peer = peer.join().unwrap();
                peer.send([&from_client(Opcode::Binary, &[7; 100])[..], last].concat());

                let message = server.read().unwrap().unwrap();
                server.write(message).unwrap();
                let first = server.read().unwrap_err();
                assert_eq!(server.state(), ConnectionState::Closed, "{first}");
                thread::sleep(pause);
                for error in [first, server.read().unwrap_err()] {
                    assert_matches!(error, Error::CloseTimedOut | Error::Protocol(_));
                }
            }
        }
    });
}

#[test]
fn the_deadline_of_the_handshake_does_not_leak_into_the_connection() {
    bounded(|| {
        let timeouts = Timeouts::default().handshake(Duration::from_secs(7));
        for (read, write) in
            [(None, None), (Some(Duration::from_secs(11)), Some(Duration::from_secs(12)))]
        {
            let timeouts = timeouts.read(read).write(write);
            let server = Server::new().timeouts(timeouts);
            let (client, server) = pair(server, |client| client.timeouts(timeouts));
            for socket in [client, server] {
                assert_eq!(socket.stream().tcp().read_timeout().unwrap(), read);
                assert_eq!(socket.stream().tcp().write_timeout().unwrap(), write);
            }
        }
    });
}

#[test]
fn by_default_a_read_waits_for_ever_and_a_write_for_a_minute() {
    bounded(|| {
        let (client, server) = pair(Server::new(), |client| client);
        for socket in [client, server] {
            assert_eq!(socket.stream().tcp().read_timeout().unwrap(), None);
            assert_eq!(
                socket.stream().tcp().write_timeout().unwrap(),
                Some(Duration::from_secs(60))
            );
        }
    });
}

#[test]
fn no_time_to_connect_is_no_connection() {
    bounded(|| {
        let (_listener, address) = listen();
        let timeouts = Timeouts::default().connect(Duration::ZERO);
        let outcome = client(address).timeouts(timeouts).connect();
        assert_matches!(outcome.err(), Some(ConnectError::Connect { source, .. })
            if source.kind() == ErrorKind::TimedOut);
    });
}

#[test]
fn what_arrived_with_the_handshake_is_there_without_a_read() {
    bounded(|| {
        let (listener, address) = listen();
        let timeouts = Timeouts::default().read(Some(SHORT));
        let connecting = thread::spawn(move || client(address).timeouts(timeouts).connect());
        let mut peer = RawPeer::accept(&listener);
        let mut segment = crate::raw_peer::response_to(&peer.receive_head()).into_bytes();
        segment.extend(from_server(Opcode::Text, b"one"));
        segment.extend(&from_server(Opcode::Text, b"two")[..3]);
        peer.send(segment);
        let mut client = connecting.join().unwrap().unwrap();
        assert_eq!(client.read().unwrap(), Some("one".into()));
        assert_matches!(client.read(), Err(Error::ReadTimedOut));
        peer.send(b"wo");
        assert_eq!(read_at_last(&mut client), "two".into());
    });
}

#[test]
fn a_peer_that_reads_nothing_is_found_out_however_much_it_has_sent() {
    bounded(|| {
        for role in ROLES {
            let timeouts = Timeouts::default().write(Some(Duration::from_millis(500)));
            let (mut socket, mut peer) =
                either_role::open(role, 64 << 10, timeouts, Config::default());
            peer.send(to(role, Opcode::Binary, &[]).repeat(5000));
            // With the first message, many others are read.
            assert_eq!(socket.read().unwrap(), Some((&[]).into()));
            socket.write(vec![7; 200_000]).unwrap();
            // If the peer were waited for with each of them, this test would last too long.
            let error = loop {
                match socket.read() {
                    Ok(message) => socket.write(message.unwrap()).unwrap(),
                    Err(error) => break error,
                }
            };
            assert_matches!(error, Error::WriteTimedOut);
        }
    });
}
