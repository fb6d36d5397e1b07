/// What a frame is (RFC 6455, section 5.2): its four opcode bits.
///
/// The reserved opcodes 3–7 and 11–15 have no variant, so that an `Opcode` is always a known one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Opcode {
    /// A further fragment of the open message.
    Continuation = 0x0,
    /// The first or only fragment of a text message.
    Text = 0x1,
    /// The first or only fragment of a binary message.
    Binary = 0x2,
    /// The Close control frame.
    Close = 0x8,
    /// The Ping control frame.
    Ping = 0x9,
    /// The Pong control frame.
    Pong = 0xA,
}

impl Opcode {
    /// Returns the opcode with these four bits, or `None` for a reserved one.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0x0 => Some(Self::Continuation),
            0x1 => Some(Self::Text),
            0x2 => Some(Self::Binary),
            0x8 => Some(Self::Close),
            0x9 => Some(Self::Ping),
            0xA => Some(Self::Pong),
            _ => None,
        }
    }

    /// Returns the four bits as they appear in the frame.
    pub const fn bits(self) -> u8 {
        self as u8
    }

    /// Returns whether this is a control frame: never fragmented, at most 125 bytes (section 5.5).
    pub const fn is_control(self) -> bool {
        self.bits() & 0x8 != 0
    }
}
