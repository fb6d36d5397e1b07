use core::fmt;

use crate::close_code::CloseCode;
use crate::connection::close_frame::CloseFrame;
use crate::message::Text;

/// How a connection ended, or is about to end (RFC 6455, sections 7.1.4 to 7.1.6).
///
/// ```
/// use sansocket::{CloseCode, ClosedBy, Config, Connection, Role};
///
/// let mut server = Connection::new(Role::Server, Config::default());
/// assert_eq!(server.close_status(), None);
/// let mut input = *b"\x88\x85\x00\x00\x00\x00\x03\xe9bye";
/// server.next_event(&mut &mut input[..])?;
///
/// let status = server.close_status().unwrap();
/// assert!(status.is_clean());
/// assert_eq!(status.closed_by, ClosedBy::Remote);
/// assert_eq!(status.remote.number(), CloseCode::GOING_AWAY.get());
/// assert_eq!(status.to_string(), r#"1001 "bye""#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CloseStatus {
    /// Who began to close the connection.
    pub closed_by: ClosedBy,
    /// What this end's Close frame says. It was queued; only the writer knows whether it has left.
    pub local: CloseSignal,
    /// What the peer's Close frame said: "the WebSocket connection close code" of section 7.1.5.
    pub remote: CloseSignal,
    /// The reason in the peer's Close frame, often empty.
    pub reason: Text<'static>,
}

impl CloseStatus {
    /// Returns whether both ends have said goodbye: the peer's Close frame was received, and this end's was
    /// [queued](Self::local).
    pub const fn is_clean(&self) -> bool {
        !matches!(self.local, CloseSignal::Missing) && !matches!(self.remote, CloseSignal::Missing)
    }
}

/// Who began to close the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClosedBy {
    /// This end, because the application asked for it or because the peer broke the protocol.
    Local,
    /// The peer, with a Close frame.
    Remote,
    /// The transport: it ended before either end said anything.
    Transport,
}

/// What the Close frame of one end said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CloseSignal {
    /// There was no Close frame.
    Missing,
    /// A Close frame without a status code.
    NoCode,
    /// A Close frame with this status code.
    Code(CloseCode),
}

impl CloseSignal {
    /// Returns the number under which section 7.1.5 reports it: 1006 if there was no Close frame, 1005
    /// if it had no code.
    ///
    /// ```
    /// use sansocket::{CloseCode, CloseSignal};
    ///
    /// assert_eq!(CloseSignal::Code(CloseCode::NORMAL).number(), 1000);
    /// assert_eq!(CloseSignal::NoCode.number(), 1005);
    /// assert_eq!(CloseSignal::Missing.number(), 1006);
    /// ```
    pub const fn number(self) -> u16 {
        match self {
            Self::Missing => 1006,
            Self::NoCode => 1005,
            Self::Code(code) => code.get(),
        }
    }

    pub(crate) fn of(frame: Option<&CloseFrame<'_>>) -> Self {
        frame.map_or(Self::NoCode, |frame| Self::Code(frame.code()))
    }
}

impl fmt::Display for CloseSignal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(formatter)
    }
}

impl fmt::Display for CloseStatus {
    /// Writes the code and the reason as sections 7.1.5 and 7.1.6 report them.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.remote.fmt(formatter)?;
        if self.reason.is_empty() { Ok(()) } else { write!(formatter, " {:?}", self.reason) }
    }
}
