//! A peer that says its goodbye and takes nothing: what this end couldn't send is never reported as sent.

use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use sansocket::blocking::{ByteStream, Error, Socket, Timeouts, WebSocket};
use sansocket::frame::Opcode;
use sansocket::{CloseCode, Config, ConnectionState, Role};

use crate::altered::{Alteration, Altered};
use crate::bounded::bounded;
use crate::either_role::{ROLES, open, open_altered, to};
use crate::pipe::Pipe;
use crate::raw_peer::RawPeer;

const SHORT: Duration = Duration::from_millis(50);

/// Less than what is sent.
const CAPACITY: usize = 2000;

fn long() -> Vec<u8> {
    vec![7; 30_000]
}

fn timeouts() -> Timeouts {
    Timeouts::default().write(Some(SHORT)).close(SHORT)
}

#[test]
fn a_goodbye_and_the_end_of_the_stream_do_not_make_up_for_what_was_not_sent() {
    bounded(|| {
        for role in ROLES {
            let (mut socket, mut peer) = open(role, CAPACITY, timeouts(), Config::default());
            socket.write(long()).unwrap();
            peer.send(to(role, Opcode::Close, &1000_u16.to_be_bytes()));
            peer.shutdown_write();
            // The write timeout comes before the goodbye is found.
            while matches!(socket.read(), Err(Error::WriteTimedOut)) {}
            assert_matches!(socket.read(), Err(Error::CloseTimedOut), "{role:?}");
            assert_matches!(socket.flush(), Err(Error::CloseTimedOut));
            assert_matches!(socket.close(CloseCode::NORMAL, ""), Err(Error::CloseTimedOut));

            let (socket, mut peer) = open(role, CAPACITY, timeouts(), Config::default());
            let mut bytes = ByteStream::new(socket);
            bytes.write_all(&long()).unwrap();
            peer.send(to(role, Opcode::Close, &1000_u16.to_be_bytes()));
            peer.shutdown_write();
            bytes.close().unwrap_err();
        }
    });
}

/// Takes nothing, and fails once it is broken.
#[derive(Default)]
struct Stubborn {
    takes_nothing: AtomicBool,
    fails_reads: AtomicBool,
    fails_writes: AtomicBool,
    bound: Mutex<Option<Duration>>,
}

impl Stubborn {
    fn is(flag: &AtomicBool) -> bool {
        flag.load(Ordering::Relaxed)
    }
}

impl<S: Socket> Alteration<S> for Stubborn {
    fn read(&self, socket: &mut S, room: &mut [u8]) -> io::Result<usize> {
        match socket.read(room) {
            // What had arrived is read before.
            Err(_) if Self::is(&self.fails_reads) => Err(ErrorKind::ConnectionReset.into()),
            read => read,
        }
    }

    fn write(&self, socket: &mut S, bytes: &[u8]) -> io::Result<usize> {
        if Self::is(&self.fails_writes) {
            return Err(ErrorKind::ConnectionReset.into());
        }
        if Self::is(&self.takes_nothing) {
            thread::sleep(self.bound.lock().unwrap().unwrap_or(SHORT));
            return Err(ErrorKind::WouldBlock.into());
        }
        socket.write(bytes)
    }

    fn set_write_timeout(&self, _: &S, timeout: Option<Duration>) -> io::Result<()> {
        *self.bound.lock().unwrap() = timeout;
        Ok(())
    }
}

/// Both ends of a connection whose peer takes nothing from now on.
fn stubborn(
    role: Role,
    timeouts: Timeouts,
) -> (WebSocket<Altered<Pipe, Stubborn>>, RawPeer<Pipe>, Arc<Stubborn>) {
    let (socket, peer, stubborn): (_, _, Arc<Stubborn>) = open_altered(role, 1 << 16, timeouts);
    stubborn.takes_nothing.store(true, Ordering::Relaxed);
    (socket, peer, stubborn)
}

#[test]
fn a_reset_behind_a_goodbye_is_the_same_error_each_time_and_for_each_end() {
    bounded(|| {
        for role in ROLES {
            let (socket, mut peer, stubborn) =
                stubborn(role, Timeouts::default().write(Some(SHORT)).read(Some(SHORT)));
            let (mut reader, writer) = socket.split().unwrap();
            writer.write("lost").unwrap();
            assert_matches!(writer.flush(), Err(Error::WriteTimedOut));
            stubborn.fails_reads.store(true, Ordering::Relaxed);
            peer.send(to(role, Opcode::Close, &1000_u16.to_be_bytes()));
            let reset = |outcome: Result<(), Error>| {
                assert_matches!(outcome, Err(Error::Io(error)) if error.kind() == ErrorKind::ConnectionReset, "{role:?}");
            };
            for _ in 0..2 {
                reset(reader.read().map(drop));
            }
            reset(writer.flush());
            reset(writer.close(CloseCode::NORMAL, ""));
            assert_eq!(writer.state(), ConnectionState::Closed);
        }
    });
}

#[test]
fn what_a_failed_write_has_lost_is_not_forgotten_over_the_idle_timeout() {
    bounded(|| {
        for role in ROLES {
            let (socket, _peer, stubborn) =
                stubborn(role, timeouts().idle(Some(SHORT)).close(Duration::from_secs(1)));
            let (mut reader, writer) = socket.split().unwrap();
            writer.write("lost").unwrap();
            let reading = thread::spawn(move || reader.read().map(drop));
            while writer.state() == ConnectionState::Open {
                thread::sleep(Duration::from_millis(1));
            }
            stubborn.fails_writes.store(true, Ordering::Relaxed);
            assert_matches!(reading.join().unwrap(), Err(Error::IdleTimedOut));
            for _ in 0..2 {
                assert_matches!(writer.flush(), Err(Error::Io(_)), "{role:?}");
            }
        }
    });
}

/// Takes everything into a buffer of its own, as TLS does, and from there nothing leaves.
#[derive(Default)]
struct Hoarding {
    hoards: AtomicBool,
}

impl<S: Socket> Alteration<S> for Hoarding {
    fn write(&self, socket: &mut S, bytes: &[u8]) -> io::Result<usize> {
        if Stubborn::is(&self.hoards) { Ok(bytes.len()) } else { socket.write(bytes) }
    }

    fn flush(&self, socket: &mut S) -> io::Result<()> {
        if Stubborn::is(&self.hoards) {
            thread::sleep(Duration::from_millis(1));
            return Err(ErrorKind::WouldBlock.into());
        }
        socket.flush()
    }
}

/// Both ends of a connection whose peer says its goodbye, and with `eof` ends its direction.
fn hoarding(role: Role, eof: bool) -> (WebSocket<Altered<Pipe, Hoarding>>, RawPeer<Pipe>) {
    let (socket, mut peer, hoarding): (_, _, Arc<Hoarding>) =
        open_altered(role, 1 << 16, timeouts());
    hoarding.hoards.store(true, Ordering::Relaxed);
    peer.send(to(role, Opcode::Close, &1000_u16.to_be_bytes()));
    if eof {
        peer.shutdown_write();
    }
    (socket, peer)
}

#[test]
fn what_the_stream_itself_still_holds_back_was_not_sent_either() {
    bounded(|| {
        for (role, eof) in ROLES.into_iter().flat_map(|role| [(role, true), (role, false)]) {
            let (mut socket, _peer) = hoarding(role, eof);
            socket.write("held back").unwrap();
            while matches!(socket.read(), Err(Error::WriteTimedOut)) {}
            assert_matches!(socket.read(), Err(Error::CloseTimedOut), "{role:?} {eof}");
            assert_matches!(socket.flush(), Err(Error::CloseTimedOut));

            let (socket, _peer) = hoarding(role, eof);
            let (mut reader, writer) = socket.split().unwrap();
            writer.write("held back").unwrap();
            assert_matches!(reader.read(), Err(Error::CloseTimedOut), "{role:?} {eof}");
            assert_matches!(writer.flush(), Err(Error::CloseTimedOut));
            assert_matches!(writer.close(CloseCode::NORMAL, ""), Err(Error::CloseTimedOut));
        }
    });
}
