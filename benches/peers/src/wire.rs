//! Bytes on the wire, made without any of the measured libraries.

use crate::mixed_text::mixed_text;

pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;
pub const PING: u8 = 9;

/// An opening handshake.
pub const REQUEST: &[u8] = b"GET / HTTP/1.1\r\n\
    Host: 127.0.0.1\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\
    \r\n";

const KEY: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

/// What messages are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Binary,
    /// Text with one byte per character.
    Ascii,
    /// Text in which about a third of the characters have more than one byte.
    Mixed,
}

impl Kind {
    pub const fn opcode(self) -> u8 {
        match self {
            Self::Binary => BINARY,
            Self::Ascii | Self::Mixed => TEXT,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Binary => "binary",
            Self::Ascii => "ASCII",
            Self::Mixed => "mixed text",
        }
    }

    /// Returns this many bytes of it.
    pub fn payload(self, size: usize) -> Vec<u8> {
        match self {
            Self::Binary => (0..=250).cycle().step_by(31).take(size).collect(),
            Self::Ascii => (b'a'..=b'z').cycle().take(size).collect(),
            Self::Mixed => mixed_text(size).into_bytes(),
        }
    }
}

/// Returns a frame as a client sends it.
pub fn client_frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = header(first, payload.len(), 0x80);
    frame.extend_from_slice(&KEY);
    frame.extend(payload.iter().enumerate().map(|(index, byte)| byte ^ KEY[index % 4]));
    frame
}

/// Returns a frame as a server sends it.
pub fn server_frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = header(first, payload.len(), 0);
    frame.extend_from_slice(payload);
    frame
}

/// Returns a message of one frame, as a client sends it.
pub fn client_message(kind: Kind, size: usize) -> Vec<u8> {
    client_frame(0x80 | kind.opcode(), &kind.payload(size))
}

/// Returns a message of this many frames, as a client sends it.
pub fn client_fragments(kind: Kind, size: usize, count: usize) -> Vec<u8> {
    let payload = kind.payload(size);
    let mut message = Vec::new();
    let pieces = payload.chunks(size.div_ceil(count));
    let last = pieces.len() - 1;
    for (index, piece) in pieces.enumerate() {
        let opcode = if index == 0 { kind.opcode() } else { 0 };
        let fin = if index == last { 0x80 } else { 0 };
        message.extend(client_frame(fin | opcode, piece));
    }
    message
}

/// Returns the reply, a single frame, to a message in one frame or several.
pub fn server_message(kind: Kind, size: usize) -> Vec<u8> {
    server_frame(0x80 | kind.opcode(), &kind.payload(size))
}

fn header(first: u8, length: usize, masked: u8) -> Vec<u8> {
    let mut header = vec![first];
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ 0..=125), _) => header.push(masked | short),
        (_, Ok(medium)) => {
            header.push(masked | 0x7E);
            header.extend_from_slice(&medium.to_be_bytes());
        }
        _ => {
            header.push(masked | 0x7F);
            header.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    header
}
