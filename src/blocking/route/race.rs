//! A race of several addresses for one connection (after RFC 8305, section 5).
//!
//! Each has a moment's head start over the next, unless it fails sooner; the first that accepts wins:
//!
//! ```text
//!  first address   ├───────────────────────────────────┄ cancelled
//!  second address  ·  250 ms  ├────── refused
//!  third address   ·          ·      ├──────────── accepted: the connection
//! ```

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use crate::blocking::deadline::Deadline;
use crate::blocking::route::attempt::{Attempt, Canceller};

/// How long an attempt is alone before the next begins.
const HEAD_START: Duration = Duration::from_millis(250);

/// How many attempts, and threads, there are at a time: the next waits until one has failed.
const MOST_AT_ONCE: usize = 16;

/// Begins an attempt for one address after the other, and takes the first that succeeds.
pub(super) fn run(
    addresses: Vec<SocketAddr>,
    deadline: Deadline,
    attempt: impl Fn(SocketAddr) -> io::Result<Attempt>,
) -> io::Result<TcpStream> {
    let (report, reports) = channel();
    let mut running = Running { report, cancellers: BTreeMap::new() };
    let mut failure = Failure(io::ErrorKind::AddrNotAvailable.into());
    let mut waiting = addresses.into_iter().enumerate();
    loop {
        let Ok(remaining) = deadline.remaining() else {
            failure.add(io::ErrorKind::TimedOut.into());
            return Err(failure.0);
        };
        while running.cancellers.len() < MOST_AT_ONCE {
            let Some((number, address)) = waiting.next() else { break };
            match attempt(address).and_then(|it| running.begin(number, it, deadline)) {
                Ok(()) => break,
                Err(error) => failure.add(error),
            }
        }
        if running.cancellers.is_empty() {
            return Err(failure.0);
        }
        let patience = remaining.map_or(HEAD_START, |remaining| remaining.min(HEAD_START));
        let Ok(Report { number, outcome }) = reports.recv_timeout(patience) else { continue };
        running.cancellers.remove(&number);
        match outcome {
            Ok(stream) => return Ok(stream),
            Err(error) => failure.add(error),
        }
    }
}

/// The attempts that have not ended, by number. Those that are left when the race is over are cancelled; if
/// one has just succeeded, its connection is closed, as nobody takes its report.
struct Running {
    report: Sender<Report>,
    cancellers: BTreeMap<usize, Canceller>,
}

struct Report {
    number: usize,
    outcome: io::Result<TcpStream>,
}

impl Running {
    /// Leaves the attempt to a thread, which ends when it does, and so by the deadline.
    fn begin(&mut self, number: usize, attempt: Attempt, deadline: Deadline) -> io::Result<()> {
        let canceller = attempt.canceller()?;
        let report = self.report.clone();
        thread::Builder::new().name("sansocket dial".into()).spawn(move || {
            let _ = report.send(Report { number, outcome: attempt.connect(deadline) });
        })?;
        self.cancellers.insert(number, canceller);
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.cancellers.values().for_each(Canceller::cancel);
    }
}

/// The error that tells most about the host, the latest if several do. A refusal tells more than silence, and
/// silence more than what keeps this end from asking.
struct Failure(io::Error);

impl Failure {
    fn add(&mut self, error: io::Error) {
        if tells(&error) >= tells(&self.0) {
            self.0 = error;
        }
    }
}

/// How much an error tells about the host.
fn tells(error: &io::Error) -> u8 {
    match error.kind() {
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => 2,
        io::ErrorKind::TimedOut => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;
    use crate::blocking::route::tcp_options::TcpOptions;

    /// Longer than a race takes, but short enough to sit through if one waits for its deadline.
    const LONG: Duration = Duration::from_secs(20);

    fn listen() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }

    /// An address at which nobody listens.
    fn refusing() -> SocketAddr {
        listen().1
    }

    /// An address where attempts get no answer, for as long as this is kept.
    #[cfg(target_os = "linux")]
    struct BlackHole {
        address: SocketAddr,
        _listener: socket2::Socket,
        _queue: Vec<TcpStream>,
    }

    #[cfg(target_os = "linux")]
    impl BlackHole {
        /// A listener whose queue is full: it drops new connections.
        fn new() -> Self {
            let listener =
                socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
            listener.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
            listener.listen(0).unwrap();
            let address = listener.local_addr().unwrap().as_socket().unwrap();
            let mut queue = Vec::new();
            while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(100))
            {
                queue.push(stream);
                assert!(queue.len() < 16, "a queue of none has an end");
            }
            Self { address, _listener: listener, _queue: queue }
        }
    }

    fn connect(addresses: &[SocketAddr], deadline: Duration) -> io::Result<SocketAddr> {
        let attempt = |address| Attempt::new(address, None, TcpOptions::default());
        run(addresses.to_vec(), Deadline::after(deadline), attempt)?.peer_addr()
    }

    #[test]
    fn the_first_address_that_accepts_gets_the_connection() {
        let (_listener, address) = listen();
        let (_other, second) = listen();
        for addresses in [
            &[address][..],
            &[address, second],
            &[refusing(), address],
            &[refusing(), refusing(), refusing(), address, second],
        ] {
            assert_eq!(connect(addresses, LONG).unwrap(), address);
        }
    }

    #[test]
    fn without_any_connection_the_host_has_refused() {
        for addresses in [&[refusing()][..], &[refusing(), refusing()]] {
            let error = connect(addresses, LONG).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_address_that_is_silent_does_not_keep_the_others_waiting() {
        let hole = BlackHole::new();
        let (_listener, address) = listen();
        for addresses in [
            &[hole.address, address][..],
            &[refusing(), hole.address, refusing(), address],
            &[hole.address, hole.address, address],
        ] {
            assert_eq!(connect(addresses, LONG).unwrap(), address);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn more_addresses_than_are_tried_at_once_are_tried_one_after_the_other() {
        let (_listener, address) = listen();
        let mut addresses: Vec<_> = (0..2 * MOST_AT_ONCE).map(|_| refusing()).collect();
        addresses.push(address);
        assert_eq!(connect(&addresses, LONG).unwrap(), address);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_race_that_nobody_wins_ends_by_the_deadline_with_what_the_host_said() {
        let hole = BlackHole::new();
        let short = Duration::from_millis(400);
        for (addresses, kind) in [
            (&[hole.address][..], io::ErrorKind::TimedOut),
            (&[hole.address, hole.address], io::ErrorKind::TimedOut),
            (&[refusing(), hole.address], io::ErrorKind::ConnectionRefused),
            (&[hole.address, refusing()], io::ErrorKind::ConnectionRefused),
        ] {
            assert_eq!(connect(addresses, short).unwrap_err().kind(), kind);
        }
        assert_eq!(
            connect(&[hole.address, refusing()], Duration::ZERO).unwrap_err().kind(),
            io::ErrorKind::TimedOut
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_losers_of_a_race_are_ended_long_before_the_deadline() {
        let racing = || {
            let tasks = std::fs::read_dir("/proc/self/task").unwrap();
            tasks
                .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok())
                .filter(|name| name.trim_end() == "sansocket dial")
                .count()
        };
        let hole = BlackHole::new();
        let (_listener, address) = listen();
        connect(&[hole.address, hole.address, address], Duration::from_secs(3600)).unwrap();
        // The threads of other tests end as well.
        let patience = Deadline::after(Duration::from_secs(30));
        while racing() > 0 {
            assert!(!patience.has_passed(), "a thread is left behind");
            thread::sleep(Duration::from_millis(5));
        }
    }
}
