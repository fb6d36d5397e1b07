//! Frames and messages, read in the plainest way, from the text of RFC 6455.
//!
//! Shares nothing with the library but its names for roles and kinds.

use sansocket::{MessageKind, Role};

#[cfg(feature = "deflate")]
use super::reference_inflate::Inflater;
use super::setup::Setup;
use super::transcript::Seen;

/// The opcodes (section 5.2).
pub const CONTINUATION: u8 = 0x0;
/// See [`CONTINUATION`].
pub const TEXT: u8 = 0x1;
/// See [`CONTINUATION`].
pub const BINARY: u8 = 0x2;
/// See [`CONTINUATION`].
pub const CLOSE: u8 = 0x8;
/// See [`CONTINUATION`].
pub const PING: u8 = 0x9;
/// See [`CONTINUATION`].
pub const PONG: u8 = 0xA;

const PROTOCOL_ERROR: u16 = 1002;
const INVALID_PAYLOAD: u16 = 1007;
const MESSAGE_TOO_BIG: u16 = 1009;

/// A frame, unmasked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The bit FIN.
    pub fin: bool,
    /// The four bits of the opcode.
    pub opcode: u8,
    /// What the frame carries.
    pub payload: Vec<u8>,
}

impl Frame {
    /// A frame that is not one of several fragments.
    pub fn whole(opcode: u8, payload: impl Into<Vec<u8>>) -> Self {
        Self { fin: true, opcode, payload: payload.into() }
    }

    /// The frame as this role sends it, its length in the shortest form.
    pub fn encode(&self, sender: Role) -> Vec<u8> {
        let mut bytes = vec![if self.fin { 0x80 } else { 0 } | self.opcode];
        let masked = if sender == Role::Client { 0x80 } else { 0 };
        match self.payload.len() {
            length @ 0..126 => bytes.push(masked | u8::try_from(length).unwrap()),
            length @ 126..65_536 => {
                bytes.push(masked | 0x7E);
                bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
            length => {
                bytes.push(masked | 0x7F);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        if sender == Role::Client {
            let key = [0x37, 0xFA, 0x21, 0x3D];
            bytes.extend(key);
            bytes.extend(self.payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
        } else {
            bytes.extend(&self.payload);
        }
        bytes
    }
}

/// What has arrived of a message in fragments, or of one whose frame is not complete.
#[derive(Debug)]
struct Open {
    kind: MessageKind,
    is_compressed: bool,
    /// The sum of what the frames announced.
    announced: u64,
    bytes: Vec<u8>,
    /// Where in them the bytes of the current frame begin.
    frame: usize,
    /// How many bytes at the front are known to be whole characters.
    valid: usize,
}

/// A frame whose header is complete.
#[derive(Debug)]
struct Body {
    fin: bool,
    rsv1: bool,
    opcode: u8,
    key: [u8; 4],
    length: u64,
    payload: Vec<u8>,
}

/// Reads what one end sends.
#[derive(Debug)]
pub struct Reader {
    sender: Role,
    max_frame_size: u64,
    max_message_size: u64,
    /// What has arrived of a header.
    header: Vec<u8>,
    body: Option<Body>,
    open: Option<Open>,
    /// What inflates the sender's messages, if compression was agreed on.
    #[cfg(feature = "deflate")]
    inflater: Option<Inflater>,
    /// The frames that are complete, inflated.
    pub frames: Vec<Frame>,
    /// What they say.
    pub seen: Vec<Seen>,
}

impl Reader {
    /// A reader of what the peer of this connection sends.
    pub fn of_input(setup: Setup) -> Self {
        Self::new(setup, setup.role.peer(), setup.max_frame_size, setup.max_message_size)
    }

    /// A reader of what this connection sends.
    pub fn of_output(setup: Setup) -> Self {
        Self {
            #[cfg(feature = "deflate")]
            inflater: setup.sender(setup.role).map(Inflater::strict),
            ..Self::new(setup, setup.role, u64::MAX, u64::MAX)
        }
    }

    #[cfg_attr(
        not(feature = "deflate"),
        expect(unused_variables, reason = "nothing was agreed on")
    )]
    fn new(setup: Setup, sender: Role, max_frame_size: u64, max_message_size: u64) -> Self {
        Self {
            #[cfg(feature = "deflate")]
            inflater: setup.sender(sender).map(Inflater::new),
            sender,
            max_frame_size,
            max_message_size,
            header: Vec::new(),
            body: None,
            open: None,
            frames: Vec::new(),
            seen: Vec::new(),
        }
    }

    /// Whether the last byte was the last of a frame.
    pub fn is_between_frames(&self) -> bool {
        self.header.is_empty() && self.body.is_none()
    }

    /// Takes bytes that the peer has no complaint about.
    pub fn read_valid(&mut self, bytes: &[u8]) {
        let read = self.read(bytes);
        read.unwrap_or_else(|code| panic!("the peer would fail the connection with {code}"));
    }

    /// Takes some bytes; or returns the code with which the connection is to be failed, because
    /// they are wrong, whatever follows.
    pub fn read(&mut self, bytes: &[u8]) -> Result<(), u16> {
        let mut rest = bytes;
        while let [byte, behind @ ..] = rest {
            if let Some(body) = &self.body {
                let missing = body.length - body.payload.len() as u64;
                let count = usize::try_from(missing).unwrap_or(usize::MAX).min(rest.len());
                self.payload(&rest[..count])?;
                rest = &rest[count..];
            } else {
                self.header_byte(*byte)?;
                rest = behind;
            }
        }
        Ok(())
    }

    fn header_byte(&mut self, byte: u8) -> Result<(), u16> {
        self.header.push(byte);
        let arrived = self.header.len();

        let first = self.header[0];
        let (fin, rsv1, opcode) = (first & 0x80 != 0, first & 0x40 != 0, first & 0x0F);
        if arrived == 1 {
            // 5.2: "MUST be 0 unless an extension is negotiated that defines meanings".
            demand(first & 0x30 == 0, PROTOCOL_ERROR)?;
            // RFC 7692, 6: RSV1 is the "Per-Message Compressed" bit, which is set on the first fragment,
            // and neither on the others nor on control frames.
            let may_be_compressed = self.may_inflate() && (opcode == TEXT || opcode == BINARY);
            demand(!rsv1 || may_be_compressed, PROTOCOL_ERROR)?;
            // 5.2: "If an unknown opcode is received" ...
            demand(opcode <= BINARY || (CLOSE..=PONG).contains(&opcode), PROTOCOL_ERROR)?;
            // 5.5: control frames "MUST NOT be fragmented".
            return demand(fin || opcode < CLOSE, PROTOCOL_ERROR);
        }

        let second = self.header[1];
        let (masked, short) = (second & 0x80 != 0, second & 0x7F);
        if arrived == 2 {
            // 5.1: a client masks all frames, a server none.
            demand(masked == (self.sender == Role::Client), PROTOCOL_ERROR)?;
            // 5.5: "MUST have a payload length of 125 bytes or less".
            demand(opcode < CLOSE || short <= 125, PROTOCOL_ERROR)?;
        }

        if arrived == 3 && short == 127 {
            // 5.2: "the most significant bit MUST be 0".
            demand(self.header[2] & 0x80 == 0, PROTOCOL_ERROR)?;
        }
        // 5.2: 126 means two more bytes, 127 means eight, most significant first.
        let length_ends = match short {
            126 => 4,
            127 => 10,
            _ => 2,
        };
        if arrived < length_ends {
            return Ok(());
        }
        let extended = self.header[2..length_ends].iter();
        let length = match short {
            126 | 127 => extended.fold(0, |sum, &byte| sum << 8 | u64::from(byte)),
            _ => u64::from(short),
        };
        if arrived == length_ends {
            // 5.2: "the minimal number of bytes MUST be used to encode the length".
            demand(short != 126 || length > 125, PROTOCOL_ERROR)?;
            demand(short != 127 || length > 0xFFFF, PROTOCOL_ERROR)?;
        }

        let key = match (masked, &self.header[length_ends..]) {
            // What is not masked stays as it is.
            (false, _) => [0; 4],
            (true, [a, b, c, d]) => [*a, *b, *c, *d],
            (true, _) => return Ok(()),
        };
        self.header.clear();
        self.begin(Body { fin, rsv1, opcode, key, length, payload: Vec::new() })
    }

    /// The header is complete.
    fn begin(&mut self, body: Body) -> Result<(), u16> {
        if body.opcode < CLOSE {
            // 10.4: limits of the implementation.
            demand(body.length <= self.max_frame_size, MESSAGE_TOO_BIG)?;
            // 5.4: fragments of one message are not interleaved with those of another, and there is
            // nothing else to continue.
            demand((body.opcode == CONTINUATION) == self.open.is_some(), PROTOCOL_ERROR)?;
            let kind = if body.opcode == TEXT { MessageKind::Text } else { MessageKind::Binary };
            let open = self.open.get_or_insert(Open {
                kind,
                is_compressed: body.rsv1,
                announced: 0,
                bytes: Vec::new(),
                frame: 0,
                valid: 0,
            });
            open.frame = open.bytes.len();
            open.announced += body.length;
            // A compressed message's size is known only once it has come out.
            let is_small = open.is_compressed || open.announced <= self.max_message_size;
            demand(is_small, MESSAGE_TOO_BIG)?;
        }
        self.body = Some(body);
        self.payload(&[])
    }

    /// Some bytes of the payload have arrived, and perhaps the last.
    fn payload(&mut self, masked: &[u8]) -> Result<(), u16> {
        let body = self.body.as_mut().unwrap();
        let start = body.payload.len();
        // 5.3: "octet i of the transformed data" is octet i XOR octet i modulo 4 of the key.
        let unmask = |(index, byte): (_, &_)| byte ^ body.key[(start + index) % 4];
        body.payload.extend(masked.iter().enumerate().map(unmask));
        if let (Some(open), 0..CLOSE) = (&mut self.open, body.opcode) {
            if open.is_compressed {
                #[cfg(feature = "deflate")]
                for &byte in &body.payload[start..] {
                    let inflater = self.inflater.as_mut().unwrap();
                    let limit = self.max_message_size;
                    inflater.byte(byte, &mut |byte| open.inflated(byte, limit))?;
                }
            } else {
                open.bytes.extend_from_slice(&body.payload[start..]);
                demand(open.may_become_valid(), INVALID_PAYLOAD)?;
            }
        }
        if body.payload.len() as u64 == body.length { self.end() } else { Ok(()) }
    }

    /// The payload is complete.
    fn end(&mut self) -> Result<(), u16> {
        let Body { fin, opcode, mut payload, .. } = self.body.take().unwrap();
        if let (Some(open), 0..CLOSE) = (&self.open, opcode) {
            payload = open.bytes[open.frame..].to_vec();
        }
        self.frames.push(Frame { fin, opcode, payload: payload.clone() });
        let seen = match opcode {
            CLOSE => Seen::Close(close_body(&payload)?),
            PING => Seen::Ping(payload),
            PONG => Seen::Pong(payload),
            _ if !fin => return Ok(()),
            _ => {
                let open = self.open.take().unwrap();
                #[cfg(feature = "deflate")]
                if open.is_compressed {
                    self.inflater.as_mut().unwrap().finish()?;
                }
                let is_whole = open.valid == open.bytes.len() || open.kind == MessageKind::Binary;
                demand(is_whole, INVALID_PAYLOAD)?;
                Seen::Message(open.kind, open.bytes)
            }
        };
        self.seen.push(seen);
        Ok(())
    }
}

/// Whether compression was agreed on.
impl Reader {
    #[cfg(feature = "deflate")]
    const fn may_inflate(&self) -> bool {
        self.inflater.is_some()
    }

    #[cfg(not(feature = "deflate"))]
    #[expect(clippy::unused_self, reason = "nothing was agreed on")]
    const fn may_inflate(&self) -> bool {
        false
    }
}

impl Open {
    /// A byte has come out of the compressed data.
    #[cfg(feature = "deflate")]
    fn inflated(&mut self, byte: u8, limit: u64) -> Result<(), u16> {
        demand((self.bytes.len() as u64) < limit, MESSAGE_TOO_BIG)?;
        self.bytes.push(byte);
        demand(self.may_become_valid(), INVALID_PAYLOAD)
    }

    /// 8.1: a text is UTF-8. Whether it may still turn out to be.
    fn may_become_valid(&mut self) -> bool {
        if self.kind == MessageKind::Binary {
            return true;
        }
        match std::str::from_utf8(&self.bytes[self.valid..]) {
            Ok(_) => self.valid = self.bytes.len(),
            Err(error) => {
                self.valid += error.valid_up_to();
                return error.error_len().is_none();
            }
        }
        true
    }
}

/// 5.5.1 and 7.4: nothing, or a code that may be sent and a reason.
fn close_body(body: &[u8]) -> Result<Option<(u16, String)>, u16> {
    let (code, reason) = match body {
        [] => return Ok(None),
        [_] => return Err(PROTOCOL_ERROR),
        [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), reason),
    };
    let is_reserved = matches!(code, 1004..=1006 | 1015);
    let is_known = (1000..=1014).contains(&code) || (3000..=4999).contains(&code);
    demand(is_known && !is_reserved, PROTOCOL_ERROR)?;
    match String::from_utf8(reason.to_vec()) {
        Ok(reason) => Ok(Some((code, reason))),
        Err(_) => Err(INVALID_PAYLOAD),
    }
}

fn demand(holds: bool, code: u16) -> Result<(), u16> {
    if holds { Ok(()) } else { Err(code) }
}
