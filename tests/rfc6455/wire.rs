//! Frames as the text of section 5.2 describes them, without the library's own codec.

use sansocket::Role;

pub(crate) const CONTINUATION: u8 = 0x0;
pub(crate) const TEXT: u8 = 0x1;
pub(crate) const BINARY: u8 = 0x2;
pub(crate) const CLOSE: u8 = 0x8;
pub(crate) const PING: u8 = 0x9;
pub(crate) const PONG: u8 = 0xA;

pub(crate) const OPCODES: [u8; 6] = [CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG];
pub(crate) const CONTROL_OPCODES: [u8; 3] = [CLOSE, PING, PONG];

/// In a frame's second byte: the MASK bit, and the values for a length of 16 or 64 bits.
pub(crate) const MASKED: u8 = 0x80;
pub(crate) const LENGTH_16: u8 = 0x7E;
pub(crate) const LENGTH_64: u8 = 0x7F;

/// The masking key of the frames that the tests write.
const KEY: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

/// A frame, apart from its masking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) fin: bool,
    pub(crate) rsv: u8,
    pub(crate) opcode: u8,
    pub(crate) payload: Vec<u8>,
}

pub(crate) fn frame(opcode: u8, payload: impl AsRef<[u8]>) -> Frame {
    Frame { fin: true, rsv: 0, opcode, payload: payload.as_ref().to_vec() }
}

pub(crate) fn text(payload: impl AsRef<[u8]>) -> Frame {
    frame(TEXT, payload)
}

pub(crate) fn binary(payload: impl AsRef<[u8]>) -> Frame {
    frame(BINARY, payload)
}

pub(crate) fn continuation(payload: impl AsRef<[u8]>) -> Frame {
    frame(CONTINUATION, payload)
}

pub(crate) fn ping(payload: impl AsRef<[u8]>) -> Frame {
    frame(PING, payload)
}

pub(crate) fn pong(payload: impl AsRef<[u8]>) -> Frame {
    frame(PONG, payload)
}

pub(crate) fn close(code: u16, reason: impl AsRef<[u8]>) -> Frame {
    frame(CLOSE, [&code.to_be_bytes()[..], reason.as_ref()].concat())
}

pub(crate) fn empty_close() -> Frame {
    frame(CLOSE, "")
}

impl Frame {
    /// The same with FIN clear: more fragments follow.
    pub(crate) fn unfinished(self) -> Self {
        Self { fin: false, ..self }
    }

    pub(crate) fn with_rsv(self, rsv: u8) -> Self {
        Self { rsv, ..self }
    }

    /// The frame as `sender` sends it: masked if and only if that is a client (§5.1).
    pub(crate) fn sent_by(&self, sender: Role) -> Vec<u8> {
        match sender {
            Role::Client => self.masked_with(KEY),
            Role::Server => self.unmasked(),
        }
    }

    pub(crate) fn masked_with(&self, key: [u8; 4]) -> Vec<u8> {
        let mut bytes = header(self, MASKED);
        bytes.extend(key);
        bytes.extend(self.payload.iter().enumerate().map(|(index, byte)| byte ^ key[index % 4]));
        bytes
    }

    pub(crate) fn unmasked(&self) -> Vec<u8> {
        let mut bytes = header(self, 0);
        bytes.extend(&self.payload);
        bytes
    }
}

/// Several frames of one sender, one after the other.
pub(crate) fn sent_by(sender: Role, frames: &[Frame]) -> Vec<u8> {
    frames.iter().flat_map(|frame| frame.sent_by(sender)).collect()
}

/// A frame's first bytes, with a 64-bit length that may be a lie.
pub(crate) fn announce(sender: Role, first: u8, length: u64) -> Vec<u8> {
    let mut bytes = vec![first];
    let masked = if sender == Role::Client { MASKED } else { 0 };
    bytes.push(masked | LENGTH_64);
    bytes.extend(length.to_be_bytes());
    if sender == Role::Client {
        bytes.extend(KEY);
    }
    bytes
}

/// Everything up to the masking key.
fn header(frame: &Frame, masked: u8) -> Vec<u8> {
    let fin = if frame.fin { 0x80 } else { 0 };
    let mut bytes = vec![fin | frame.rsv << 4 | frame.opcode];
    match frame.payload.len() {
        length @ 0..=125 => bytes.push(masked | u8::try_from(length).unwrap()),
        length @ 126..=0xFFFF => {
            bytes.push(masked | LENGTH_16);
            bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
        length => {
            bytes.push(masked | LENGTH_64);
            bytes.extend(u64::try_from(length).unwrap().to_be_bytes());
        }
    }
    bytes
}

/// Reads the frames that `sender` has sent, and holds each to sections 5.1 and 5.2: whole, masked if
/// and only if it comes from a client, no reserved bits, the length in its shortest form.
pub(crate) fn frames_of(sender: Role, bytes: &[u8]) -> Vec<Frame> {
    read_all(sender, bytes).into_iter().map(|(frame, _)| frame).collect()
}

/// The masking keys of the frames that a client has sent.
pub(crate) fn keys_of_client(bytes: &[u8]) -> Vec<[u8; 4]> {
    read_all(Role::Client, bytes).into_iter().filter_map(|(_, key)| key).collect()
}

fn read_all(sender: Role, bytes: &[u8]) -> Vec<(Frame, Option<[u8; 4]>)> {
    let mut reader = Reader(bytes);
    let mut frames = Vec::new();
    while !reader.0.is_empty() {
        let (frame, key) = reader.frame();
        assert_eq!(key.is_some(), sender == Role::Client, "§5.1: masked by a client alone");
        assert_eq!(frame.rsv, 0, "§5.2: no extension, no reserved bits");
        assert!(OPCODES.contains(&frame.opcode), "§5.2: opcode {}", frame.opcode);
        frames.push((frame, key));
    }
    frames
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        assert!(count <= self.0.len(), "the last frame is incomplete: {:x?}", self.0);
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    fn number(&mut self, size: usize) -> usize {
        self.take(size).iter().fold(0, |number, &byte| number << 8 | usize::from(byte))
    }

    fn frame(&mut self) -> (Frame, Option<[u8; 4]>) {
        let first = self.number(1);
        let second = self.number(1);
        let length = match second & 0x7F {
            126 => self.number(2),
            127 => self.number(8),
            short => short,
        };
        let shortest = match length {
            0..=125 => length,
            126..=0xFFFF => 126,
            _ => 127,
        };
        assert_eq!(second & 0x7F, shortest, "§5.2: the shortest form of {length}");
        let key: Option<[u8; 4]> =
            (second & 0x80 != 0).then(|| self.take(4).try_into().expect("four bytes"));
        let mut payload = self.take(length).to_vec();
        if let Some(key) = key {
            for (index, byte) in payload.iter_mut().enumerate() {
                *byte ^= key[index % 4];
            }
        }
        let frame = Frame {
            fin: first & 0x80 != 0,
            rsv: u8::try_from(first >> 4 & 0x7).unwrap(),
            opcode: u8::try_from(first & 0xF).unwrap(),
            payload,
        };
        (frame, key)
    }
}

#[test]
fn what_is_written_is_read() {
    for sender in [Role::Client, Role::Server] {
        let frames: Vec<Frame> =
            [0, 1, 125, 126, 65_535, 65_536].map(|length| binary(vec![7; length])).to_vec();
        assert_eq!(frames_of(sender, &sent_by(sender, &frames)), frames);
    }
}
