//! The bytes between rustls and the socket.

use std::io;
use std::time::Duration;

use crate::blocking::bound::Bound;
use crate::blocking::deadline::Calls;
use crate::blocking::socket::Socket;

/// The least that one read asks the socket for.
const LEAST: usize = 4 * 1024;

/// The most: a whole record (RFC 8446, section 5.2) and the header of the next.
const MOST: usize = 5 + (1 << 14) + 256 + 5;

/// What was read and not decrypted yet.
#[derive(Default)]
pub(super) struct Incoming {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    bound: Bound,
}

impl Incoming {
    pub(super) const fn is_empty(&self) -> bool {
        self.start == self.end
    }

    pub(super) fn unread(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    pub(super) const fn consume(&mut self, count: usize) {
        self.start += count;
    }

    /// Reads once, into a buffer the size of the reader's, when everything was taken; returns 0 at the end of
    /// the stream.
    pub(super) fn fill<S: Socket>(
        &mut self,
        socket: &mut S,
        size: usize,
        calls: &mut Calls,
    ) -> io::Result<usize> {
        self.bound.keep(time_for_next(calls)?, |timeout| socket.set_read_timeout(timeout))?;
        self.bytes.resize(size.clamp(LEAST, MOST), 0);
        self.bytes.shrink_to_fit();
        (self.start, self.end) = (0, 0);
        self.end = socket.read(&mut self.bytes)?;
        Ok(self.end)
    }

    /// Gives the buffer back while nothing arrives.
    pub(super) fn release(&mut self) {
        if self.is_empty() {
            (self.bytes, self.start, self.end) = (Vec::new(), 0, 0);
        }
    }
}

/// What was encrypted and not written yet, in the order in which it was encrypted.
#[derive(Default)]
pub(super) struct Outgoing {
    bytes: Vec<u8>,
    sent: usize,
    bound: Bound,
}

impl Outgoing {
    /// Where further records are put.
    pub(super) const fn end(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Writes everything. What was written is removed even when this fails.
    pub(super) fn send<S: Socket>(&mut self, socket: &mut S, calls: &mut Calls) -> io::Result<()> {
        while let Some(rest @ [_, ..]) = self.bytes.get(self.sent..) {
            self.bound.keep(time_for_next(calls)?, |timeout| socket.set_write_timeout(timeout))?;
            match socket.write(rest)? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                written => self.sent += written,
            }
        }
        (self.bytes, self.sent) = (Vec::new(), 0);
        Ok(())
    }
}

/// The time for one of the calls on the socket that a call on a TLS stream may be. A peer that sends a record
/// byte by byte must not get the whole time for each of them.
fn time_for_next(calls: &mut Calls) -> io::Result<Option<Duration>> {
    Ok(calls.next()?.map(whole_milliseconds))
}

/// Rounds up, so that many calls with one timeout all want the same.
fn whole_milliseconds(time: Duration) -> Duration {
    const MILLISECOND: u32 = 1_000_000;
    let short_of = (MILLISECOND - time.subsec_nanos() % MILLISECOND) % MILLISECOND;
    time.saturating_add(Duration::from_nanos(short_of.into()))
}
