//! The bytes between rustls and the socket.

use std::io;
use std::time::Duration;

use crate::blocking::deadline::Deadline;
use crate::blocking::socket::Socket;
use crate::blocking::stream::{is_close_to, unless_ended};

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
        deadline: Deadline,
    ) -> io::Result<usize> {
        self.bound.keep(deadline, |timeout| socket.set_read_timeout(timeout))?;
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
    pub(super) fn send<S: Socket>(&mut self, socket: &mut S, deadline: Deadline) -> io::Result<()> {
        while let Some(rest @ [_, ..]) = self.bytes.get(self.sent..) {
            self.bound.keep(deadline, |timeout| socket.set_write_timeout(timeout))?;
            match socket.write(rest)? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                written => self.sent += written,
            }
        }
        (self.bytes, self.sent) = (Vec::new(), 0);
        Ok(())
    }
}

/// The timeout that one direction of the socket has at the moment.
///
/// One call on a TLS stream may be several on the socket. A peer that sends a record byte by byte must not
/// get the whole time for each of them, so the timeout shrinks.
#[derive(Default)]
struct Bound(Option<Duration>);

impl Bound {
    /// Sets a timeout for the next call, unless the current one is about as long.
    fn keep(
        &mut self,
        deadline: Deadline,
        set: impl FnOnce(Option<Duration>) -> io::Result<()>,
    ) -> io::Result<()> {
        let wanted = deadline.remaining()?.map(whole_milliseconds);
        if !is_close_to(self.0, wanted) {
            unless_ended(set(wanted))?;
            self.0 = wanted;
        }
        Ok(())
    }
}

/// Rounds up, so that many calls with one timeout all want the same.
fn whole_milliseconds(time: Duration) -> Duration {
    const MILLISECOND: u32 = 1_000_000;
    let short_of = (MILLISECOND - time.subsec_nanos() % MILLISECOND) % MILLISECOND;
    time.saturating_add(Duration::from_nanos(short_of.into()))
}
