use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

/// A stream whose calls can be bounded in time.
///
/// Deadlines hold only on such streams: [`TcpStream`], Unix sockets, and whatever wraps one and
/// implements this by passing the calls on.
pub trait Socket: Read + Write {
    /// Bounds each read; `None` lifts the bound. A read that passes it fails with
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

    /// Says that nothing more will be written, and leaves reading open.
    ///
    /// # Errors
    ///
    /// Those of the system call.
    fn shutdown_write(&self) -> io::Result<()>;

    /// Has small writes sent at once, where the transport would wait for more: `TCP_NODELAY`.
    ///
    /// # Errors
    ///
    /// Those of the system call.
    fn set_nodelay(&self) -> io::Result<()> {
        Ok(())
    }
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

            fn shutdown_write(&self) -> io::Result<()> {
                self.shutdown(Shutdown::Write)
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
