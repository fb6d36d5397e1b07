use alloc::vec::Vec;

use crate::close_code::CloseCode;
use crate::connection::control::ControlPayload;
use crate::connection::error::UsageError;
use crate::error::ProtocolError;
use crate::frame::FrameHeader;
use crate::message::Text;

/// The body of a Close frame (RFC 6455, section 5.5.1): a status code and a reason.
///
/// ```
/// use sansocket::{CloseCode, CloseFrame};
///
/// let frame = CloseFrame::new(CloseCode::GOING_AWAY, "back in five minutes")?;
/// assert_eq!(frame.reason(), "back in five minutes");
/// assert_eq!(CloseFrame::from(CloseCode::NORMAL).reason(), "");
/// # Ok::<(), sansocket::UsageError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseFrame<'a> {
    code: CloseCode,
    reason: Text<'a>,
}

impl<'a> CloseFrame<'a> {
    /// The most bytes a reason may have.
    pub const MAX_REASON: usize = FrameHeader::MAX_CONTROL_PAYLOAD - 2;

    /// Creates a body with this code and reason.
    ///
    /// # Errors
    ///
    /// [`UsageError::CloseReasonTooLong`] for a reason of more than 123 bytes.
    pub fn new(code: CloseCode, reason: impl Into<Text<'a>>) -> Result<Self, UsageError> {
        let reason = reason.into();
        if reason.len() > Self::MAX_REASON {
            return Err(UsageError::CloseReasonTooLong(reason.len()));
        }
        Ok(Self { code, reason })
    }

    /// Returns the status code.
    pub const fn code(&self) -> CloseCode {
        self.code
    }

    /// Returns the reason, which is for a log, not for the end user (section 7.1.6).
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Converts the body into one that owns its reason.
    pub fn into_owned(self) -> CloseFrame<'static> {
        CloseFrame { code: self.code, reason: self.reason.into_owned() }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        [&self.code.get().to_be_bytes(), self.reason.as_bytes()].concat()
    }

    /// Checks the body of a received Close frame; `None` for an empty one.
    pub(crate) fn decode(
        body: ControlPayload<'a>,
    ) -> Result<Option<CloseFrame<'a>>, ProtocolError> {
        if body.is_empty() {
            return Ok(None);
        }
        // §5.5.1: a body begins with a code of two bytes.
        let Some((&code, _)) = body.split_first_chunk() else {
            return Err(ProtocolError::TruncatedCloseCode);
        };
        let code = u16::from_be_bytes(code);
        // §7.4: codes that describe a local outcome, or that nobody has defined, stay off the wire.
        let code = CloseCode::new(code).ok_or(ProtocolError::InvalidCloseCode(code))?;
        let mut reason = body.into_payload();
        reason.remove(size_of::<u16>());
        // §5.5.1: the reason is UTF-8.
        let reason = Text::from_utf8(reason).ok_or(ProtocolError::InvalidCloseReason)?;
        Ok(Some(Self { code, reason }))
    }
}

impl From<CloseCode> for CloseFrame<'_> {
    fn from(code: CloseCode) -> Self {
        Self { code, reason: Text::default() }
    }
}
