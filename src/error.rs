use crate::close_code::CloseCode;

/// How the peer broke RFC 6455, RFC 7692, or one of this endpoint's limits.
///
/// There is one variant per rule. From a [`Connection`](crate::Connection), whichever it is, the connection has failed
/// (section 7.1.7): the Close frame with [`close_code`](Self::close_code) is already queued, unless one was sent
/// before or the transport takes no more, and no further input is processed. Of
/// [halves](crate::Connection::split), the sending one has to be [told](crate::SendingHalf::fail).
///
/// ```
/// use sansocket::{CloseCode, ProtocolError};
///
/// assert_eq!(ProtocolError::InvalidUtf8.close_code(), CloseCode::INVALID_PAYLOAD);
/// assert_eq!(ProtocolError::InvalidUtf8.section(), "RFC 6455, section 8.1");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// A frame has a reserved bit set that no negotiated extension gives a meaning.
    #[error("a frame has reserved bits set that no extension owns")]
    ReservedBits,
    /// A frame has one of the reserved opcodes 3–7 and 11–15.
    #[error("a frame has the reserved opcode {0}")]
    ReservedOpcode(u8),
    /// A control frame has FIN clear.
    #[error("a control frame is fragmented")]
    FragmentedControlFrame,
    /// A control frame announces more than 125 bytes.
    #[error("a control frame has a payload of more than 125 bytes")]
    ControlFrameTooLong,
    /// A client sent a frame without a masking key.
    #[error("a frame from the client is not masked")]
    UnmaskedFrame,
    /// A server sent a frame with a masking key.
    #[error("a frame from the server is masked")]
    MaskedFrame,
    /// A length is encoded in more bytes than it needs.
    #[error("a payload length is not encoded in the shortest form")]
    NonMinimalLength,
    /// The most significant bit of a 64-bit length is set.
    #[error("a 64-bit payload length has its most significant bit set")]
    LengthTopBit,
    /// A continuation frame arrived while no message was open.
    #[error("a continuation frame has no message to continue")]
    UnexpectedContinuation,
    /// A text or binary frame arrived while a fragmented message was open.
    #[error("a new message begins before the fragmented one has ended")]
    ExpectedContinuation,
    /// A text message is not UTF-8.
    #[error("a text message is not valid UTF-8")]
    InvalidUtf8,
    /// A Close frame has a body of one byte, too short for a status code.
    #[error("a Close frame has a body of one byte")]
    TruncatedCloseCode,
    /// A Close frame carries a status code that may not be on the wire.
    #[error("a Close frame carries the invalid status code {0}")]
    InvalidCloseCode(u16),
    /// The reason of a Close frame is not UTF-8.
    #[error("the reason in a Close frame is not valid UTF-8")]
    InvalidCloseReason,
    /// A compressed message is not valid DEFLATE data.
    #[error("the data of a compressed message is corrupt")]
    CorruptCompression,
    /// The data of a compressed message ends inside a block.
    #[error("the data of a compressed message ends too early")]
    IncompleteCompression,
    /// A frame announces more than [`Config::max_frame_size`](crate::Config::max_frame_size), which follows the limit
    /// for messages unless it is set.
    #[error("a frame of {size} bytes exceeds the limit of {limit}")]
    FrameTooLarge {
        /// The announced payload length in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// A message exceeds [`Config::max_message_size`](crate::Config::max_message_size), counting what
    /// its frames have announced so far, or what came out of them if it is compressed.
    #[error("a message of at least {size} bytes exceeds the limit of {limit}")]
    MessageTooLarge {
        /// The bytes that its frames have announced so far, or that came out of them.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
}

impl ProtocolError {
    /// Returns the status code with which the connection fails (section 7.4.1).
    pub const fn close_code(&self) -> CloseCode {
        match self {
            Self::InvalidUtf8
            | Self::InvalidCloseReason
            | Self::CorruptCompression
            | Self::IncompleteCompression => CloseCode::INVALID_PAYLOAD,
            Self::FrameTooLarge { .. } | Self::MessageTooLarge { .. } => CloseCode::MESSAGE_TOO_BIG,
            _ => CloseCode::PROTOCOL_ERROR,
        }
    }

    /// Returns the section that states the rule, such as `RFC 6455, section 5.2`.
    pub const fn section(&self) -> &'static str {
        match self {
            Self::ReservedBits
            | Self::ReservedOpcode(_)
            | Self::NonMinimalLength
            | Self::LengthTopBit => "RFC 6455, section 5.2",
            Self::UnmaskedFrame | Self::MaskedFrame => "RFC 6455, section 5.1",
            Self::UnexpectedContinuation | Self::ExpectedContinuation => "RFC 6455, section 5.4",
            Self::FragmentedControlFrame | Self::ControlFrameTooLong => "RFC 6455, section 5.5",
            Self::TruncatedCloseCode | Self::InvalidCloseReason => "RFC 6455, section 5.5.1",
            Self::InvalidCloseCode(_) => "RFC 6455, section 7.4",
            Self::InvalidUtf8 => "RFC 6455, section 8.1",
            Self::CorruptCompression | Self::IncompleteCompression => "RFC 7692, section 7.2.2",
            Self::FrameTooLarge { .. } | Self::MessageTooLarge { .. } => "RFC 6455, section 10.4",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The close code and the section of an error, and the error whose turn is next. Without a wildcard, so
    /// that a further variant needs a row.
    fn row(error: ProtocolError) -> (u16, &'static str, Option<ProtocolError>) {
        use ProtocolError::*;
        match error {
            ReservedBits => (1002, "RFC 6455, section 5.2", Some(ReservedOpcode(3))),
            ReservedOpcode(_) => (1002, "RFC 6455, section 5.2", Some(UnmaskedFrame)),
            UnmaskedFrame => (1002, "RFC 6455, section 5.1", Some(MaskedFrame)),
            MaskedFrame => (1002, "RFC 6455, section 5.1", Some(FragmentedControlFrame)),
            FragmentedControlFrame => (1002, "RFC 6455, section 5.5", Some(ControlFrameTooLong)),
            ControlFrameTooLong => (1002, "RFC 6455, section 5.5", Some(NonMinimalLength)),
            NonMinimalLength => (1002, "RFC 6455, section 5.2", Some(LengthTopBit)),
            LengthTopBit => (1002, "RFC 6455, section 5.2", Some(UnexpectedContinuation)),
            UnexpectedContinuation => (1002, "RFC 6455, section 5.4", Some(ExpectedContinuation)),
            ExpectedContinuation => (1002, "RFC 6455, section 5.4", Some(InvalidUtf8)),
            InvalidUtf8 => (1007, "RFC 6455, section 8.1", Some(TruncatedCloseCode)),
            TruncatedCloseCode => (1002, "RFC 6455, section 5.5.1", Some(InvalidCloseCode(1005))),
            InvalidCloseCode(_) => (1002, "RFC 6455, section 7.4", Some(InvalidCloseReason)),
            InvalidCloseReason => (1007, "RFC 6455, section 5.5.1", Some(CorruptCompression)),
            CorruptCompression => (1007, "RFC 7692, section 7.2.2", Some(IncompleteCompression)),
            IncompleteCompression => {
                (1007, "RFC 7692, section 7.2.2", Some(FrameTooLarge { size: 2, limit: 1 }))
            }
            FrameTooLarge { .. } => {
                (1009, "RFC 6455, section 10.4", Some(MessageTooLarge { size: 2, limit: 1 }))
            }
            MessageTooLarge { .. } => (1009, "RFC 6455, section 10.4", None),
        }
    }

    #[test]
    fn each_error_has_its_close_code_and_its_section() {
        let mut next = Some(ProtocolError::ReservedBits);
        while let Some(error) = next {
            let (code, section, following) = row(error);
            assert_eq!((error.close_code().get(), error.section()), (code, section), "{error}");
            next = following;
        }
    }
}
