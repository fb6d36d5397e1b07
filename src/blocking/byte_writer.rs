use std::io::{self, Read, Write};

use crate::blocking::byte_stream::MESSAGE;
use crate::blocking::error::Error;
use crate::blocking::writer::Writer;
use crate::close_code::CloseCode;

/// The sending end of a connection as [`Write`]: bytes in binary messages, for a tunnel.
///
/// Each write is sent at once, as a message of up to 64 KiB, because nothing else would flush it: the thread
/// that reads is another one. So [`io::copy`] passes on data as it arrives. Put a
/// [`BufWriter`](io::BufWriter) around it where many small writes belong together.
///
/// A write that fails with [`TimedOut`](io::ErrorKind::TimedOut) took nothing: call again. See
/// [`ByteReader`](super::ByteReader) for an example.
#[derive(Debug)]
pub struct ByteWriter<S> {
    writer: Writer<S>,
}

impl<S: Read + Write> ByteWriter<S> {
    /// Sends bytes through this writer. Messages from its clones go in between.
    pub const fn new(writer: Writer<S>) -> Self {
        Self { writer }
    }

    /// Closes with 1000: the peer reads the end of the stream after what was written. A WebSocket can't stay
    /// half open, so read what the peer has to say first.
    ///
    /// # Errors
    ///
    /// As for [`Writer::close`].
    pub fn close(&self) -> io::Result<()> {
        Ok(self.writer.close(CloseCode::NORMAL, "")?)
    }

    /// The writer of messages.
    pub const fn get_ref(&self) -> &Writer<S> {
        &self.writer
    }

    /// The writer of messages.
    pub fn into_inner(self) -> Writer<S> {
        self.writer
    }
}

impl<S: Read + Write> Write for ByteWriter<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (piece, _) = bytes.split_at(bytes.len().min(MESSAGE));
        if piece.is_empty() {
            return Ok(0);
        }
        // What wasn't written in time was taken nevertheless, so that goes first.
        if self.writer.is_stalled() {
            self.writer.flush()?;
        }
        match self.writer.send(piece) {
            // What is queued counts as taken: the next write or flush waits for it.
            Ok(()) | Err(Error::WriteTimedOut) => Ok(piece.len()),
            Err(Error::BufferFull(_)) => Err(Error::WriteTimedOut.into()),
            Err(error) => Err(error.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(self.writer.flush()?)
    }
}
