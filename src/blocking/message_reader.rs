use std::fmt;
use std::io::{self, BufRead, Read};

use bytes::{Buf, Bytes};

use crate::blocking::buffered;
use crate::blocking::error::Error;
use crate::blocking::incoming::Incoming;
use crate::message::{Chunk, MessageKind};

/// A message that is being received, as [`Read`]; see
/// [`WebSocket::next_message`](super::WebSocket::next_message).
///
/// It ends where the message ends. With [`Delivery::Chunks`](crate::Delivery::Chunks) it holds no more than
/// what one read has brought, however long the message is. Whatever isn't read is skipped by the next
/// `MessageReader`.
///
/// A read fails with [`TimedOut`](io::ErrorKind::TimedOut) when nothing arrived in time, and can be repeated.
/// If the connection ends inside the message, that is an error, never a shorter message.
pub struct MessageReader<'connection> {
    incoming: &'connection mut dyn Incoming,
    kind: MessageKind,
    /// What is left of the piece that was received last.
    piece: Bytes,
    is_last: bool,
}

impl<'connection> MessageReader<'connection> {
    /// Waits for the next message.
    pub(super) fn begin(incoming: &'connection mut dyn Incoming) -> Result<Option<Self>, Error> {
        let (piece, last) = loop {
            match incoming.read_chunk()? {
                Some(Chunk { piece, first: true, last }) => break (piece, last),
                // The rest of a message that nobody wanted.
                Some(_) => {}
                None => return Ok(None),
            }
        };
        let kind = piece.kind();
        Ok(Some(Self { incoming, kind, piece: piece.into_bytes(), is_last: last }))
    }

    /// Whether it is binary or text, which is valid UTF-8 as far as it was read.
    pub const fn kind(&self) -> MessageKind {
        self.kind
    }
}

impl BufRead for MessageReader<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.piece.is_empty() && !self.is_last {
            let Some(Chunk { piece, last, .. }) = self.incoming.read_chunk()? else {
                // A clean end inside a message: the peer gave it up.
                return Err(io::ErrorKind::UnexpectedEof.into());
            };
            self.piece = piece.into_bytes();
            self.is_last = last;
        }
        Ok(&self.piece)
    }

    fn consume(&mut self, count: usize) {
        self.piece.advance(count.min(self.piece.len()));
    }
}

impl Read for MessageReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        buffered::read(self, buffer)
    }
}

impl fmt::Debug for MessageReader<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("MessageReader").field("kind", &self.kind).finish_non_exhaustive()
    }
}
