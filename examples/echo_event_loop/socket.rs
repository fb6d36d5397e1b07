use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::Shutdown;
use std::time::{Duration, Instant};

use mio::event::Event as Readiness;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use sansocket::bytes::Buf;

/// Where readiness comes from epoll or kqueue, a short read has emptied the socket. Elsewhere only a
/// read that would block has, and there is no further event until then.
const SHORT_READ_EMPTIES: bool = cfg!(unix);

/// How many chunks one write takes at most.
const CHUNKS: usize = 16;

/// A TCP connection that never waits, and what the poll is to watch on it.
pub(crate) struct Socket {
    stream: TcpStream,
    /// Includes room to write only while something is left to write.
    watched: Interest,
    end: End,
    /// By when some of what is left has to be taken, while there is no room for it.
    stalled_by: Option<Instant>,
}

/// The end of the peer's direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Unknown,
    /// The poll has seen it, so there is an end to read, even after a short read.
    Ahead,
    Reached,
}

/// What a read has found.
pub(crate) enum Arrived {
    /// This many bytes, and perhaps there are more.
    Some(usize),
    /// This many bytes, and no more for now.
    All(usize),
    /// Nothing, for now or at the end.
    Nothing,
}

impl Socket {
    pub(crate) fn new(
        mut stream: TcpStream,
        token: Token,
        registry: &Registry,
    ) -> io::Result<Self> {
        // What belongs together is written together, so nothing should wait in the kernel for more.
        stream.set_nodelay(true)?;
        let watched = Interest::READABLE;
        registry.register(&mut stream, token, watched)?;
        Ok(Self { stream, watched, end: End::Unknown, stalled_by: None })
    }

    /// Notes what the poll has seen.
    pub(crate) fn notice(&mut self, readiness: &Readiness) {
        if readiness.is_read_closed() && self.end == End::Unknown {
            self.end = End::Ahead;
        }
    }

    /// Returns whether everything that the peer will ever send has been read.
    pub(crate) fn is_at_end(&self) -> bool {
        self.end == End::Reached
    }

    /// Returns by when some of what is left to write has to be taken.
    pub(crate) const fn stalled_by(&self) -> Option<Instant> {
        self.stalled_by
    }

    /// Reads once.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<Arrived> {
        match self.stream.read(buffer) {
            Ok(0) => {
                self.end = End::Reached;
                Ok(Arrived::Nothing)
            }
            Ok(count) if count < buffer.len() && SHORT_READ_EMPTIES && self.end == End::Unknown => {
                Ok(Arrived::All(count))
            }
            Ok(count) => Ok(Arrived::Some(count)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Arrived::Nothing),
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(Arrived::Some(0)),
            Err(error) => Err(error),
        }
    }

    /// Writes until there is nothing left, or no room.
    pub(crate) fn write(
        &mut self,
        outgoing: &mut impl Buf,
        now: Instant,
        patience: Duration,
    ) -> io::Result<()> {
        while outgoing.has_remaining() {
            let first = outgoing.chunk();
            let written = if first.len() == outgoing.remaining() {
                // This is the usual case, and costs the kernel less.
                self.stream.write(first)
            } else {
                let mut chunks = [IoSlice::new(&[]); CHUNKS];
                let count = outgoing.chunks_vectored(&mut chunks);
                self.stream.write_vectored(chunks.get(..count).unwrap_or_default())
            };
            match written {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => {
                    outgoing.advance(written);
                    self.stalled_by = None;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.stalled_by.get_or_insert(now + patience);
                    break;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Ends our direction, after everything that was written.
    pub(crate) fn end(&self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)
    }

    /// Makes the poll watch for what there is to wait for.
    pub(crate) fn watch(&mut self, token: Token, registry: &Registry) -> io::Result<()> {
        let wanted = match self.stalled_by {
            Some(_) => Interest::READABLE | Interest::WRITABLE,
            None => Interest::READABLE,
        };
        if self.watched != wanted {
            registry.reregister(&mut self.stream, token, wanted)?;
            self.watched = wanted;
        }
        Ok(())
    }
}
