//! Received messages as one stream of bytes.

use std::io::{self, Read, Write};

use bytes::{Buf, Bytes};

use crate::blocking::driver::Driver;
use crate::blocking::incoming::Incoming;
use crate::blocking::outlet::Outlet;
use crate::close_code::CloseCode;
use crate::connection::{CloseSignal, CloseStatus};
use crate::message::{Chunk, Message};

/// Why a stream of bytes ended other than at its end; inside the [`io::Error`] of a
/// [`ByteStream`](super::ByteStream) or a [`ByteReader`](super::ByteReader).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ByteStreamError {
    /// The peer sent text, and was told with 1003 that it isn't understood.
    #[error("the peer sent a text message where bytes were expected")]
    Text,
    /// The peer closed for a reason other than having said everything: what was received may be only the
    /// beginning.
    #[error("the peer closed the connection with {0}")]
    Closed(CloseStatus),
}

impl From<ByteStreamError> for io::Error {
    fn from(error: ByteStreamError) -> Self {
        let kind = match error {
            ByteStreamError::Text => io::ErrorKind::InvalidData,
            ByteStreamError::Closed(_) => io::ErrorKind::ConnectionAborted,
        };
        Self::new(kind, error)
    }
}

/// What is left of the piece that was received last.
#[derive(Debug, Default)]
pub(super) struct Received(Bytes);

impl Received {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes that come next; none at the end of the stream.
    pub(super) fn fill_from<S: Read + Write, O: Outlet<S>>(
        &mut self,
        driver: &mut Driver<S, O>,
    ) -> io::Result<&[u8]> {
        while self.0.is_empty() {
            match driver.read_chunk()? {
                Some(Chunk { piece: Message::Binary(piece), .. }) => self.0 = piece.into_bytes(),
                Some(Chunk { piece: Message::Text(_), .. }) => {
                    // The error is that it was text, whether or not the peer responds to the close.
                    let _ = driver.close(CloseCode::UNSUPPORTED_DATA.into());
                    return Err(ByteStreamError::Text.into());
                }
                None => return end(driver.close_status()).map(|()| [].as_slice()),
            }
        }
        Ok(&self.0)
    }

    pub(super) fn consume(&mut self, count: usize) {
        self.0.advance(count.min(self.0.len()));
    }
}

/// Checks whether a clean end of the connection is the end of the stream: it isn't if something went wrong
/// that was worth a code of its own.
fn end(status: Option<CloseStatus>) -> io::Result<()> {
    match status {
        Some(status) if !is_end(status.remote) => Err(ByteStreamError::Closed(status).into()),
        _ => Ok(()),
    }
}

const fn is_end(signal: CloseSignal) -> bool {
    matches!(
        signal,
        CloseSignal::NoCode | CloseSignal::Code(CloseCode::NORMAL | CloseCode::GOING_AWAY)
    )
}
