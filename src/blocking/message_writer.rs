use std::fmt;
use std::io::{self, Write};

use crate::blocking::error::Error;
use crate::blocking::sink::{Sink, Wait};
use crate::close_code::CloseCode;
use crate::connection::{CloseFrame, Fragment, UsageError};
use crate::frame::FrameHeader;
use crate::message::{Message, MessageKind, complete_text};

/// The size of a fragment: as many bytes as fit, with their header, into 64 KiB.
const FRAGMENT: usize = 64 * 1024 - FrameHeader::MAX_SIZE;

/// A message that is being sent, as [`Write`]; see [`WebSocket::message`](super::WebSocket::message).
///
/// It goes out in fragments (RFC 6455, section 5.4) of nearly 64 KiB, or of whatever is there when it is
/// [flushed](Write::flush), so that a message of any length takes constant memory. A text may be split
/// between any two bytes; what isn't UTF-8 is refused with [`InvalidData`](io::ErrorKind::InvalidData).
///
/// End it with [`finish`](Self::finish). If it is dropped before that, and something was written, the connection
/// is closed with 1011, because the peer couldn't otherwise tell the message from a whole one.
pub struct MessageWriter<'connection> {
    sink: Box<dyn FragmentSink + 'connection>,
    kind: MessageKind,
    /// What is gathered for the next fragment.
    gathered: Vec<u8>,
    progress: Progress,
}

#[derive(Debug, PartialEq, Eq)]
enum Progress {
    /// Another message was begun in fragments and isn't finished: this one can't begin.
    Refused,
    Unfinished,
    Finished,
}

/// Whether there was time to write what is queued.
#[must_use]
enum Written {
    InTime,
    Later,
}

/// Where fragments go.
pub(super) trait FragmentSink {
    /// Whether another message is still unfinished.
    fn is_within_message(&mut self) -> bool;
    /// Queues a fragment, as [`Sink::queue`] does.
    fn fragment(&mut self, piece: Message<'_>, fragment: Fragment, wait: Wait)
    -> Result<(), Error>;
    fn flush(&mut self) -> Result<(), Error>;
    fn close(&mut self, code: CloseCode);
}

impl<T: Sink> FragmentSink for T {
    fn is_within_message(&mut self) -> bool {
        self.outbound(|outbound| outbound.sending.is_within_message())
    }

    fn fragment(
        &mut self,
        piece: Message<'_>,
        fragment: Fragment,
        wait: Wait,
    ) -> Result<(), Error> {
        self.queue(piece, wait, |sending, piece| sending.send_fragment(piece, fragment))
    }

    fn flush(&mut self) -> Result<(), Error> {
        Sink::flush(self)
    }

    fn close(&mut self, code: CloseCode) {
        self.outbound(|outbound| outbound.sending.close(Some(CloseFrame::from(code))));
    }
}

impl<'connection> MessageWriter<'connection> {
    pub(super) fn new(mut sink: Box<dyn FragmentSink + 'connection>, kind: MessageKind) -> Self {
        let progress =
            if sink.is_within_message() { Progress::Refused } else { Progress::Unfinished };
        Self { sink, kind, gathered: Vec::new(), progress }
    }

    /// Ends the message, and sends what is left of it.
    ///
    /// # Errors
    ///
    /// [`InvalidData`](io::ErrorKind::InvalidData) for a text that ends inside a character, and the errors of
    /// [`WebSocket::send`](super::WebSocket::send), converted from [`Error`].
    pub fn finish(mut self) -> io::Result<()> {
        self.check_begun()?;
        let piece = match self.kind {
            MessageKind::Text => {
                Message::from(std::str::from_utf8(&self.gathered).map_err(invalid)?)
            }
            MessageKind::Binary => Message::from(&self.gathered[..]),
        };
        let queued = self.sink.fragment(piece, Fragment::Last, Wait::Always);
        if let Ok(()) | Err(Error::WriteTimedOut) = queued {
            self.progress = Progress::Finished;
        }
        queued?;
        Ok(self.sink.flush()?)
    }

    fn check_begun(&self) -> Result<(), Error> {
        match self.progress {
            // §5.4: fragments of different messages never mix.
            Progress::Refused => Err(UsageError::MessageUnfinished.into()),
            Progress::Unfinished | Progress::Finished => Ok(()),
        }
    }

    /// Queues what is gathered, except for the bytes of an incomplete character.
    fn queue_gathered(&mut self, wait: Wait) -> io::Result<Written> {
        let piece = match self.kind {
            MessageKind::Text => Message::from(complete_text(&self.gathered).map_err(invalid)?),
            MessageKind::Binary => Message::from(&self.gathered[..]),
        };
        let sent = piece.len();
        if sent == 0 {
            return Ok(Written::InTime);
        }
        let written = match self.sink.fragment(piece, Fragment::More, wait) {
            Ok(()) => Written::InTime,
            Err(Error::WriteTimedOut) => Written::Later,
            Err(error) => return Err(error.into()),
        };
        self.gathered.drain(..sent);
        Ok(written)
    }
}

impl Write for MessageWriter<'_> {
    /// Takes as many bytes as the next fragment has room for.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.check_begun()?;
        if self.gathered.len() >= FRAGMENT {
            // A write only promises that the bytes are queued.
            let _: Written = self.queue_gathered(Wait::Once)?;
        }
        let taken = bytes.len().min(FRAGMENT.saturating_sub(self.gathered.len()));
        self.gathered.extend(bytes.iter().take(taken));
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.check_begun()?;
        match self.queue_gathered(Wait::Always)? {
            Written::InTime => Ok(self.sink.flush()?),
            // That has already been waited for.
            Written::Later => Err(Error::WriteTimedOut.into()),
        }
    }
}

impl Drop for MessageWriter<'_> {
    fn drop(&mut self) {
        let has_begun = !self.gathered.is_empty() || self.sink.is_within_message();
        if self.progress == Progress::Unfinished && has_begun {
            self.sink.close(CloseCode::INTERNAL_ERROR);
            let _ = self.sink.flush();
        }
    }
}

impl fmt::Debug for MessageWriter<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("MessageWriter").field("kind", &self.kind).finish_non_exhaustive()
    }
}

fn invalid(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
