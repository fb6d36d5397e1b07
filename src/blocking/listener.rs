use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
#[cfg(unix)]
use std::os::unix::net::UnixDatagram;
use std::sync::Mutex;
use std::time::Duration;

#[cfg(unix)]
use crate::blocking::deadline::Deadline;
use crate::blocking::lock::lock;
#[cfg(unix)]
use crate::blocking::route;
use crate::blocking::socket::CloneSocket;

/// A socket that clients connect to; where an [`AcceptLoop`](super::AcceptLoop) gets its connections.
///
/// Wrap one to change what it reports, or to set options on each socket:
///
/// ```
/// use std::io;
/// use std::net::{SocketAddr, TcpListener, TcpStream};
/// use sansocket::blocking::Listener;
///
/// /// Reports IPv4 clients of a dual-stack listener by their IPv4 address.
/// struct Canonical(TcpListener);
///
/// impl Listener for Canonical {
///     type Socket = TcpStream;
///     type Address = SocketAddr;
///
///     fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
///         let (stream, mut client) = self.0.accept()?;
///         client.set_ip(client.ip().to_canonical());
///         Ok((stream, client))
///     }
///
///     fn waker(&self) -> io::Result<Box<dyn Fn() + Send + Sync>> {
///         self.0.waker()
///     }
/// }
/// ```
pub trait Listener: 'static {
    /// The socket of a connection.
    type Socket: CloneSocket + Send + Sync + 'static;
    /// The address of a client.
    type Address: Send + 'static;

    /// Waits for a connection.
    ///
    /// # Errors
    ///
    /// Those of the system call.
    fn accept(&self) -> io::Result<(Self::Socket, Self::Address)>;

    /// Returns a function that makes a waiting [`accept`](Self::accept) return, for use from another thread.
    /// It may be called more than once.
    ///
    /// # Errors
    ///
    /// Those of determining where the listener can be reached.
    fn waker(&self) -> io::Result<Box<dyn Fn() + Send + Sync>>;
}

/// How long the wake-up call to a listener may take.
const WAKE_TIMEOUT: Duration = Duration::from_secs(1);

/// A socket that does nothing but hold a file descriptor for the wake-up call, in case the process has none left by
/// then.
struct Reserve<T>(Mutex<Option<T>>);

impl<T> Reserve<T> {
    const fn new(held: Option<T>) -> Self {
        Self(Mutex::new(held))
    }

    fn release(&self) {
        *lock(&self.0) = None;
    }
}

impl Listener for TcpListener {
    type Socket = TcpStream;
    type Address = SocketAddr;

    fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        Self::accept(self)
    }

    fn waker(&self) -> io::Result<Box<dyn Fn() + Send + Sync>> {
        let addresses = reachable_at(self.local_addr()?);
        let reserve = Reserve::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).ok());
        // The standard library has no other way to end a wait for a connection than to make one.
        Ok(Box::new(move || {
            reserve.release();
            for address in &addresses {
                match TcpStream::connect_timeout(address, WAKE_TIMEOUT) {
                    Err(error) if error.kind() != io::ErrorKind::TimedOut => {}
                    // Where the queue is full, nobody waits for a connection.
                    Ok(_) | Err(_) => return,
                }
            }
        }))
    }
}

/// Where a listener on this address is reached from the same machine, most likely first.
fn reachable_at(address: SocketAddr) -> Vec<SocketAddr> {
    let local = |ip: IpAddr| SocketAddr::new(ip, address.port());
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => vec![local(Ipv4Addr::LOCALHOST.into())],
        // Where IPv6 is turned off, such a listener has IPv4 alone.
        IpAddr::V6(ip) if ip.is_unspecified() => {
            vec![local(Ipv6Addr::LOCALHOST.into()), local(Ipv4Addr::LOCALHOST.into())]
        }
        _ => vec![address],
    }
}

#[cfg(unix)]
impl Listener for std::os::unix::net::UnixListener {
    type Socket = std::os::unix::net::UnixStream;
    type Address = std::os::unix::net::SocketAddr;

    fn accept(&self) -> io::Result<(Self::Socket, Self::Address)> {
        Self::accept(self)
    }

    fn waker(&self) -> io::Result<Box<dyn Fn() + Send + Sync>> {
        let address = self.local_addr()?;
        let path = address.as_pathname().ok_or(io::ErrorKind::AddrNotAvailable)?.to_owned();
        let reserve = Reserve::new(UnixDatagram::unbound().ok());
        // A plain `connect` would wait while the queue is full.
        Ok(Box::new(move || {
            reserve.release();
            drop(route::connect_unix(&path, Deadline::after(WAKE_TIMEOUT)));
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_on_every_address_is_reached_over_either_protocol() {
        let reached = |address: &str| {
            let addresses = reachable_at(address.parse().unwrap()).into_iter();
            addresses.map(|address| address.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(reached("0.0.0.0:80"), ["127.0.0.1:80"]);
        assert_eq!(reached("[::]:80"), ["[::1]:80", "127.0.0.1:80"]);
        assert_eq!(reached("192.0.2.1:80"), ["192.0.2.1:80"]);
        assert_eq!(reached("[fe80::1%2]:80"), ["[fe80::1%2]:80"]);
    }
}
