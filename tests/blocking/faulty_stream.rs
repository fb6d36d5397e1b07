//! A stream to a peer in memory, one of whose calls goes wrong.

use std::io::{self, ErrorKind, IoSlice, Read, Write};

use crate::memory_peer::MemoryPeer;

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
    /// From one call on, the pipe is broken for writes, but reads go on.
    BrokenPipe,
    /// From one call on, reads are at the end of the stream and writes find the pipe broken.
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Read,
    Write,
    Flush,
}

/// Whether what is written leaves at once, or waits for a flush as with TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Buffering {
    None,
    UntilFlush,
}

pub(crate) struct FaultyStream {
    pub(crate) peer: MemoryPeer,
    fault: Fault,
    /// Which call goes wrong, counted from 0.
    at: usize,
    /// How many bytes go into one call once the connection is open.
    most: usize,
    buffering: Buffering,
    buffered: Vec<u8>,
    pub(crate) calls: Vec<Call>,
}

impl FaultyStream {
    /// A stream on which nothing goes wrong.
    pub(crate) fn to(peer: MemoryPeer) -> Self {
        Self::with_fault(peer, Fault::Nothing, 0)
    }

    pub(crate) fn with_fault(peer: MemoryPeer, fault: Fault, at: usize) -> Self {
        let buffering = Buffering::None;
        let most = usize::MAX;
        Self { peer, fault, at, most, buffering, buffered: Vec::new(), calls: Vec::new() }
    }

    pub(crate) fn at_most(mut self, bytes: usize) -> Self {
        self.most = bytes;
        self
    }

    pub(crate) fn buffering(mut self, buffering: Buffering) -> Self {
        self.buffering = buffering;
        self
    }

    /// The call that went wrong, if it came to that.
    pub(crate) fn hit(&self) -> Option<Call> {
        self.calls.get(self.at).copied().filter(|_| self.fault != Fault::Nothing)
    }

    /// Whether the peer has nothing more to say, or no longer hears anything it might answer.
    fn is_over(&self) -> bool {
        self.peer.is_done() || self.fault == Fault::BrokenPipe && self.hit().is_some()
    }

    pub(crate) fn count(&self, call: Call) -> usize {
        self.calls.iter().filter(|made| **made == call).count()
    }

    /// How many bytes this call may transfer, unless it goes wrong altogether.
    fn call(&mut self, call: Call) -> io::Result<usize> {
        let number = self.calls.len();
        self.calls.push(call);
        let most = if self.peer.is_open() { self.most } else { usize::MAX };
        match self.fault {
            Fault::Short if number == self.at => Ok(1),
            Fault::Once(kind) if number == self.at => Err(kind.into()),
            Fault::FromThenOn(kind) if number >= self.at => Err(kind.into()),
            Fault::BrokenPipe if number >= self.at && call != Call::Read => {
                Err(ErrorKind::BrokenPipe.into())
            }
            Fault::End if number >= self.at && call == Call::Read => Ok(0),
            Fault::End if number >= self.at => Err(ErrorKind::BrokenPipe.into()),
            _ => Ok(most),
        }
    }
}

impl Read for FaultyStream {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let most = self.call(Call::Read)?.min(room.len());
        if most == 0 {
            return Ok(0);
        }
        let count = self.peer.say(&mut room[..most]);
        assert!(count > 0 || self.is_over(), "this read would block for ever");
        Ok(count)
    }
}

impl Write for FaultyStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let most = self.call(Call::Write)?;
        let mut bytes = Vec::new();
        for slice in slices {
            bytes.extend_from_slice(slice);
        }
        bytes.truncate(most);
        match self.buffering {
            Buffering::None => self.peer.hear(&bytes),
            Buffering::UntilFlush => self.buffered.extend_from_slice(&bytes),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.call(Call::Flush)?;
        self.peer.hear(&self.buffered);
        self.buffered.clear();
        Ok(())
    }
}

/// Repeats a call until it doesn't report a timeout.
pub(crate) fn again<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::TimedOut => {}
            outcome => return outcome,
        }
    }
}
