//! The chunked transfer coding, as far as reading the body of a rejection requires (RFC 9112,
//! section 7.1).
//!
//! ```text
//!  Size ──▶ Data ──▶ DataEnd ──▶ Size … Size of 0 ──▶ Done
//! ```
//!
//! The trailer after the last chunk is not read, as the connection is of no further use.

/// Finds the content among the chunks.
#[derive(Debug, Default)]
pub(super) struct ChunkedDecoder(State);

#[derive(Debug)]
enum State {
    /// In the line that begins a chunk: its size so far, and whether more digits may follow.
    Size(u64, Digits),
    /// In the content of a chunk, with this many bytes still to come.
    Data(u64),
    /// In the line break after the content.
    DataEnd,
    /// After the last chunk, or where the coding was broken.
    Done,
}

#[derive(Debug, Clone, Copy)]
enum Digits {
    Expected,
    Past,
}

impl Default for State {
    fn default() -> Self {
        Self::Size(0, Digits::Expected)
    }
}

impl ChunkedDecoder {
    /// Returns how many bytes were decoded at the front of the input, and the content among them.
    pub(super) fn decode<'a>(&mut self, input: &'a [u8]) -> (usize, Option<&'a [u8]>) {
        if let State::Data(left) = &mut self.0 {
            let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
            *left -= taken as u64;
            if *left == 0 {
                self.0 = State::DataEnd;
            }
            return (taken, input.get(..taken));
        }
        if let Some(byte) = input.first() {
            self.step(*byte);
        }
        (1, None)
    }

    /// Returns whether all of the content has been read.
    pub(super) const fn is_complete(&self) -> bool {
        matches!(self.0, State::Done)
    }

    /// Moves over a byte that isn't content.
    fn step(&mut self, byte: u8) {
        self.0 = match (&self.0, byte) {
            (State::Size(0, _), b'\n') => State::Done,
            (State::Size(size, _), b'\n') => State::Data(*size),
            (State::Size(size, Digits::Expected), byte) => match char::from(byte).to_digit(16) {
                // A size too large for any memory ends the body here.
                Some(digit) => match size.checked_mul(16) {
                    Some(size) => State::Size(size | u64::from(digit), Digits::Expected),
                    None => State::Done,
                },
                // The rest of the line is an extension of the chunk, or its carriage return.
                None => State::Size(*size, Digits::Past),
            },
            (State::Size(size, Digits::Past), _) => State::Size(*size, Digits::Past),
            (State::DataEnd, b'\r') => State::DataEnd,
            (State::DataEnd, b'\n') => State::default(),
            (State::DataEnd | State::Data(_) | State::Done, _) => State::Done,
        };
    }
}
