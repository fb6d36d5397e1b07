use std::fmt;
use std::io::{self, IoSlice, Read, Write};
use std::net::Shutdown;
use std::time::Duration;

use bytes::{Buf, Bytes};

use crate::blocking::deadline::Deadline;
use crate::blocking::socket::{CloneSocket, Socket};

/// A stream, and what can be done to it beside reading and writing.
pub(super) struct Stream<S> {
    inner: S,
    control: Option<Control<S>>,
    /// Whether something was written since the last flush that succeeded.
    unflushed: bool,
}

/// What a [`Socket`] can do and a mere `Read + Write` can't, as a value: so that one
/// `WebSocket<S>` serves both.
struct Control<S> {
    set_read_timeout: fn(&S, Option<Duration>) -> io::Result<()>,
    set_write_timeout: fn(&S, Option<Duration>) -> io::Result<()>,
    shutdown: fn(&S, Shutdown) -> io::Result<()>,
    read_bound: Option<Duration>,
    write_bound: Option<Duration>,
}

/// How many segments go into one system call.
pub(super) const MAX_SLICES: usize = 64;

/// A bound that is longer than wanted by no more than this is left alone: deadlines that come nearer
/// with each call would cost a system call each time.
const TOLERANCE: Duration = Duration::from_millis(1);

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
            read_bound: None,
            write_bound: None,
        };
        // A handle that was there before may have left something.
        Self { inner, control: Some(control), unflushed: true }
    }

    /// A stream whose timeouts and end are the caller's affair.
    pub(super) const fn uncontrolled(inner: S) -> Self {
        Self { inner, control: None, unflushed: false }
    }

    /// Another handle of the stream, with the same bounds.
    pub(super) fn try_clone(&self) -> io::Result<Self>
    where
        S: CloneSocket,
    {
        let mut clone = Self::socket(self.inner.try_clone()?);
        if let (Some(control), Some(cloned)) = (&self.control, &mut clone.control) {
            (cloned.read_bound, cloned.write_bound) = (control.read_bound, control.write_bound);
        }
        clone.unflushed = self.unflushed;
        Ok(clone)
    }

    /// Writes from now on in the place of another handle of the same stream.
    pub(super) fn take_over(&mut self, written: &Self) {
        if let (Some(control), Some(written)) = (&mut self.control, &written.control) {
            control.write_bound = written.write_bound;
        }
        self.unflushed = written.unflushed;
    }

    pub(super) const fn get(&self) -> &S {
        &self.inner
    }

    pub(super) fn into_inner(self) -> S {
        self.inner
    }

    /// Whether this end can close the transport: shut down writing and wait for the end, boundedly.
    pub(super) const fn is_controlled(&self) -> bool {
        self.control.is_some()
    }

    /// Bounds each call by itself, whatever was set on the socket before.
    pub(super) fn bound_each(
        &mut self,
        read: Option<Duration>,
        write: Option<Duration>,
    ) -> io::Result<()> {
        let Some(control) = &mut self.control else { return Ok(()) };
        (control.set_read_timeout)(&self.inner, read)?;
        control.read_bound = read;
        (control.set_write_timeout)(&self.inner, write)?;
        control.write_bound = write;
        Ok(())
    }

    /// Reads some bytes before the deadline; 0 at the end of the stream.
    pub(super) fn read_before(
        &mut self,
        deadline: Deadline,
        buffer: &mut [u8],
    ) -> io::Result<usize> {
        deadline.remaining()?;
        self.read_until(deadline, buffer)
    }

    /// Reads some bytes that are there or arrive before the deadline; 0 at the end of the stream.
    pub(super) fn read_until(
        &mut self,
        deadline: Deadline,
        buffer: &mut [u8],
    ) -> io::Result<usize> {
        loop {
            // However late it is, what is there is taken.
            self.bound_read(deadline.remaining().unwrap_or(Some(TOLERANCE)))?;
            match retry(|| self.inner.read(buffer)) {
                Err(error) if self.woke_early(&error, deadline) => {}
                // §7.1.5 Whether everything has arrived is said by the closing handshake, so it makes
                // no difference that a TLS stream ended without being announced.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(0),
                outcome => return outcome,
            }
        }
    }

    /// Writes all that is outgoing before the deadline. What was written is gone from it also when this
    /// fails.
    pub(super) fn write_before(
        &mut self,
        deadline: Deadline,
        outgoing: &mut impl Buf,
    ) -> io::Result<()> {
        while outgoing.has_remaining() {
            self.bound_write(deadline.remaining()?)?;
            match self.write_outgoing(outgoing) {
                Err(error) if self.woke_early(&error, deadline) => {}
                outcome => outcome?,
            }
        }
        while self.unflushed {
            match self.flush(deadline.remaining()?) {
                Err(error) if self.woke_early(&error, deadline) => {}
                outcome => outcome?,
            }
        }
        Ok(())
    }

    /// Writes all that is outgoing, each call within `timeout`. What was written is gone from it also
    /// when this fails.
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

    /// Writes some of these chunks by one call within `timeout`; gives how many bytes.
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

    /// Whether the stream itself may hold something back.
    pub(super) const fn is_unflushed(&self) -> bool {
        self.unflushed
    }

    /// Hands on what the stream itself may hold back, by one call within `timeout`.
    pub(super) fn flush(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        if self.unflushed {
            self.bound_write(timeout)?;
            retry(|| self.inner.flush())?;
            self.unflushed = false;
        }
        Ok(())
    }

    /// Ends one direction or both, where that can be done.
    pub(super) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        match &self.control {
            Some(control) => (control.shutdown)(&self.inner, how),
            None => Ok(()),
        }
    }

    /// Reads and discards until the end of the stream, the deadline, or an error.
    pub(super) fn drain_before(&mut self, deadline: Deadline) {
        let mut discarded = [0; 1024];
        while let Ok(1..) = self.read_before(deadline, &mut discarded) {}
    }

    fn bound_read(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let Some(control) = &mut self.control else { return Ok(()) };
        if !is_close_to(control.read_bound, timeout) {
            (control.set_read_timeout)(&self.inner, timeout)?;
            control.read_bound = timeout;
        }
        Ok(())
    }

    fn bound_write(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let Some(control) = &mut self.control else { return Ok(()) };
        if !is_close_to(control.write_bound, timeout) {
            (control.set_write_timeout)(&self.inner, timeout)?;
            control.write_bound = timeout;
        }
        Ok(())
    }

    /// Whether this is a socket's timeout that has come before the deadline.
    fn woke_early(&self, error: &io::Error, deadline: Deadline) -> bool {
        error.kind() == io::ErrorKind::TimedOut && self.is_controlled() && !deadline.has_passed()
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
            // As it is most of the time, and costs the kernel less.
            [only] => retry(|| self.inner.write(only)),
            _ => retry(|| self.inner.write_vectored(slices)),
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

/// Whether a call bounded by `set` ends when one bounded by `wanted` should, or hardly later.
pub(super) fn is_close_to(set: Option<Duration>, wanted: Option<Duration>) -> bool {
    match (set, wanted) {
        (Some(set), Some(wanted)) => {
            set.checked_sub(wanted).is_some_and(|excess| excess <= TOLERANCE)
        }
        (set, wanted) => set == wanted,
    }
}

/// Repeats a call that a signal interrupted, and gives the two names of a timeout the one name.
fn retry<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(io::ErrorKind::TimedOut.into());
            }
            outcome => return outcome,
        }
    }
}
