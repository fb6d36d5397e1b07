//! Finding the end of an HTTP head in bytes that arrive cut anywhere (RFC 9112, section 2).
//!
//! ```text
//!            any            CR           LF             CR             LF
//!  Start ──────────▶ Line ─────▶ LineEnd ────▶ LineStart ────▶ BlankLine ────▶ end
//!                     ▲                            │
//!                     └────────────────────────────┘ any but CR, space and tab
//! ```
//!
//! Bytes are examined here once, when they arrive, so the work is linear however they are cut, and
//! anything that no head may contain is refused before the head is complete. The position after each byte
//! depends only on the bytes up to it, never on how they were cut.
//!
//! Most heads are complete in the first bytes. A caller that can tell that of a head, and that nothing is
//! wrong with it, [takes it](HeadReader::take) without reading it here.

use core::{fmt, mem};
use std::borrow::Cow;

/// Limits for the head of a request or response.
///
/// ```
/// use sansocket::handshake::HeadLimits;
///
/// let limits = HeadLimits::default().max_size(4096).max_headers(32);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadLimits {
    pub(super) max_size: usize,
    pub(super) max_headers: usize,
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self { max_size: 16 * 1024, max_headers: 100 }
    }
}

impl HeadLimits {
    /// Sets the most bytes that a head may have, including its blank line; 16 KiB by default.
    ///
    /// A client also counts the heads of interim responses (100 to 199, except 101).
    #[must_use]
    pub const fn max_size(mut self, bytes: usize) -> Self {
        self.max_size = bytes;
        self
    }

    /// Sets the most header lines that a head may have; 100 by default, and never more than 16,384, as
    /// a `HeaderMap` can't hold many more.
    #[must_use]
    pub const fn max_headers(mut self, lines: usize) -> Self {
        self.max_headers = if lines < MOST_HEADERS { lines } else { MOST_HEADERS };
        self
    }
}

/// How the peer's head breaks the syntax of HTTP/1.1, or one of the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeadError {
    /// It is longer than [`HeadLimits::max_size`].
    #[error("the head is longer than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// It has more header lines than [`HeadLimits::max_headers`].
    #[error("the head has more than {limit} header lines")]
    TooManyHeaders {
        /// The limit in lines.
        limit: usize,
    },
    /// A line ends with a bare line feed.
    #[error("a line of the head ends without a carriage return")]
    BareLineFeed,
    /// There is a carriage return that doesn't end a line.
    #[error("a carriage return in the head does not end a line")]
    BareCarriageReturn,
    /// It begins as TLS does: this end speaks `ws`, and the other `wss`.
    #[error("it is TLS and not HTTP")]
    Tls,
    /// There is a control character, such as NUL.
    #[error("the head contains a control character")]
    ControlCharacter,
    /// A header line begins with white space, as if it continued the one before.
    #[error("a header line begins with white space")]
    FoldedHeader,
    /// The first line is not a request or status line.
    #[error("the first line of the head is malformed")]
    StartLine,
    /// The first line names a version other than HTTP/1.0 or HTTP/1.1.
    #[error("the head is not HTTP/1.1")]
    Version,
    /// The name of a header isn't a token that is directly followed by a colon.
    #[error("a header line does not begin with a name and a colon")]
    HeaderName,
    /// The value of a header contains a character that it must not contain.
    #[error("the value of a header is malformed")]
    HeaderValue,
}

/// A head up to its blank line: lines that end with CR LF, none of them folded, without control
/// characters. A head that arrived whole is borrowed from the bytes that arrived.
#[derive(Debug)]
pub(super) struct Head<'input> {
    pub(super) bytes: Cow<'input, [u8]>,
    pub(super) headers: usize,
}

/// Takes a head off the front of the bytes that arrive, and nothing after it.
pub(super) struct HeadReader {
    limits: HeadLimits,
    /// How many more bytes may come.
    budget: usize,
    position: Position,
    headers: usize,
    /// What has arrived of a head that was not complete in the first bytes.
    arrived: Vec<u8>,
}

impl fmt::Debug for HeadReader {
    /// Omits what has arrived, which may contain secrets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("HeadReader")
            .field("limits", &self.limits)
            .field("position", &self.position)
            .field("headers", &self.headers)
            .field("arrived", &self.arrived.len())
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, Copy)]
enum Position {
    /// Nothing has arrived.
    Start,
    /// In a line, after its first byte.
    Line,
    /// After the carriage return that ends a line.
    LineEnd,
    /// Where a header or the blank line begins.
    LineStart,
    /// After the carriage return of the blank line.
    BlankLine,
}

impl HeadReader {
    pub(super) const fn new(limits: HeadLimits) -> Self {
        Self {
            limits,
            budget: limits.max_size,
            position: Position::Start,
            headers: 0,
            arrived: Vec::new(),
        }
    }

    /// Takes what belongs to the head, and returns the head once it is complete.
    ///
    /// What follows the blank line stays in `input`. The next head, if one is read, shares the budget
    /// of this one. Don't call this again after an error.
    pub(super) fn read<'input>(
        &mut self,
        input: &mut &'input mut [u8],
    ) -> Result<Option<Head<'input>>, HeadError> {
        let end = match self.scan(input) {
            Ok(end) => end,
            Err(error) => {
                self.arrived = Vec::new();
                return Err(error);
            }
        };
        let taken = self.take(input, end.unwrap_or(input.len()));
        if end.is_none() {
            self.arrived.extend_from_slice(taken);
            return Ok(None);
        }
        let bytes = if self.arrived.is_empty() {
            Cow::Borrowed(&*taken)
        } else {
            self.arrived.extend_from_slice(taken);
            Cow::Owned(mem::take(&mut self.arrived))
        };
        self.position = Position::Start;
        Ok(Some(Head { bytes, headers: mem::take(&mut self.headers) }))
    }

    /// Returns the bytes that may begin with a complete head, if none of it has arrived before.
    pub(super) fn first_bytes<'input>(&self, input: &'input [u8]) -> Option<&'input [u8]> {
        matches!(self.position, Position::Start).then(|| self.within_budget(input))
    }

    /// Fails at the first byte that differs from what every response begins with.
    pub(super) fn check_response(&self, input: &[u8]) -> Result<(), HeadError> {
        let expected = b"HTTP/".get(self.arrived.len()..).unwrap_or_default();
        let mut both = expected.iter().zip(self.within_budget(input));
        match both.find(|(expected, byte)| expected != byte) {
            None => Ok(()),
            Some((b'H', &(TLS_ALERT | TLS_HANDSHAKE))) => Err(HeadError::Tls),
            Some((_, b'\n')) => Err(HeadError::BareLineFeed),
            Some(_) => Err(HeadError::StartLine),
        }
    }

    /// Returns whether what has arrived ends within the first line of a head.
    pub(super) const fn is_within_first_line(&self) -> bool {
        matches!(self.position, Position::Line) && self.headers == 0
    }

    /// Returns whether a head may have this many header lines.
    pub(super) const fn admits(&self, headers: usize) -> bool {
        headers <= self.limits.max_headers
    }

    /// Returns whether [`read`](Self::read) would accept this complete head.
    pub(super) fn passes(&self, head: &[u8]) -> bool {
        Self::new(self.limits).scan(head) == Ok(Some(head.len()))
    }

    /// Takes this many bytes off the front of the input: what [`read`](Self::read) has found to belong to
    /// a head, or a complete head that it would have accepted.
    pub(super) fn take<'input>(
        &mut self,
        input: &mut &'input mut [u8],
        count: usize,
    ) -> &'input mut [u8] {
        let (taken, rest) = mem::take(input).split_at_mut_checked(count).unwrap_or_default();
        *input = rest;
        self.budget = self.budget.saturating_sub(taken.len());
        taken
    }

    fn within_budget<'input>(&self, input: &'input [u8]) -> &'input [u8] {
        input.get(..self.budget).unwrap_or(input)
    }

    /// Moves over the bytes, and returns where the head ends if it ends among them.
    fn scan(&mut self, input: &[u8]) -> Result<Option<usize>, HeadError> {
        let within_budget = self.within_budget(input);
        let mut rest = within_budget;
        let mut position = self.position;
        loop {
            if matches!(position, Position::Line) {
                rest = self.skip_lines(rest)?;
            }
            let Some((byte, behind)) = rest.split_first() else { break };
            rest = behind;
            match self.step(position, *byte)? {
                Some(next) => position = next,
                None => return Ok(Some(within_budget.len() - rest.len())),
            }
        }
        self.position = position;
        // Fails as soon as the limit is passed, as the blank line may never come.
        if within_budget.len() < input.len() {
            return Err(HeadError::TooLarge { limit: self.limits.max_size });
        }
        Ok(None)
    }

    /// Moves from within a line over what makes up most of a head: the bytes that don't affect its
    /// structure, and the ends of lines that a header follows. The rest is for single steps.
    fn skip_lines<'input>(&mut self, mut rest: &'input [u8]) -> Result<&'input [u8], HeadError> {
        loop {
            rest = rest.get(ordinary(rest)..).unwrap_or_default();
            match rest {
                [b'\r', b'\n', first, behind @ ..] if first.is_ascii_alphanumeric() => {
                    self.begin_header()?;
                    rest = behind;
                }
                _ => return Ok(rest),
            }
        }
    }

    fn begin_header(&mut self) -> Result<(), HeadError> {
        let limit = self.limits.max_headers;
        if self.headers == limit {
            return Err(HeadError::TooManyHeaders { limit });
        }
        self.headers += 1;
        Ok(())
    }

    /// Returns the position after this byte, or `None` at the end of the head.
    fn step(&mut self, position: Position, byte: u8) -> Result<Option<Position>, HeadError> {
        match (position, byte) {
            // RFC 9112, §2.2: a bare CR must never be taken for the end of a line.
            (Position::LineEnd, b'\n') => Ok(Some(Position::LineStart)),
            (Position::BlankLine, b'\n') => Ok(None),
            (Position::LineEnd | Position::BlankLine, _) => Err(HeadError::BareCarriageReturn),
            // Deviation: RFC 9112, §2.2, wants a server to skip an empty line before the request.
            // That is for connections that carried a request before, and this is the first request.
            (Position::Start, b'\r' | b' ' | b'\t') => Err(HeadError::StartLine),
            (Position::Start, TLS_ALERT | TLS_HANDSHAKE) => Err(HeadError::Tls),
            (Position::LineStart, b'\r') => Ok(Some(Position::BlankLine)),
            // Deviation: RFC 9112, §5.2, wants a client to join a folded line. No server that speaks WebSocket folds,
            // and parsers differ on it, so it is refused, and so is white space before the first header.
            (Position::LineStart, b' ' | b'\t') => Err(HeadError::FoldedHeader),
            (Position::Line, b'\r') => Ok(Some(Position::LineEnd)),
            // Deviation: RFC 9112, §2.2, allows taking a bare LF for the end of a line. Implementations that
            // do and those that don't see two different heads, so it is refused.
            (_, b'\n') => Err(HeadError::BareLineFeed),
            (_, byte) if is_control(byte) => Err(HeadError::ControlCharacter),
            (Position::LineStart, _) => {
                self.begin_header()?;
                Ok(Some(Position::Line))
            }
            (Position::Start | Position::Line, _) => Ok(Some(Position::Line)),
        }
    }
}

/// RFC 8446, §5.1: how a record begins. An alert is what a server answers a request with.
const TLS_ALERT: u8 = 21;
const TLS_HANDSHAKE: u8 = 22;

/// A `HeaderMap` can hold 24,576 fields before it would have to grow beyond its limit.
const MOST_HEADERS: usize = 16_384;

/// Returns how many bytes come before the first one that can't be part of a line.
fn ordinary(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    let found = loop {
        let Some((word, behind)) = rest.split_first_chunk() else {
            let end = rest.iter().position(|byte| is_control(*byte));
            break end.unwrap_or(rest.len());
        };
        match first_suspect(u64::from_le_bytes(*word)) {
            None => rest = behind,
            Some(place) => match rest.get(place..) {
                Some([byte, others @ ..]) if !is_control(*byte) => rest = others,
                _ => break place,
            },
        }
    };
    bytes.len() - rest.len() + found
}

/// Returns the place of the first byte of a word that may be a control character. None is missed.
const fn first_suspect(word: u64) -> Option<usize> {
    const ONES: u64 = u64::MAX / 0xff;
    // For ASCII bytes, the subtraction sets the highest bit of those below the space, and the addition
    // that of 0x7f. A carry from the byte below can set the bit in others, but not clear it.
    let below_space = word.wrapping_sub(ONES * 0x20);
    let delete = word.wrapping_add(ONES);
    match (below_space | delete) & !word & (ONES * 0x80) {
        0 => None,
        found => Some(found.trailing_zeros() as usize / 8),
    }
}

/// Returns whether a byte can't be part of a line: it would end it, or has no place in a head at all.
const fn is_control(byte: u8) -> bool {
    byte.is_ascii_control() && byte != b'\t'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_control_character_is_found_wherever_it_stands_and_whatever_is_around_it() {
        // Only a few of them under Miri.
        let (places, bytes) = if cfg!(miri) { (9, 31) } else { (1, 1) };
        for around in [b' ', b'~', b'\t', 0x80, 0xff, 0x1f | 0x80] {
            for place in (0..20).step_by(places) {
                for byte in (0..=u8::MAX).step_by(bytes) {
                    let mut bytes = [around; 20];
                    bytes[place] = byte;
                    // The bytes after it change nothing, nor do those that borrow from it.
                    let first = bytes.iter().position(|byte| is_control(*byte)).unwrap_or(20);
                    assert_eq!(ordinary(&bytes), first, "{byte:#x} at {place} in {around:#x}");
                    bytes[place + 1..].fill(0);
                    let first = bytes.iter().position(|byte| is_control(*byte)).unwrap_or(20);
                    assert_eq!(ordinary(&bytes), first, "{byte:#x} at {place} before zeros");
                }
            }
        }
    }
}
