use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

/// A stream whose calls can be bounded in time.
///
/// Deadlines hold only on such streams: [`TcpStream`], Unix sockets, and whatever wraps one and
/// implements this by passing the calls on:
///
/// ```
/// use std::io::{self, Read, Write};
/// use std::net::{Shutdown, TcpStream};
/// use std::time::Duration;
/// use sansocket::blocking::Socket;
///
/// /// Counts what is read.
/// struct Counting {
///     inner: TcpStream,
///     read: u64,
/// }
///
/// impl Read for Counting {
///     fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
///         let count = self.inner.read(buffer)?;
///         self.read += count as u64;
///         Ok(count)
///     }
/// }
///
/// impl Write for Counting {
///     fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
///         self.inner.write(bytes)
///     }
///
///     fn flush(&mut self) -> io::Result<()> {
///         self.inner.flush()
///     }
/// }
///
/// impl Socket for Counting {
///     fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
///         self.inner.set_read_timeout(timeout)
///     }
///
///     fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
///         self.inner.set_write_timeout(timeout)
///     }
///
///     fn shutdown(&self, how: Shutdown) -> io::Result<()> {
///         self.inner.shutdown(how)
///     }
///
///     fn set_nodelay(&self) -> io::Result<()> {
///         Socket::set_nodelay(&self.inner)
///     }
///
///     fn set_blocking(&self) -> io::Result<()> {
///         self.inner.set_blocking()
///     }
/// }
/// ```
///
/// Implement [`write_vectored`](Write::write_vectored) as well where it can be passed on: long messages are
/// written with it.
pub trait Socket: Read + Write {
    /// Bounds each read; `None` lifts the bound. A read that exceeds it fails with
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) or [`TimedOut`](io::ErrorKind::TimedOut).
    ///
    /// # Errors
    ///
    /// Those of the system call.
    fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()>;

    /// Bounds each write, likewise.
    ///
    /// # Errors
    ///
    /// Those of the system call.
    fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()>;

    /// Ends one direction of the transport, or both, even while a call is waiting on it. If the end of the
    /// direction for writing has to be sent, as over TLS, that is bounded like a write.
    ///
    /// # Errors
    ///
    /// Those of the system call.
    fn shutdown(&self, how: Shutdown) -> io::Result<()>;

    /// Makes the transport send small writes at once instead of waiting for more: `TCP_NODELAY`.
    ///
    /// # Errors
    ///
    /// Those of the system call.
    fn set_nodelay(&self) -> io::Result<()> {
        Ok(())
    }

    /// Makes calls wait, up to their bounds, whatever was set before: on some systems a connection inherits the
    /// nonblocking mode of its listener.
    ///
    /// # Errors
    ///
    /// Those of the system call.
    fn set_blocking(&self) -> io::Result<()> {
        Ok(())
    }
}

/// A socket that can have several handles, so that one thread can read while another writes.
///
/// What is set or shut down through one handle applies to all.
pub trait CloneSocket: Socket + Sized {
    /// Returns another handle to the same socket.
    ///
    /// # Errors
    ///
    /// Those of the system call.
    fn try_clone(&self) -> io::Result<Self>;
}

macro_rules! impl_socket {
    ($socket:ty, $($nodelay:item)?) => {
        impl Socket for $socket {
            $($nodelay)?

            fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
                Self::set_read_timeout(self, timeout)
            }

            fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
                Self::set_write_timeout(self, timeout)
            }

            fn shutdown(&self, how: Shutdown) -> io::Result<()> {
                Self::shutdown(self, how)
            }

            fn set_blocking(&self) -> io::Result<()> {
                self.set_nonblocking(false)
            }
        }

        impl CloneSocket for $socket {
            fn try_clone(&self) -> io::Result<Self> {
                Self::try_clone(self)
            }
        }
    };
}

impl_socket!(
    TcpStream,
    fn set_nodelay(&self) -> io::Result<()> {
        Self::set_nodelay(self, true)
    }
);
#[cfg(unix)]
impl_socket!(std::os::unix::net::UnixStream,);
