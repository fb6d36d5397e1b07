use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::Shutdown;
use std::time::{Duration, Instant};

use bytes::Buf;
use mio::event::Event as Readiness;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

/// A short read has emptied the socket where readiness comes from epoll or kqueue. Elsewhere only a
/// read that would block has, and until then there is no further event.
const SHORT_READ_EMPTIES: bool = cfg!(unix);

/// How many chunks one write takes at most.
const CHUNKS: usize = 16;

/// A TCP connection that never waits, and what the poll is to watch of it.
pub(crate) struct Socket {
    stream: TcpStream,
    /// Room to write is watched only while something is left to be written.
    watched: Interest,
    end: End,
    /// By when something has to be taken of what is left, while there is no room for it.
    stalled_by: Option<Instant>,
}

/// The end of the peer's direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Unknown,
    /// The poll has seen it. So there is an end to be read, even behind a short read.
    Ahead,
    Reached,
}

/// What a read has found.
pub(crate) enum Arrived {
    /// So many bytes, and perhaps there are more.
    Some(usize),
    /// So many bytes, and for now no more.
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
        // What belongs together is written together: nothing is to wait in the kernel for more.
        stream.set_nodelay(true)?;
        let watched = Interest::READABLE;
        registry.register(&mut stream, token, watched)?;
        Ok(Self { stream, watched, end: End::Unknown, stalled_by: None })
    }

    /// Takes note of what the poll has seen.
    pub(crate) fn notice(&mut self, readiness: &Readiness) {
        if readiness.is_read_closed() && self.end == End::Unknown {
            self.end = End::Ahead;
        }
    }

    /// Whether everything was read that the peer will ever send.
    pub(crate) fn is_at_end(&self) -> bool {
        self.end == End::Reached
    }

    /// By when something has to be taken of what is left to be written.
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

    /// Writes until nothing is left, or no room.
    pub(crate) fn write(
        &mut self,
        outgoing: &mut impl Buf,
        now: Instant,
        patience: Duration,
    ) -> io::Result<()> {
        while outgoing.has_remaining() {
            let first = outgoing.chunk();
            let written = if first.len() == outgoing.remaining() {
                // As it is most of the time, and costs the kernel less.
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

    /// Ends our direction, behind all that was written.
    pub(crate) fn end(&self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)
    }

    /// Has the poll watch what there is to wait for.
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
