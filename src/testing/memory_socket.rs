use std::fmt;
use std::io::{self, IoSlice, Read, Write};
use std::net::Shutdown;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::blocking::{CloneSocket, Socket};
use crate::testing::pipe::Pipe;

/// How many bytes can wait in each direction by default.
const CAPACITY: usize = 64 * 1024;

/// One end of a connection in memory, which behaves like a TCP socket.
///
/// - A read waits for bytes and takes those that are there. A write waits for room and takes what
///   fits: it may be short, and the next one continues.
/// - A call that exceeds its timeout fails with [`WouldBlock`](io::ErrorKind::WouldBlock), as on
///   Unix, and has no effect.
/// - Clones are handles to the same socket. When the last one is dropped, the peer can read to the end
///   of what was sent, and its writes fail with [`BrokenPipe`](io::ErrorKind::BrokenPipe). If bytes
///   from the peer were left unread, the peer gets a
///   [`ConnectionReset`](io::ErrorKind::ConnectionReset) instead of the end.
/// - [`shutdown`](Socket::shutdown) ends a direction even while a call waits on it. The peer of a
///   socket that has stopped writing reads to the end, and can go on writing. It isn't told that a
///   socket has stopped reading, unless that has stopped writing too: then the peer's writes fail.
///
/// ```
/// use std::io::{Read, Write};
/// use sansocket::testing::MemorySocket;
///
/// let (mut near, mut far) = MemorySocket::pair();
/// near.write_all(b"Hello")?;
/// drop(near);
///
/// let mut heard = String::new();
/// far.read_to_string(&mut heard)?;
/// assert_eq!(heard, "Hello");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct MemorySocket(Arc<End>);

struct End {
    incoming: Arc<Pipe>,
    outgoing: Arc<Pipe>,
    timeouts: Mutex<Timeouts>,
}

#[derive(Clone, Copy, Default)]
struct Timeouts {
    read: Option<Duration>,
    write: Option<Duration>,
}

impl MemorySocket {
    /// Creates two connected sockets; 64 KiB fit into each direction.
    pub fn pair() -> (Self, Self) {
        Self::pair_with_capacity(CAPACITY)
    }

    /// Creates two connected sockets; this many bytes, but at least one, fit into each direction.
    ///
    /// No call transfers more than that. With a capacity of 1, everything that can arrive in pieces
    /// does.
    pub fn pair_with_capacity(bytes: usize) -> (Self, Self) {
        let (forth, back) = (Arc::new(Pipe::new(bytes)), Arc::new(Pipe::new(bytes)));
        (Self::new(back.clone(), forth.clone()), Self::new(forth, back))
    }

    /// Breaks the connection, as a reset by the network does.
    ///
    /// At either end, after what had already arrived, the next read fails with
    /// [`ConnectionReset`](io::ErrorKind::ConnectionReset) and later ones find the end; writes fail with
    /// [`BrokenPipe`](io::ErrorKind::BrokenPipe).
    ///
    /// ```
    /// use sansocket::blocking::Error;
    ///
    /// let (mut client, server) = sansocket::testing::pair();
    /// server.stream().reset();
    /// assert!(matches!(client.read(), Err(Error::Io(_))));
    /// ```
    pub fn reset(&self) {
        self.0.incoming.reset();
        self.0.outgoing.reset();
    }

    fn new(incoming: Arc<Pipe>, outgoing: Arc<Pipe>) -> Self {
        Self(Arc::new(End { incoming, outgoing, timeouts: Mutex::default() }))
    }

    fn timeouts(&self) -> Timeouts {
        *self.0.timeouts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bound(
        &self,
        timeout: Option<Duration>,
        set: impl FnOnce(&mut Timeouts, Option<Duration>),
    ) -> io::Result<()> {
        if timeout.is_some_and(|timeout| timeout.is_zero()) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a timeout can't be zero"));
        }
        set(&mut self.0.timeouts.lock().unwrap_or_else(PoisonError::into_inner), timeout);
        Ok(())
    }
}

impl Read for MemorySocket {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.0.incoming.read(room, self.timeouts().read)
    }
}

impl Write for MemorySocket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.outgoing.write(slices, self.timeouts().write)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Socket for MemorySocket {
    fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.bound(timeout, |timeouts, timeout| timeouts.read = timeout)
    }

    fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.bound(timeout, |timeouts, timeout| timeouts.write = timeout)
    }

    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        let End { incoming, outgoing, .. } = &*self.0;
        if matches!(how, Shutdown::Read | Shutdown::Both) {
            incoming.shut();
        }
        if matches!(how, Shutdown::Write | Shutdown::Both) {
            outgoing.finish();
        }
        // TCP answers anything that arrives from then on with a reset.
        if incoming.is_shut() && outgoing.is_finished() {
            incoming.abandon();
        }
        Ok(())
    }
}

impl CloneSocket for MemorySocket {
    fn try_clone(&self) -> io::Result<Self> {
        Ok(self.clone())
    }
}

impl Drop for End {
    fn drop(&mut self) {
        // RFC 1122, §4.2.2.13: a reset shows that data was lost.
        if self.incoming.abandon() {
            self.outgoing.reset();
        } else {
            self.outgoing.finish();
        }
    }
}

impl fmt::Debug for MemorySocket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("MemorySocket").finish_non_exhaustive()
    }
}
