//! From a host to a TCP connection.

use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};

use crate::blocking::budget::TimeBudget;
use crate::blocking::deadline::Deadline;
use crate::blocking::route::attempt::Attempt;
use crate::blocking::route::race;
use crate::blocking::route::tcp_options::TcpOptions;

/// How TCP connections are made.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Dialer {
    /// The address and port of this end; the system's choice by default.
    pub(super) local: Option<SocketAddr>,
    pub(super) options: TcpOptions,
}

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum DialError {
    Resolve(io::Error),
    Connect(io::Error),
}

impl Dialer {
    /// Connects to this host. Looking up its addresses takes nothing from the budget.
    pub(super) fn dial(
        &self,
        (host, port): (&str, u16),
        budget: &mut TimeBudget,
    ) -> Result<TcpStream, DialError> {
        let addresses = (host, port).to_socket_addrs().map_err(DialError::Resolve)?;
        let addresses = self.reachable(addresses);
        budget.spend(|deadline| self.connect(addresses, deadline)).map_err(DialError::Connect)
    }

    /// The addresses that can be reached from the local one, in the order in which they are tried.
    fn reachable(&self, addresses: impl Iterator<Item = SocketAddr>) -> Vec<SocketAddr> {
        let of_the_family = |address: &SocketAddr| {
            self.local.is_none_or(|local| local.is_ipv4() == address.is_ipv4())
        };
        take_turns(addresses.filter(of_the_family))
    }

    /// Connects to one of these addresses, or returns the most informative error.
    fn connect(&self, addresses: Vec<SocketAddr>, deadline: Deadline) -> io::Result<TcpStream> {
        match addresses[..] {
            [] => {
                let message = "the host has no address of the local address's family";
                Err(io::Error::new(io::ErrorKind::AddrNotAvailable, message))
            }
            [address] => self.attempt(address)?.connect(deadline),
            _ => race::run(addresses, deadline, |address| self.attempt(address)),
        }
    }

    fn attempt(&self, address: SocketAddr) -> io::Result<Attempt> {
        Attempt::new(address, self.local, self.options)
    }
}

/// RFC 8305, section 4: the families take turns, beginning with the first address's.
fn take_turns(addresses: impl Iterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let mut addresses = addresses.peekable();
    let is_first = match addresses.peek() {
        Some(SocketAddr::V4(_)) => SocketAddr::is_ipv4,
        _ => SocketAddr::is_ipv6,
    };
    let (first, second): (Vec<_>, Vec<_>) = addresses.partition(is_first);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut ordered = Vec::with_capacity(first.len() + second.len());
    while first.len() + second.len() > 0 {
        ordered.extend(first.next());
        ordered.extend(second.next());
    }
    ordered
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
    use std::time::Duration;

    use super::*;

    /// Longer than a race takes, but short enough to sit through if one waits for its deadline.
    const LONG: Duration = Duration::from_secs(20);

    fn listen() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }

    fn listen_v6() -> Option<(TcpListener, SocketAddr)> {
        let listener = TcpListener::bind("[::1]:0").ok()?;
        let address = listener.local_addr().unwrap();
        Some((listener, address))
    }

    #[test]
    fn the_families_take_turns_from_the_first_address_on() {
        let address = |name: char| match name {
            '1'..='9' => SocketAddr::from((Ipv4Addr::LOCALHOST, u16::from(name as u8))),
            _ => SocketAddr::from((Ipv6Addr::LOCALHOST, u16::from(name as u8))),
        };
        for (given, expected) in [
            ("", ""),
            ("1", "1"),
            ("123", "123"),
            ("abc123", "a1b2c3"),
            ("12a", "1a2"),
            ("a123", "a123"),
            ("1abc", "1abc"),
        ] {
            let expected: Vec<_> = expected.chars().map(address).collect();
            assert_eq!(take_turns(given.chars().map(address)), expected, "{given}");
        }
    }

    #[test]
    fn an_address_that_can_not_be_tried_is_passed_over() {
        let (_listener, address) = listen();
        let local = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let dialer = Dialer { local, ..Dialer::default() };
        // The local address is of the other family, as it never is after `reachable`.
        let unreachable = SocketAddr::from((Ipv6Addr::LOCALHOST, address.port()));
        let stream = dialer.connect(vec![unreachable, address], Deadline::after(LONG)).unwrap();
        assert_eq!(stream.peer_addr().unwrap(), address);
    }

    #[test]
    fn only_addresses_of_the_local_family_are_tried() {
        let (_listener, address) = listen();
        let Some((_other, v6)) = listen_v6() else { return };
        for (local, reachable) in [
            (None, vec![v6, address]),
            (Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))), vec![address]),
            (Some("[::1]:0".parse().unwrap()), vec![v6]),
        ] {
            let dialer = Dialer { local, ..Dialer::default() };
            assert_eq!(dialer.reachable([v6, address].into_iter()), reachable);
            let stream = dialer.connect(reachable.clone(), Deadline::after(LONG)).unwrap();
            assert_eq!(stream.peer_addr().unwrap(), reachable[0]);
        }
        let local = Some("[::1]:0".parse().unwrap());
        let dialer = Dialer { local, ..Dialer::default() };
        let none = dialer.reachable([address].into_iter());
        let error = dialer.connect(none, Deadline::after(LONG)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrNotAvailable);
    }
}
