//! A socket to a peer in memory, one of whose calls goes wrong.

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use sansocket::blocking::{CloneSocket, Socket};

use crate::tls_peer::TlsPeer;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Nothing,
    /// One call reads or writes a single byte.
    Short,
    /// One call fails with this error, and has no effect.
    Once(ErrorKind),
    /// From one call on, all of them fail with this error.
    FromThenOn(ErrorKind),
    /// From one call on, reads are at the end of the stream and writes find the pipe broken.
    End,
}

#[derive(Clone)]
pub(crate) struct FaultySocket(Arc<Mutex<State>>);

pub(crate) struct State {
    pub(crate) peer: TlsPeer,
    fault: Fault,
    /// Which call goes wrong, counted from 0.
    at: usize,
    /// How many bytes go into one call.
    most: usize,
    calls: usize,
    /// How long the next write may take.
    pub(crate) write_timeout: Option<Duration>,
    /// What was shut down.
    pub(crate) shutdowns: Vec<Shutdown>,
}

impl FaultySocket {
    /// A socket on which nothing goes wrong.
    pub(crate) fn to(peer: TlsPeer) -> Self {
        Self::with_fault(peer, usize::MAX, Fault::Nothing, 0)
    }

    pub(crate) fn with_fault(peer: TlsPeer, most: usize, fault: Fault, at: usize) -> Self {
        let (calls, write_timeout, shutdowns) = (0, None, Vec::new());
        let state = State { peer, fault, at, most, calls, write_timeout, shutdowns };
        Self(Arc::new(Mutex::new(state)))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Whether the fault was reached.
    pub(crate) fn is_hit(&self) -> bool {
        let state = self.state();
        state.fault != Fault::Nothing && state.calls > state.at
    }
}

impl State {
    /// How many bytes this call may transfer, unless it goes wrong altogether; `None` at the end.
    fn call(&mut self) -> io::Result<Option<usize>> {
        let number = self.calls;
        self.calls += 1;
        match self.fault {
            Fault::Short if number == self.at => Ok(Some(1)),
            Fault::Once(kind) if number == self.at => Err(kind.into()),
            Fault::FromThenOn(kind) if number >= self.at => Err(kind.into()),
            Fault::End if number >= self.at => Ok(None),
            _ => Ok(Some(self.most)),
        }
    }
}

impl Read for FaultySocket {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let mut state = self.state();
        let Some(most) = state.call()? else {
            return Ok(0);
        };
        let most = most.min(room.len());
        let count = state.peer.say(&mut room[..most]);
        assert!(count > 0 || state.peer.is_done, "this read would block for ever");
        Ok(count)
    }
}

impl Write for FaultySocket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.state();
        let Some(most) = state.call()? else {
            return Err(ErrorKind::BrokenPipe.into());
        };
        let count = most.min(bytes.len());
        state.peer.hear(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut state = self.state();
        state.call()?.map(drop).ok_or_else(|| ErrorKind::BrokenPipe.into())
    }
}

impl Socket for FaultySocket {
    fn set_read_timeout(&self, _: Option<Duration>) -> io::Result<()> {
        Ok(())
    }

    fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.state().write_timeout = timeout;
        Ok(())
    }

    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.state().shutdowns.push(how);
        Ok(())
    }
}

impl CloneSocket for FaultySocket {
    fn try_clone(&self) -> io::Result<Self> {
        Ok(self.clone())
    }
}
