use core::fmt;

/// A status code that may appear in a Close frame (RFC 6455, section 7.4).
///
/// Only codes that are allowed on the wire can be made: 1000–1003, 1007–1014 and 3000–4999. The
/// registry grows, so this is a number with names rather than a closed list: a code that this crate
/// has no name for is preserved. The values that only describe a local outcome (1005 "no status
/// received", 1006 "abnormal closure", 1015 "TLS failure") can't be expressed, which is what keeps
/// them off the wire.
///
/// ```
/// use sansocket::CloseCode;
///
/// assert_eq!(CloseCode::NORMAL.get(), 1000);
/// assert!(CloseCode::new(4242).is_some());
/// assert!(CloseCode::new(1006).is_none());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CloseCode(u16);

impl CloseCode {
    /// 1000: the purpose of the connection has been fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// 1001: a server is shutting down, or a browser is leaving the page.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: the peer broke the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// 1003: a kind of data that this endpoint can't accept.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// 1007: data that doesn't match its type, such as text that isn't UTF-8.
    pub const INVALID_PAYLOAD: Self = Self(1007);
    /// 1008: a message that violates the endpoint's policy.
    pub const POLICY_VIOLATION: Self = Self(1008);
    /// 1009: a message too big to process.
    pub const MESSAGE_TOO_BIG: Self = Self(1009);
    /// 1010: the server didn't negotiate an extension that the client needs.
    pub const MANDATORY_EXTENSION: Self = Self(1010);
    /// 1011: an unexpected condition inside the endpoint.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// 1012: the service is restarting.
    pub const SERVICE_RESTART: Self = Self(1012);
    /// 1013: try again later.
    pub const TRY_AGAIN_LATER: Self = Self(1013);
    /// 1014: a gateway got an invalid response from its upstream server.
    pub const BAD_GATEWAY: Self = Self(1014);

    /// Returns the code with this number, or `None` if section 7.4 keeps it off the wire.
    pub const fn new(code: u16) -> Option<Self> {
        match code {
            1000..=1003 | 1007..=1014 | 3000..=4999 => Some(Self(code)),
            _ => None,
        }
    }

    /// Returns the number.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl From<CloseCode> for u16 {
    fn from(code: CloseCode) -> Self {
        code.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_codes_of_section_7_4_can_be_made() {
        let valid = |code| matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
        let step = if cfg!(miri) { 101 } else { 1 };
        for code in (0..=u16::MAX).step_by(step) {
            assert_eq!(CloseCode::new(code).is_some(), valid(code), "{code}");
            if let Some(made) = CloseCode::new(code) {
                assert_eq!(made.get(), code);
            }
        }
    }
}
