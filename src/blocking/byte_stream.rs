use std::io::{self, BufRead, Read, Write};

use crate::blocking::buffered;
use crate::blocking::error::Error;
use crate::blocking::received::Received;
use crate::blocking::websocket::WebSocket;
use crate::close_code::CloseCode;
use crate::connection::CloseStatus;

/// How many bytes go into one message.
pub(super) const MESSAGE: usize = 64 * 1024;

/// A connection as [`Read`] and [`Write`], over binary messages: for another protocol that is tunnelled
/// through a WebSocket.
///
/// Message boundaries mean nothing. What is written is gathered, and goes out as a message when it is
/// [flushed](Write::flush), when 64 KiB have been gathered, and before a read waits: so a request and its
/// answer need no flush in between. If no read follows, flush or [`close`](Self::close): bytes left when
/// this is dropped are lost, and the peer gets an [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) instead.
///
/// ```
/// use std::io::{BufRead, Write};
/// use std::net::TcpListener;
/// use sansocket::blocking::{ByteStream, accept, connect};
///
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let url = format!("ws://{}/", listener.local_addr()?);
/// let server = std::thread::spawn(move || {
///     let mut stream = ByteStream::new(accept(listener.accept().unwrap().0).unwrap());
///     let mut line = String::new();
///     while stream.read_line(&mut line).unwrap() > 0 {
///         stream.write_all(line.to_uppercase().as_bytes()).unwrap();
///         line.clear();
///     }
/// });
///
/// let mut stream = ByteStream::new(connect(&url)?);
/// stream.write_all(b"one\ntwo\n")?;
/// let mut answer = String::new();
/// stream.read_line(&mut answer)?;
/// stream.read_line(&mut answer)?;
/// assert_eq!(answer, "ONE\nTWO\n");
/// stream.close()?;
/// server.join().unwrap();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Reading
///
/// A close with 1000, 1001 or no code is the end of the stream. A close with any other code is an error,
/// [`ByteStreamError::Closed`](super::ByteStreamError::Closed), because something went wrong before
/// everything was said, and so is the end of the transport without a Close frame. A text message is an error
/// too, and closes the connection with 1003.
///
/// With [`Delivery::Chunks`](crate::Delivery::Chunks) bytes can be read as they arrive, and no message has to
/// be held, however long it is; otherwise each is read once it is complete.
///
/// # Errors
///
/// [`TimedOut`](io::ErrorKind::TimedOut) loses nothing and takes nothing: call again. After any other error
/// the stream is over.
///
/// # Two directions at once
///
/// A thread that reads doesn't write. Where both ends may have much to send before they read, split the
/// connection and use a [`ByteReader`](super::ByteReader) and a [`ByteWriter`](super::ByteWriter).
#[derive(Debug)]
pub struct ByteStream<S> {
    socket: WebSocket<S>,
    received: Received,
    /// What will be the next message.
    gathered: Vec<u8>,
}

impl<S: Read + Write> ByteStream<S> {
    /// The bytes of the messages sent and received from now on.
    pub fn new(socket: WebSocket<S>) -> Self {
        Self { socket, received: Received::default(), gathered: Vec::new() }
    }

    /// Sends what was written, closes with 1000, and waits for the peer to do the same. Anything it still
    /// sends is discarded.
    ///
    /// # Errors
    ///
    /// As for [`WebSocket::close`], and [`BrokenPipe`](io::ErrorKind::BrokenPipe) if bytes were left to be
    /// sent when the peer closed.
    pub fn close(&mut self) -> io::Result<CloseStatus> {
        if let Err(error) = self.queue_gathered() {
            if !matches!(error, Error::WriteTimedOut) {
                // Nothing more is sent, but the peer's last words are still read.
                let _ = self.socket.close(CloseCode::NORMAL, "");
            }
            return Err(error.into());
        }
        Ok(self.socket.close(CloseCode::NORMAL, "")?)
    }

    /// The connection.
    pub const fn get_ref(&self) -> &WebSocket<S> {
        &self.socket
    }

    /// The connection, positioned after the message from which bytes were last read. The unread rest of that
    /// is lost, and so is what was written and not flushed.
    pub fn into_inner(self) -> WebSocket<S> {
        self.socket
    }

    /// Queues what is gathered as a message.
    fn queue_gathered(&mut self) -> Result<(), Error> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        let mut queued = self.socket.write(&self.gathered[..]);
        if let Err(Error::BufferFull(_)) = queued {
            // The caller is to call again, which would come to nothing without waiting.
            self.socket.flush()?;
            queued = self.socket.write(&self.gathered[..]);
        }
        self.release_gathered(queued)
    }

    /// Discards what is gathered if it was queued; reports a full queue as a lack of time.
    fn release_gathered(&mut self, outcome: Result<(), Error>) -> Result<(), Error> {
        match outcome {
            // It is queued, and what is left of it goes out with the next flush.
            Ok(()) | Err(Error::WriteTimedOut) => {
                // An idle stream keeps no memory.
                self.gathered = Vec::new();
                outcome
            }
            Err(Error::BufferFull(_)) => Err(Error::WriteTimedOut),
            // Nothing more is sent. The bytes stay, so that another flush fails again.
            Err(error) => Err(error),
        }
    }
}

impl<S: Read + Write> BufRead for ByteStream<S> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.received.is_empty() {
            // After any other error the peer's last words are still read. A flush reports it.
            if let Err(error @ Error::WriteTimedOut) = self.queue_gathered() {
                return Err(error.into());
            }
        }
        self.received.fill_from(&mut self.socket.driver)
    }

    fn consume(&mut self, count: usize) {
        self.received.consume(count);
    }
}

impl<S: Read + Write> Read for ByteStream<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        buffered::read(self, buffer)
    }
}

impl<S: Read + Write> Write for ByteStream<S> {
    /// Takes as many bytes as the next message has room for.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.gathered.len() >= MESSAGE {
            self.queue_gathered()?;
        }
        let room = MESSAGE.saturating_sub(self.gathered.len());
        let (taken, _) = bytes.split_at(bytes.len().min(room));
        self.gathered.extend_from_slice(taken);
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.gathered.is_empty() {
            return Ok(self.socket.flush()?);
        }
        let sent = self.socket.send(&self.gathered[..]);
        Ok(self.release_gathered(sent)?)
    }
}
