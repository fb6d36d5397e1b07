use std::fmt;
use std::io::{self, IoSlice, Read, Write};
use std::net::Shutdown;
use std::time::Duration;

use bytes::Buf;

use crate::blocking::deadline::Deadline;
use crate::blocking::socket::Socket;

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
}

/// How many segments go into one system call.
const MAX_SLICES: usize = 64;

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
        };
        Self { inner, control: Some(control), unflushed: false }
    }

    /// A stream whose timeouts and end are the caller's affair.
    pub(super) const fn uncontrolled(inner: S) -> Self {
        Self { inner, control: None, unflushed: false }
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

    /// Bounds each call by itself.
    pub(super) fn bound_each(
        &self,
        read: Option<Duration>,
        write: Option<Duration>,
    ) -> io::Result<()> {
        self.bound_read(read)?;
        match &self.control {
            Some(control) => (control.set_write_timeout)(&self.inner, write),
            None => Ok(()),
        }
    }

    /// Reads some bytes before the deadline; 0 at the end of the stream.
    pub(super) fn read_before(
        &mut self,
        deadline: Deadline,
        buffer: &mut [u8],
    ) -> io::Result<usize> {
        self.bound_read(deadline.remaining()?)?;
        self.read(buffer)
    }

    /// Reads some bytes; 0 at the end of the stream.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        retry(|| self.inner.read(buffer))
    }

    /// Writes all that is outgoing before the deadline.
    pub(super) fn write_before(
        &mut self,
        deadline: Deadline,
        outgoing: &mut impl Buf,
    ) -> io::Result<()> {
        while outgoing.has_remaining() {
            let remaining = deadline.remaining()?;
            if let Some(control) = &self.control {
                (control.set_write_timeout)(&self.inner, remaining)?;
            }
            self.write_some(outgoing)?;
        }
        self.flush()
    }

    /// Writes all that is outgoing. What was written is gone from it also when this fails.
    pub(super) fn write(&mut self, outgoing: &mut impl Buf) -> io::Result<()> {
        while outgoing.has_remaining() {
            self.write_some(outgoing)?;
        }
        self.flush()
    }

    pub(super) fn shutdown_write(&self) -> io::Result<()> {
        match &self.control {
            Some(control) => (control.shutdown)(&self.inner, Shutdown::Write),
            None => Ok(()),
        }
    }

    /// Reads and discards until the end of the stream, the deadline, or an error.
    pub(super) fn drain_before(&mut self, deadline: Deadline) {
        let mut discarded = [0; 1024];
        while let Ok(1..) = self.read_before(deadline, &mut discarded) {}
    }

    fn bound_read(&self, timeout: Option<Duration>) -> io::Result<()> {
        match &self.control {
            Some(control) => (control.set_read_timeout)(&self.inner, timeout),
            None => Ok(()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.unflushed {
            retry(|| self.inner.flush())?;
            self.unflushed = false;
        }
        Ok(())
    }

    fn write_some(&mut self, outgoing: &mut impl Buf) -> io::Result<()> {
        let mut slices = [IoSlice::new(&[]); MAX_SLICES];
        let count = outgoing.chunks_vectored(&mut slices);
        let slices = slices.get(..count).unwrap_or_default();
        match retry(|| self.inner.write_vectored(slices))? {
            0 => Err(io::ErrorKind::WriteZero.into()),
            written => {
                outgoing.advance(written);
                self.unflushed = true;
                Ok(())
            }
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for Stream<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(formatter)
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
