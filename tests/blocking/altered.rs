//! A socket some of whose calls do something else.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::time::Duration;

use sansocket::blocking::{CloneSocket, Socket};

/// A socket whose calls go through an alteration, which all its handles share.
pub(crate) struct Altered<S, A> {
    socket: S,
    alteration: Arc<A>,
}

/// What becomes of the calls; by default they are passed on.
pub(crate) trait Alteration<S: Socket>: Send + Sync {
    fn read(&self, socket: &mut S, room: &mut [u8]) -> io::Result<usize> {
        socket.read(room)
    }

    fn write(&self, socket: &mut S, bytes: &[u8]) -> io::Result<usize> {
        socket.write(bytes)
    }

    fn flush(&self, socket: &mut S) -> io::Result<()> {
        socket.flush()
    }

    fn set_write_timeout(&self, socket: &S, timeout: Option<Duration>) -> io::Result<()> {
        socket.set_write_timeout(timeout)
    }

    fn shutdown(&self, socket: &S, how: Shutdown) -> io::Result<()> {
        socket.shutdown(how)
    }
}

impl<S, A> Altered<S, A> {
    pub(crate) const fn new(socket: S, alteration: Arc<A>) -> Self {
        Self { socket, alteration }
    }
}

impl<S: Socket, A: Alteration<S>> Read for Altered<S, A> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.alteration.read(&mut self.socket, room)
    }
}

impl<S: Socket, A: Alteration<S>> Write for Altered<S, A> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.alteration.write(&mut self.socket, bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.alteration.flush(&mut self.socket)
    }
}

impl<S: Socket, A: Alteration<S>> Socket for Altered<S, A> {
    fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.socket.set_read_timeout(timeout)
    }

    fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.alteration.set_write_timeout(&self.socket, timeout)
    }

    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.alteration.shutdown(&self.socket, how)
    }
}

impl<S: CloneSocket, A: Alteration<S>> CloneSocket for Altered<S, A> {
    fn try_clone(&self) -> io::Result<Self> {
        Ok(Self::new(self.socket.try_clone()?, Arc::clone(&self.alteration)))
    }
}
