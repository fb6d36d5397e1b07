//! A peer on a socket that sends exactly the bytes it is told to.

use std::io::ErrorKind;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use bytes::BytesMut;
use sansocket::blocking::{CloneSocket, Socket};
use sansocket::frame::{FrameHeader, MaskingKey, Opcode, Rsv};
use sansocket::handshake::SecWebSocketKey;

/// A valid request, with the key from the RFC.
pub(crate) const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: example.com\r\n\
    Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

/// The value that accepts the key of [`REQUEST`].
pub(crate) const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Longer than anything takes here, but shorter than a connection's default deadlines: what comes only
/// when one of those passes comes too late.
const PATIENCE: Duration = Duration::from_secs(3);

pub(crate) struct RawPeer<S = TcpStream>(S);

impl RawPeer {
    /// A client before its handshake.
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::new(TcpStream::connect(address).unwrap())
    }

    /// A client whose handshake is done.
    pub(crate) fn client(address: SocketAddr) -> Self {
        Self::connect(address).open()
    }

    /// A server before its handshake.
    pub(crate) fn accept(listener: &TcpListener) -> Self {
        Self::new(listener.accept().unwrap().0)
    }

    /// A server whose handshake is done.
    pub(crate) fn server(listener: &TcpListener) -> Self {
        Self::accept(listener).answer()
    }
}

impl<S: CloneSocket> RawPeer<S> {
    /// The same peer for another thread: one to talk, one to listen.
    pub(crate) fn another(&self) -> Self {
        Self(self.0.try_clone().unwrap())
    }
}

impl<S: Socket> RawPeer<S> {
    /// A peer before its handshake.
    pub(crate) fn new(stream: S) -> Self {
        stream.set_nodelay().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self(stream)
    }

    /// Does the client's part of the handshake.
    pub(crate) fn open(mut self) -> Self {
        self.send(REQUEST);
        assert!(self.receive_head().starts_with("HTTP/1.1 101 "));
        self
    }

    /// Does the server's part of the handshake.
    pub(crate) fn answer(mut self) -> Self {
        let request = self.receive_head();
        self.send(response_to(&request));
        self
    }

    pub(crate) fn stream(&self) -> &S {
        &self.0
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).unwrap();
    }

    /// Sends for as long as the other end takes it.
    pub(crate) fn send_slowly(&mut self, bytes: impl IntoIterator<Item = u8>, pause: Duration) {
        for byte in bytes {
            if self.0.write_all(&[byte]).is_err() {
                return;
            }
            std::thread::sleep(pause);
        }
    }

    pub(crate) fn shutdown_write(&self) {
        self.0.shutdown(Shutdown::Write).unwrap();
    }

    /// Takes one HTTP head, and nothing after it.
    pub(crate) fn receive_head(&mut self) -> String {
        self.receive_head_or_end().expect("a head")
    }

    /// Takes one HTTP head, and nothing after it, unless the other end has closed.
    pub(crate) fn receive_head_or_end(&mut self) -> Option<String> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte).ok()?;
            head.push(byte[0]);
        }
        Some(String::from_utf8(head).unwrap())
    }

    /// Takes the first byte of something long: its sender has begun.
    pub(crate) fn receive_byte(&mut self) -> u8 {
        let mut byte = [0];
        self.0.read_exact(&mut byte).unwrap();
        byte[0]
    }

    /// Takes one final frame: its opcode and its payload.
    pub(crate) fn receive_frame(&mut self) -> (Opcode, Vec<u8>) {
        let (fin, opcode, payload) = self.receive_fragment();
        assert!(fin);
        (opcode, payload)
    }

    /// Takes one frame: whether it is final, its opcode and its payload.
    pub(crate) fn receive_fragment(&mut self) -> (bool, Opcode, Vec<u8>) {
        let mut bytes = BytesMut::new();
        let (header, size) = loop {
            bytes.extend_from_slice(&self.take::<1>());
            if let Some(decoded) = FrameHeader::decode(&bytes).unwrap() {
                break decoded;
            }
        };
        assert_eq!(size, bytes.len());
        let mut payload = vec![0; usize::try_from(header.payload_len).unwrap()];
        self.0.read_exact(&mut payload).unwrap();
        if let Some(key) = header.mask {
            payload = masked(key, &payload);
        }
        (header.fin, header.opcode, payload)
    }

    pub(crate) fn expect_frame(&mut self, opcode: Opcode, payload: &[u8]) {
        assert_eq!(self.receive_frame(), (opcode, payload.to_vec()));
    }

    pub(crate) fn expect_close(&mut self, code: u16) {
        self.expect_frame(Opcode::Close, &code.to_be_bytes());
    }

    /// Asserts that the other end closed, and didn't reset, the connection.
    pub(crate) fn expect_eof(&mut self) {
        assert_eq!(self.0.read(&mut [0; 16]).unwrap(), 0);
    }

    /// Everything that comes until the other end closes.
    pub(crate) fn receive_all(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.0.read_to_end(&mut bytes).unwrap();
        bytes
    }

    /// Asserts that, for a while, nothing comes and the other end keeps the connection open.
    pub(crate) fn expect_silence(&mut self, pause: Duration) {
        self.0.set_read_timeout(Some(pause)).unwrap();
        let silence = self.0.read(&mut [0]).unwrap_err();
        assert_matches!(silence.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
        self.0.set_read_timeout(Some(PATIENCE)).unwrap();
    }

    fn take<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes).unwrap();
        bytes
    }
}

/// The response that accepts a request.
pub(crate) fn response_to(request: &str) -> String {
    let line = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
    let accept = SecWebSocketKey::parse(line.as_bytes()).unwrap().accept();
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        accept.as_str()
    )
}

/// A final frame as a client sends it.
pub(crate) fn from_client(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let key = MaskingKey::new([0x37, 0xfa, 0x21, 0x3d]);
    frame(opcode, Some(key), payload)
}

/// A final frame as a server sends it.
pub(crate) fn from_server(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    frame(opcode, None, payload)
}

fn frame(opcode: Opcode, mask: Option<MaskingKey>, payload: &[u8]) -> Vec<u8> {
    let payload_len = payload.len() as u64;
    let header = FrameHeader { fin: true, rsv: Rsv::NONE, opcode, mask, payload_len };
    let mut bytes = header.encode().as_ref().to_vec();
    match mask {
        Some(key) => bytes.extend(masked(key, payload)),
        None => bytes.extend_from_slice(payload),
    }
    bytes
}

fn masked(key: MaskingKey, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(payload.len());
    key.append(payload, &mut bytes);
    bytes
}
