//! Binary messages as one stream of bytes, and tunnels made of it.

use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use proptest::prelude::*;
use sansocket::blocking::{
    ByteReader, ByteStream, ByteStreamError, ByteWriter, ClientStream, Server, Timeouts, WebSocket,
};
use sansocket::frame::Opcode;
use sansocket::{CloseCode, CloseSignal, Config, ConnectionState, Delivery, Message};

use crate::bounded::bounded;
use crate::loopback::{Socket, listen, pair, serving};
use crate::raw_peer::{RawPeer, from_client};

type Stream = ByteStream<ClientStream>;

const MESSAGE: usize = 64 * 1024;

const SHORT: Duration = Duration::from_millis(5);

/// A pair whose server delivers as told, and whose client delivers whole messages.
fn sockets(delivery: Delivery, timeouts: Timeouts) -> (Socket, Socket) {
    let config = Config::default().delivery(delivery);
    pair(Server::new().config(config).timeouts(timeouts), |client| client.timeouts(timeouts))
}

/// The same as streams, client first and server first.
fn streams(delivery: Delivery) -> [(Stream, Stream); 2] {
    let timeouts = Timeouts::default();
    let pair = || {
        let (client, server) = sockets(delivery, timeouts);
        (ByteStream::new(client), ByteStream::new(server))
    };
    let ((client, server), (last, first)) = (pair(), pair());
    [(client, server), (first, last)]
}

const DELIVERIES: [Delivery; 2] = [Delivery::Messages, Delivery::Chunks];

/// Bytes that tell their position.
fn numbered(count: usize) -> Vec<u8> {
    (0u32..).flat_map(u32::to_be_bytes).take(count).collect()
}

/// Writes the bytes in pieces of these sizes, in turn, and flushes after every seventh.
fn write_in_pieces(writer: &mut impl Write, mut bytes: &[u8], sizes: &[usize]) {
    for (index, size) in sizes.iter().cycle().enumerate() {
        if bytes.is_empty() {
            return;
        }
        let (piece, rest) = bytes.split_at(bytes.len().min(*size));
        writer.write_all(piece).unwrap();
        if index % 7 == 6 {
            writer.flush().unwrap();
        }
        bytes = rest;
    }
}

/// Reads into buffers of these sizes, in turn, up to the end.
fn read_in_pieces(reader: &mut impl Read, sizes: &[usize]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for size in sizes.iter().cycle() {
        let mut room = vec![0; *size];
        match reader.read(&mut room).unwrap() {
            0 => break,
            read => bytes.extend_from_slice(&room[..read]),
        }
    }
    bytes
}

fn assert_is_binary(message: Option<Message<'static>>, expected: &[u8]) {
    assert!(message.unwrap() == Message::from(expected));
}

/// The length of a fragment; many are empty, and so are some messages.
fn fragment() -> impl Strategy<Value = usize> {
    prop_oneof![Just(0), 0..5000_usize]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn any_bytes_pass_however_they_are_cut(
        bytes in prop::collection::vec(any::<u8>(), 0..150_000),
        written in prop::collection::vec(1..70_000_usize, 1..8),
        read in prop::collection::vec(1..70_000_usize, 1..8),
        delivery in prop::sample::select(&DELIVERIES[..]),
    ) {
        bounded(move || {
            for (mut near, mut far) in streams(delivery) {
                let (bytes, written, read) = (bytes.clone(), written.clone(), read.clone());
                let expected = bytes.clone();
                let writing = thread::spawn(move || {
                    write_in_pieces(&mut near, &bytes, &written);
                    assert!(near.close().unwrap().is_clean());
                });
                assert!(read_in_pieces(&mut far, &read) == expected);
                writing.join().unwrap();
            }
        });
    }

    /// Whoever the peer is, and wherever it ends its messages and fragments.
    #[test]
    fn messages_are_read_one_behind_the_other(
        messages in prop::collection::vec(prop::collection::vec(fragment(), 1..4), 0..12),
        read in prop::collection::vec(1..3000_usize, 1..4),
        delivery in prop::sample::select(&DELIVERIES[..]),
    ) {
        bounded(move || {
            let (mut client, server) = sockets(delivery, Timeouts::default());
            let sizes: usize = messages.iter().flatten().sum();
            let bytes = numbered(sizes);
            let mut rest = bytes.clone().into_iter();
            for mut fragments in messages {
                let last = fragments.pop().unwrap();
                for size in fragments {
                    client.write_fragment(rest.by_ref().take(size).collect::<Vec<_>>()).unwrap();
                    client.ping(b"between").unwrap();
                }
                client.finish_fragments(rest.by_ref().take(last).collect::<Vec<_>>()).unwrap();
            }
            let closing = thread::spawn(move || client.close(CloseCode::NORMAL, "").unwrap());
            assert!(read_in_pieces(&mut ByteStream::new(server), &read) == bytes);
            assert!(closing.join().unwrap().is_clean());
        });
    }
}

#[test]
fn lines_are_asked_and_answered_without_a_flush() {
    bounded(|| {
        for delivery in DELIVERIES {
            for (mut asking, mut answering) in streams(delivery) {
                let answering = thread::spawn(move || {
                    let mut line = String::new();
                    while answering.read_line(&mut line).unwrap() > 0 {
                        answering.write_all(line.to_uppercase().as_bytes()).unwrap();
                        line.clear();
                    }
                });
                for _ in 0..20 {
                    asking.write_all(b"Hel").unwrap();
                    asking.write_all(b"lo\nyou").unwrap();
                    asking.write_all(b"\n").unwrap();
                    for expected in ["HELLO\n", "YOU\n"] {
                        let mut line = String::new();
                        asking.read_line(&mut line).unwrap();
                        assert_eq!(line, expected);
                    }
                }
                assert!(asking.close().unwrap().is_clean());
                answering.join().unwrap();
            }
        }
    });
}

#[test]
fn small_writes_are_gathered_into_one_message() {
    bounded(|| {
        let (client, mut server) = sockets(Delivery::Messages, Timeouts::default());
        let mut stream = ByteStream::new(client);
        stream.flush().unwrap();
        for byte in *b"Hello" {
            assert_eq!(stream.write(&[byte]).unwrap(), 1);
            assert_eq!(stream.write(&[]).unwrap(), 0);
        }
        stream.flush().unwrap();
        stream.flush().unwrap();
        assert_is_binary(server.read().unwrap(), b"Hello");
        stream.write_all(b"!").unwrap();
        let closing = thread::spawn(move || stream.close().unwrap());
        assert_is_binary(server.read().unwrap(), b"!");
        assert!(server.read().unwrap().is_none());
        assert_eq!(closing.join().unwrap().remote, CloseSignal::Code(CloseCode::NORMAL));
    });
}

#[test]
fn a_message_that_is_full_goes_out_without_a_flush() {
    bounded(|| {
        let bytes = numbered(2 * MESSAGE + 1);
        for (mut near, mut far) in
            streams(Delivery::Messages).map(|(near, far)| (near, far.into_inner()))
        {
            near.write_all(&bytes).unwrap();
            assert_is_binary(far.read().unwrap(), &bytes[..MESSAGE]);
            assert_is_binary(far.read().unwrap(), &bytes[MESSAGE..2 * MESSAGE]);
            near.flush().unwrap();
            assert_is_binary(far.read().unwrap(), &bytes[2 * MESSAGE..]);
        }
    });
}

#[test]
fn what_is_written_behind_the_end_is_never_lost_silently() {
    bounded(|| {
        for (mut near, mut far) in streams(Delivery::Messages) {
            let closing = thread::spawn(move || near.close().unwrap());
            assert_eq!(far.read(&mut [0]).unwrap(), 0);
            far.write_all(b"too late").unwrap();
            for _ in 0..2 {
                assert_eq!(far.read(&mut [0]).unwrap(), 0, "the end stays the end");
                assert_eq!(far.flush().unwrap_err().kind(), ErrorKind::BrokenPipe);
                assert_eq!(far.close().unwrap_err().kind(), ErrorKind::BrokenPipe);
            }
            let error = far.write_all(&numbered(MESSAGE)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BrokenPipe);
            assert!(closing.join().unwrap().is_clean());
        }
    });
}

#[test]
fn a_stream_that_is_dropped_is_no_end() {
    bounded(|| {
        for (mut near, mut far) in streams(Delivery::Messages) {
            near.write_all(b"kept").unwrap();
            near.flush().unwrap();
            near.write_all(b"dropped").unwrap();
            drop(near);
            let mut received = Vec::new();
            let error = far.read_to_end(&mut received).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
            assert_eq!(received, b"kept");
        }
    });
}

#[test]
fn eight_mebibytes_are_copied_there_and_back() {
    bounded(|| {
        for (mut near, far) in streams(Delivery::Chunks) {
            let bytes = numbered(8 << 20);
            let size = bytes.len() as u64;
            let echoing = thread::spawn(move || {
                let mut far = BufReader::new(far);
                let mut received = Vec::new();
                io::copy(&mut far.by_ref().take(size), &mut received).unwrap();
                let far = far.get_mut();
                io::copy(&mut &received[..], far).unwrap();
                assert!(far.close().unwrap().is_clean());
            });
            io::copy(&mut &bytes[..], &mut near).unwrap();
            let mut received = Vec::new();
            io::copy(&mut near, &mut received).unwrap();
            assert!(received == bytes);
            echoing.join().unwrap();
        }
    });
}

/// Both ways to read bytes.
fn readers() -> [fn(Socket) -> Box<dyn Read>; 2] {
    [
        |socket| Box::new(ByteStream::new(socket)),
        |socket| Box::new(ByteReader::new(socket.split().unwrap().0)),
    ]
}

/// A server, its raw peer, and how the server delivers.
fn raw_peers(timeouts: Timeouts) -> impl Iterator<Item = (Socket, RawPeer, Delivery)> {
    DELIVERIES.into_iter().map(move |delivery| {
        let config = Config::default().delivery(delivery);
        let server = Server::new().config(config).timeouts(timeouts);
        let (address, server) = serving(server, |socket| socket);
        let peer = RawPeer::client(address);
        (server.join().unwrap(), peer, delivery)
    })
}

fn reason(error: &io::Error) -> &ByteStreamError {
    error.get_ref().unwrap().downcast_ref().unwrap()
}

#[test]
fn text_is_an_error_and_the_peer_is_told() {
    bounded(|| {
        for reader in readers() {
            for (server, mut peer, _) in raw_peers(Timeouts::default()) {
                peer.send(from_client(Opcode::Binary, b"a"));
                peer.send(from_client(Opcode::Text, b"b"));
                peer.send(from_client(Opcode::Binary, b"c"));
                let telling = thread::spawn(move || {
                    peer.expect_close(1003);
                    peer.send(from_client(Opcode::Close, &1003_u16.to_be_bytes()));
                    peer.expect_eof();
                });
                let mut reader = reader(server);
                assert_eq!(reader.read(&mut [0; 9]).unwrap(), 1);
                let error = reader.read(&mut [0; 9]).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::InvalidData);
                assert_eq!(*reason(&error), ByteStreamError::Text);
                let error = reader.read(&mut [0; 9]).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::ConnectionAborted, "what follows isn't read");
                telling.join().unwrap();
            }
        }
    });
}

#[test]
fn a_close_with_1000_or_1001_or_no_code_is_the_end_and_any_other_an_error() {
    bounded(|| {
        for code in [0, 1000, 1001, 1002, 1008, 1011, 4000] {
            for reader in readers() {
                for (server, mut peer, _) in raw_peers(Timeouts::default()) {
                    let body = u16::to_be_bytes(code);
                    let body = if code == 0 { &[][..] } else { &body };
                    peer.send(from_client(Opcode::Binary, b"a"));
                    peer.send(from_client(Opcode::Close, body));
                    peer.shutdown_write();
                    let mut reader = reader(server);
                    assert_eq!(reader.read(&mut [0; 9]).unwrap(), 1);
                    for _ in 0..2 {
                        match reader.read(&mut [0; 9]) {
                            Ok(read) => assert_eq!((read, code <= 1001), (0, true)),
                            Err(error) => {
                                assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
                                assert_matches!(reason(&error), ByteStreamError::Closed(status)
                                    if status.remote.number() == code && code > 1001);
                            }
                        }
                    }
                }
            }
        }
    });
}

#[test]
fn the_peers_last_words_are_read_where_nothing_can_be_sent() {
    bounded(|| {
        for (socket, mut peer, _) in raw_peers(Timeouts::default()) {
            peer.send(from_client(Opcode::Close, &1008_u16.to_be_bytes()));
            peer.shutdown_write();
            let mut stream = ByteStream::new(socket);
            stream.get_ref().stream().tcp().shutdown(Shutdown::Write).unwrap();
            stream.write_all(b"too late").unwrap();
            for _ in 0..2 {
                assert_eq!(stream.flush().unwrap_err().kind(), ErrorKind::BrokenPipe);
            }
            assert_eq!(stream.close().unwrap_err().kind(), ErrorKind::BrokenPipe);
            let status = stream.get_ref().close_status().unwrap();
            assert_eq!(status.remote, CloseSignal::Code(CloseCode::POLICY_VIOLATION));
        }
    });
}

#[test]
fn a_read_that_timed_out_goes_on_inside_the_message() {
    bounded(|| {
        for reader in readers() {
            let timeouts = Timeouts::default().read(Some(SHORT));
            for (server, mut peer, delivery) in raw_peers(timeouts) {
                let mut reader = reader(server);
                let frame = from_client(Opcode::Binary, b"abcd");
                let (beginning, rest) = frame.split_at(frame.len() - 2);
                let mut room = [0; 9];
                let mut received = Vec::new();
                for piece in [beginning, rest] {
                    assert_eq!(reader.read(&mut room).unwrap_err().kind(), ErrorKind::TimedOut);
                    peer.send(piece);
                    if (delivery, piece) == (Delivery::Messages, beginning) {
                        continue;
                    }
                    received.extend(read_at_last(&mut reader));
                }
                assert_eq!(received, b"abcd");
            }
        }
    });
}

fn read_at_last(reader: &mut impl Read) -> Vec<u8> {
    let mut room = [0; 9];
    loop {
        match reader.read(&mut room) {
            Ok(read) => return room[..read].to_vec(),
            Err(error) => assert_eq!(error.kind(), ErrorKind::TimedOut),
        }
    }
}

#[test]
fn a_write_that_timed_out_takes_nothing() {
    bounded(|| {
        let writers: [fn(Socket) -> Box<dyn Write + Send>; 2] = [
            |socket| Box::new(ByteStream::new(socket)),
            |socket| Box::new(ByteWriter::new(socket.split().unwrap().1)),
        ];
        for writer in writers {
            let timeouts = Timeouts::default().write(Some(SHORT));
            let config = Config::default().max_outgoing_size(1 << 20);
            let (client, server) =
                pair(Server::new(), |client| client.timeouts(timeouts).config(config));
            let mut writer = writer(client);
            let bytes = numbered(16 << 20);
            let mut rest = &bytes[..];
            let error = loop {
                match writer.write(rest) {
                    Ok(taken) => rest = &rest[taken..],
                    Err(error) => break error,
                }
            };
            assert_eq!(error.kind(), ErrorKind::TimedOut);
            assert!(rest.len() < bytes.len());

            let size = bytes.len();
            let reading = thread::spawn(move || {
                let mut received = vec![0; size];
                ByteStream::new(server).read_exact(&mut received).unwrap();
                received
            });
            while !rest.is_empty() {
                match writer.write(rest) {
                    Ok(taken) => rest = &rest[taken..],
                    Err(error) => assert_eq!(error.kind(), ErrorKind::TimedOut),
                }
            }
            while let Err(error) = writer.flush() {
                assert_eq!(error.kind(), ErrorKind::TimedOut);
            }
            assert!(reading.join().unwrap() == bytes);
        }
    });
}

#[test]
fn a_read_that_has_to_write_first_may_time_out_and_nothing_is_lost() {
    bounded(|| {
        let timeouts = Timeouts::default().write(Some(SHORT));
        let (client, server) = pair(Server::new(), |client| client.timeouts(timeouts));
        let (mut near, mut far) = (ByteStream::new(client), ByteStream::new(server));
        let bytes = numbered(12 << 20);
        near.write_all(&bytes).unwrap();
        assert_eq!(near.read(&mut [0]).unwrap_err().kind(), ErrorKind::TimedOut);

        let size = bytes.len();
        let answering = thread::spawn(move || {
            let mut received = vec![0; size];
            far.read_exact(&mut received).unwrap();
            far.write_all(b"a").unwrap();
            far.flush().unwrap();
            received
        });
        assert_eq!(read_at_last(&mut near), b"a");
        assert!(answering.join().unwrap() == bytes);
    });
}

#[test]
fn a_read_into_no_room_does_not_wait() {
    bounded(|| {
        for reader in readers() {
            let (client, _server) = sockets(Delivery::Messages, Timeouts::default());
            assert_eq!(reader(client).read(&mut []).unwrap(), 0);
        }
    });
}

#[test]
fn the_connection_is_handed_back() {
    bounded(|| {
        let (client, server) = sockets(Delivery::Messages, Timeouts::default());
        let (mut near, mut far) = (ByteStream::new(client), ByteStream::new(server));
        near.write_all(b"bytes").unwrap();
        near.flush().unwrap();
        far.read_exact(&mut [0; 5]).unwrap();
        let (mut near, mut far) = (near.into_inner(), far.into_inner());
        near.send("a text").unwrap();
        assert_eq!(far.read().unwrap(), Some(Message::from("a text")));

        let (reader, writer) = near.split().unwrap();
        let (reader, mut writer) = (ByteReader::new(reader), ByteWriter::new(writer));
        writer.write_all(b"bytes").unwrap();
        assert_is_binary(far.read().unwrap(), b"bytes");
        assert_eq!(reader.get_ref().state(), ConnectionState::Open);
        let mut near = reader.into_inner().reunite(writer.into_inner()).unwrap();
        near.send("a text").unwrap();
        assert_eq!(far.read().unwrap(), Some(Message::from("a text")));
    });
}

#[test]
fn a_writer_sends_each_write_at_once() {
    bounded(|| {
        let (client, mut server) = sockets(Delivery::Messages, Timeouts::default());
        let (_reader, writer) = client.split().unwrap();
        let mut writer = ByteWriter::new(writer);
        assert_eq!(writer.write(&[]).unwrap(), 0);
        for piece in [&b"Hello"[..], b"!", &numbered(MESSAGE)] {
            writer.write_all(piece).unwrap();
            assert_is_binary(server.read().unwrap(), piece);
        }
        writer.write_all(&numbered(MESSAGE + 1)).unwrap();
        assert_is_binary(server.read().unwrap(), &numbered(MESSAGE));
        assert_eq!(server.read().unwrap().unwrap().len(), 1);

        let mut buffered = BufWriter::new(writer);
        buffered.write_all(b"Hel").unwrap();
        buffered.write_all(b"lo").unwrap();
        buffered.flush().unwrap();
        assert_is_binary(server.read().unwrap(), b"Hello");
    });
}

/// Passes everything on in both directions, until both have ended.
fn pump(tcp: TcpStream, socket: WebSocket<ClientStream>) -> io::Result<()> {
    let (reader, writer) = socket.split()?;
    let (mut reader, mut writer) = (ByteReader::new(reader), ByteWriter::new(writer));
    let (mut from_tcp, mut to_tcp) = (tcp.try_clone()?, tcp);
    let outward = thread::spawn(move || {
        io::copy(&mut from_tcp, &mut writer)?;
        writer.close()
    });
    io::copy(&mut reader, &mut to_tcp)?;
    to_tcp.shutdown(Shutdown::Write)?;
    outward.join().unwrap()
}

/// A thread that deals with one TCP connection.
fn once<T: Send + 'static>(
    body: impl FnOnce(TcpStream) -> T + Send + 'static,
) -> (SocketAddr, JoinHandle<T>) {
    let (listener, address) = listen();
    (address, thread::spawn(move || body(listener.accept().unwrap().0)))
}

#[test]
fn a_tunnel_carries_tcp_in_both_directions_at_once() {
    bounded(|| {
        let (echo, echoing) = once(|tcp| io::copy(&mut &tcp, &mut &tcp).unwrap());
        let (exit, leaving) = serving(Server::new(), move |socket| {
            pump(TcpStream::connect(echo).unwrap(), socket).unwrap();
        });
        let (entrance, entering) = once(move |tcp| {
            let socket = crate::loopback::client(exit).connect().unwrap();
            pump(tcp, socket).unwrap();
        });

        let mut tcp = TcpStream::connect(entrance).unwrap();
        // A dialogue: nothing may wait for more.
        for number in 0..50 {
            tcp.write_all(&[number]).unwrap();
            let mut answer = [0];
            tcp.read_exact(&mut answer).unwrap();
            assert_eq!(answer, [number]);
        }
        // More than any buffer holds, both ways at once.
        let bytes = numbered(8 << 20);
        let mut sending = tcp.try_clone().unwrap();
        let sent = bytes.clone();
        let sending = thread::spawn(move || sending.write_all(&sent).unwrap());
        let mut received = vec![0; bytes.len()];
        tcp.read_exact(&mut received).unwrap();
        assert!(received == bytes);
        sending.join().unwrap();

        tcp.shutdown(Shutdown::Write).unwrap();
        assert_eq!(tcp.read(&mut [0]).unwrap(), 0);
        entering.join().unwrap();
        leaving.join().unwrap();
        assert_eq!(echoing.join().unwrap(), 50 + (8 << 20));
    });
}
