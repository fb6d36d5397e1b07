//! One attempt to connect one socket.
//!
//! Tests aside, the only file that uses the crate for what `std` can't set on a socket, or not before it is
//! connected.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpStream};
#[cfg(unix)]
use std::os::{fd::OwnedFd, unix::net::UnixStream};
#[cfg(unix)]
use std::path::Path;
use std::time::Duration;

#[cfg(unix)]
use socket2::SockAddr;
use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};

use crate::blocking::deadline::Deadline;
use crate::blocking::route::tcp_options::{SmallWrites, TcpOptions};

/// A socket that is to be connected to one address.
#[derive(Debug)]
pub(super) struct Attempt {
    socket: Socket,
    address: SocketAddr,
}

/// A handle for giving up an attempt from another thread.
#[derive(Debug)]
pub(super) struct Canceller(Socket);

impl Attempt {
    /// Creates a socket for this address with these options, bound to the local end if that is given.
    pub(super) fn new(
        address: SocketAddr,
        local: Option<SocketAddr>,
        options: TcpOptions,
    ) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        set(&socket, options)?;
        if let Some(local) = local {
            // Several attempts begin at the one port, or an earlier connection that was closed did. On
            // Windows this would take the port away from its owner.
            #[cfg(unix)]
            if local.port() != 0 {
                socket.set_reuse_address(true)?;
            }
            socket.bind(&local.into())?;
        }
        Ok(Self { socket, address })
    }

    pub(super) fn canceller(&self) -> io::Result<Canceller> {
        self.socket.try_clone().map(Canceller)
    }

    /// Connects, before the deadline.
    pub(super) fn connect(self, deadline: Deadline) -> io::Result<TcpStream> {
        let remaining = deadline.remaining()?.unwrap_or(Duration::MAX);
        self.socket.connect_timeout(&self.address.into(), remaining)?;
        Ok(self.socket.into())
    }
}

impl Canceller {
    /// Ends the attempt where the system allows it; elsewhere it ends by its deadline.
    pub(super) fn cancel(&self) {
        // Nothing can be done about a system that doesn't, or an attempt that has failed.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

/// Sets everything that has to be set before connecting, or may as well be.
fn set(socket: &Socket, options: TcpOptions) -> io::Result<()> {
    let TcpOptions { small_writes, keepalive, send_buffer_size, receive_buffer_size } = options;
    socket.set_tcp_nodelay(small_writes == SmallWrites::Sent)?;
    if let Some(idle) = keepalive {
        // Systems count in seconds, and some treat zero as an error.
        let idle = idle.max(Duration::from_secs(1));
        socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(idle))?;
    }
    // The window offered from the first segment on depends on these.
    if let Some(size) = send_buffer_size {
        socket.set_send_buffer_size(size.min(MOST_BUFFERED))?;
    }
    if let Some(size) = receive_buffer_size {
        socket.set_recv_buffer_size(size.min(MOST_BUFFERED))?;
    }
    Ok(())
}

/// Systems take no larger number.
const MOST_BUFFERED: usize = i32::MAX as usize;

/// Connects to the Unix socket at this path before the deadline: a listener whose queue is full may
/// keep a client waiting.
#[cfg(unix)]
pub(crate) fn connect_unix(path: &Path, deadline: Deadline) -> io::Result<UnixStream> {
    let address = SockAddr::unix(path)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    loop {
        socket.set_write_timeout(deadline.remaining()?)?;
        match socket.connect(&address) {
            Ok(()) => break,
            // The deadline decides whether to go on.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    socket.set_write_timeout(None)?;
    Ok(OwnedFd::from(socket).into())
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use socket2::SockRef;

    use super::*;

    /// A connection with these options.
    fn connected(options: TcpOptions) -> TcpStream {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let attempt = Attempt::new(address, None, options).unwrap();
        attempt.connect(Deadline::after(Duration::from_secs(20))).unwrap()
    }

    #[test]
    fn by_default_small_writes_are_sent_at_once_and_the_rest_is_the_systems() {
        let stream = connected(TcpOptions::default());
        assert!(stream.nodelay().unwrap());
        assert!(!SockRef::from(&stream).keepalive().unwrap());
    }

    #[test]
    fn the_options_are_set_on_the_connection() {
        assert!(!connected(TcpOptions::default().nagle()).nodelay().unwrap());
        for seconds in [0, 1, 77] {
            let idle = Duration::from_secs(seconds);
            let stream = connected(TcpOptions::default().keepalive(idle));
            assert!(SockRef::from(&stream).keepalive().unwrap());
        }
    }

    #[test]
    fn the_sizes_of_the_buffers_are_followed() {
        let sizes = |options| {
            let stream = connected(options);
            let socket = SockRef::from(&stream);
            (socket.send_buffer_size().unwrap(), socket.recv_buffer_size().unwrap())
        };
        // Systems round, and some double.
        let small =
            sizes(TcpOptions::default().send_buffer_size(8 << 10).receive_buffer_size(9 << 10));
        let large =
            sizes(TcpOptions::default().send_buffer_size(90 << 10).receive_buffer_size(80 << 10));
        assert!(small.0 < large.0 && small.1 < large.1, "{small:?} {large:?}");
        assert!(small.0 >= 8 << 10 && small.1 >= 9 << 10, "{small:?}");
        // A number too large for the system gets as much as it has, or is refused, but never becomes a wrong
        // one.
        let most = TcpOptions::default().send_buffer_size(usize::MAX);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        if let Ok(attempt) = Attempt::new(listener.local_addr().unwrap(), None, most) {
            assert!(attempt.socket.send_buffer_size().unwrap() >= large.0);
        }
    }

    #[test]
    fn the_local_end_is_the_one_that_was_asked_for() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let far = Deadline::after(Duration::from_secs(20));
        let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let attempt = Attempt::new(address, Some(local), TcpOptions::default()).unwrap();
        let stream = attempt.connect(far).unwrap();
        let local = stream.local_addr().unwrap();
        assert_eq!(listener.accept().unwrap().1, local);
    }

    /// Only Linux keeps a client waiting while the queue is full.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_unix_socket_with_a_full_queue_is_waited_for_until_the_deadline() {
        let path = std::env::temp_dir().join(format!("sansocket-{}.sock", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let listener = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        listener.bind(&SockAddr::unix(&path).unwrap()).unwrap();
        listener.listen(0).unwrap();
        let mut queue = Vec::new();
        let error = loop {
            match connect_unix(&path, Deadline::after(Duration::from_millis(100))) {
                Ok(stream) => queue.push(stream),
                Err(error) => break error,
            }
            assert!(queue.len() < 16, "a queue of none has an end");
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(listener);
        std::fs::remove_file(&path).unwrap();
    }
}
