use std::fmt;
use std::io::{self, IoSlice, Read, Write};
use std::net::Shutdown;
use std::time::Duration;

use bytes::{Buf, Bytes};

use crate::blocking::bound::{Bound, TOLERANCE};
use crate::blocking::deadline::Deadline;
use crate::blocking::socket::{CloneSocket, Socket};

/// A stream, and what can be done to it besides reading and writing.
pub(super) struct Stream<S> {
    inner: S,
    control: Option<Control<S>>,
    /// Whether something was written since the last flush that succeeded.
    unflushed: bool,
}

/// What a [`Socket`] can do and a mere `Read + Write` can't, as a value, so that one `WebSocket<S>` serves
/// both.
struct Control<S> {
    set_read_timeout: fn(&S, Option<Duration>) -> io::Result<()>,
    set_write_timeout: fn(&S, Option<Duration>) -> io::Result<()>,
    shutdown: fn(&S, Shutdown) -> io::Result<()>,
    read: Bound,
    write: Bound,
}

/// How many slices go into one system call.
pub(super) const MAX_SLICES: usize = 64;

impl<S: Read + Write> Stream<S> {
    /// A stream whose calls can be bounded.
    pub(super) fn socket(inner: S) -> Self
    where
        S: Socket,
    {
        let control = Control {
            set_read_timeout: S::set_read_timeout,
            set_write_timeout: S::set_write_timeout,
            shutdown: S::shutdown,
            read: Bound::default(),
            write: Bound::default(),
        };
        // An earlier handle may have left something unflushed.
        Self { inner, control: Some(control), unflushed: true }
    }

    /// A stream whose timeouts and end are up to the caller.
    pub(super) const fn uncontrolled(inner: S) -> Self {
        Self { inner, control: None, unflushed: false }
    }

    /// Another handle to the stream, with the same bounds.
    pub(super) fn try_clone(&self) -> io::Result<Self>
    where
        S: CloneSocket,
    {
        let mut clone = Self::socket(self.inner.try_clone()?);
        if let (Some(control), Some(cloned)) = (&self.control, &mut clone.control) {
            (cloned.read, cloned.write) = (control.read, control.write);
        }
        clone.unflushed = self.unflushed;
        Ok(clone)
    }

    /// Takes over writing from another handle to the same stream.
    pub(super) fn take_over(&mut self, written: &Self) {
        if let (Some(control), Some(written)) = (&mut self.control, &written.control) {
            control.write = written.write;
        }
        self.unflushed = written.unflushed;
    }

    pub(super) const fn get(&self) -> &S {
        &self.inner
    }

    pub(super) fn into_inner(self) -> S {
        self.inner
    }

    /// Whether this end can close the transport: shut down writing and wait, within a bound, for the end.
    pub(super) const fn is_controlled(&self) -> bool {
        self.control.is_some()
    }

    /// Sets the timeouts of each call, whatever was set on the socket before.
    pub(super) fn set_timeouts(
        &mut self,
        read: Option<Duration>,
        write: Option<Duration>,
    ) -> io::Result<()> {
        let Self { inner, control: Some(control), .. } = self else { return Ok(()) };
        // A read with no time at all takes what is there.
        let read = read.map(|read| read.max(TOLERANCE));
        control.read.set(read, |timeout| (control.set_read_timeout)(inner, timeout))?;
        if write == Some(Duration::ZERO) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the write timeout is zero"));
        }
        control.write.set(write, |timeout| (control.set_write_timeout)(inner, timeout))
    }

    /// Reads some bytes before the deadline; returns 0 at the end of the stream.
    pub(super) fn read_before(
        &mut self,
        deadline: Deadline,
        buffer: &mut [u8],
    ) -> io::Result<usize> {
        deadline.remaining()?;
        self.read_until(deadline, buffer)
    }

    /// Reads some bytes that are there or arrive before the deadline; returns 0 at the end of the stream.
    pub(super) fn read_until(
        &mut self,
        deadline: Deadline,
        buffer: &mut [u8],
    ) -> io::Result<usize> {
        loop {
            // However late it is, what is there is taken.
            let bound = self.bound_read(deadline.remaining_or_moment())?;
            match retry(bound, || self.inner.read(buffer)) {
                Err(error) if woke_early(&error, bound, deadline) => {}
                // §7.1.5: the closing handshake tells whether everything has arrived, so it makes no
                // difference that a TLS stream ended unannounced.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(0),
                outcome => return outcome,
            }
        }
    }

    /// Writes all of `outgoing` before the deadline. What was written is removed from it even when this
    /// fails.
    pub(super) fn write_before(
        &mut self,
        deadline: Deadline,
        outgoing: &mut impl Buf,
    ) -> io::Result<()> {
        while outgoing.has_remaining() {
            self.bound_write(deadline.remaining()?)?;
            match self.write_outgoing(outgoing) {
                Err(error) if woke_early(&error, self.write_bound(), deadline) => {}
                outcome => outcome?,
            }
        }
        while self.unflushed {
            match self.flush(deadline.remaining()?) {
                Err(error) if woke_early(&error, self.write_bound(), deadline) => {}
                outcome => outcome?,
            }
        }
        Ok(())
    }

    /// Writes all of `outgoing`, each call within `timeout`. What was written is removed from it even when
    /// this fails.
    pub(super) fn write(
        &mut self,
        timeout: Option<Duration>,
        outgoing: &mut impl Buf,
    ) -> io::Result<()> {
        self.bound_write(timeout)?;
        while outgoing.has_remaining() {
            self.write_outgoing(outgoing)?;
        }
        self.flush(timeout)
    }

    /// Writes some of these chunks with one call within `timeout`; returns how many bytes.
    pub(super) fn write_some(
        &mut self,
        timeout: Option<Duration>,
        chunks: &[Bytes],
    ) -> io::Result<usize> {
        self.bound_write(timeout)?;
        let mut slices = [IoSlice::new(&[]); MAX_SLICES];
        for (slot, chunk) in slices.iter_mut().zip(chunks) {
            *slot = IoSlice::new(chunk);
        }
        self.write_slices(slices.get(..chunks.len()).unwrap_or(&slices))
    }

    /// Whether the stream itself may be holding something back.
    pub(super) const fn is_unflushed(&self) -> bool {
        self.unflushed
    }

    /// Flushes what the stream itself may hold back, with one call within `timeout`.
    pub(super) fn flush(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        if self.unflushed {
            self.bound_write(timeout)?;
            retry(self.write_bound(), || self.inner.flush())?;
            self.unflushed = false;
        }
        Ok(())
    }

    /// Ends one direction or both, where possible.
    pub(super) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        match &self.control {
            Some(control) => (control.shutdown)(&self.inner, how),
            None => Ok(()),
        }
    }

    /// Ends the direction for writing, where possible. Whatever a stream has to send for that, it does before the
    /// deadline.
    pub(super) fn end_writing_before(&mut self, deadline: Deadline) {
        // Nothing else is written, and the transport ends whether this works or not.
        let _ = self.bound_write(deadline.remaining_or_moment());
        let _ = self.shutdown(Shutdown::Write);
    }

    /// Reads and discards until the end of the stream, the deadline, or an error.
    pub(super) fn drain_before(&mut self, deadline: Deadline) {
        let mut discarded = [0; 1024];
        while let Ok(1..) = self.read_before(deadline, &mut discarded) {}
    }

    /// Bounds the next read, and returns how long it may take.
    fn bound_read(&mut self, timeout: Option<Duration>) -> io::Result<Option<Duration>> {
        let Self { inner, control: Some(control), .. } = self else { return Ok(None) };
        control.read.keep(timeout, |timeout| (control.set_read_timeout)(inner, timeout))?;
        Ok(control.read.get())
    }

    /// Bounds the next write.
    fn bound_write(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let Self { inner, control: Some(control), .. } = self else { return Ok(()) };
        control.write.keep(timeout, |timeout| (control.set_write_timeout)(inner, timeout))
    }

    fn write_bound(&self) -> Option<Duration> {
        self.control.as_ref()?.write.get()
    }

    fn write_outgoing(&mut self, outgoing: &mut impl Buf) -> io::Result<()> {
        let first = outgoing.chunk();
        let written = if first.len() == outgoing.remaining() {
            self.write_slices(&[IoSlice::new(first)])?
        } else {
            let mut slices = [IoSlice::new(&[]); MAX_SLICES];
            let count = outgoing.chunks_vectored(&mut slices);
            self.write_slices(slices.get(..count).unwrap_or_default())?
        };
        outgoing.advance(written);
        Ok(())
    }

    fn write_slices(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let written = match slices {
            // The most common case, and cheaper for the kernel.
            [only] => retry(self.write_bound(), || self.inner.write(only)),
            _ => retry(self.write_bound(), || self.inner.write_vectored(slices)),
        };
        match written? {
            0 => Err(io::ErrorKind::WriteZero.into()),
            written => {
                self.unflushed = true;
                Ok(written)
            }
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for Stream<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(formatter)
    }
}

/// Whether this is the timeout of a call with this bound, and came before the deadline. Without a bound it
/// isn't ours, and waiting again would be of no use.
fn woke_early(error: &io::Error, bound: Option<Duration>, deadline: Deadline) -> bool {
    error.kind() == io::ErrorKind::TimedOut && bound.is_some() && !deadline.has_passed()
}

/// Repeats a call that a signal interrupts, and unifies the two error kinds of a timeout.
///
/// A repeated call gets all of its bound again, so it isn't repeated for longer than that.
fn retry<T>(bound: Option<Duration>, mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let mut repeat_before = None;
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                repeat_before.get_or_insert_with(|| Deadline::within(bound)).remaining()?;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(io::ErrorKind::TimedOut.into());
            }
            Err(error) if is_networks_timeout(&error) => {
                return Err(io::Error::new(io::ErrorKind::ConnectionAborted, error));
            }
            outcome => return outcome,
        }
    }
}

/// Whether the transport itself gave the peer up, which ends the connection: `ETIMEDOUT`. On Windows a socket's own
/// timeout has that kind too.
fn is_networks_timeout(error: &io::Error) -> bool {
    let has_code = error.raw_os_error().is_some();
    cfg!(unix) && has_code && error.kind() == io::ErrorKind::TimedOut
}
