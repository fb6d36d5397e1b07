//! A socket that holds a write until the test lets it go on.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use sansocket::Role;
use sansocket::blocking::{Reader, Socket, Timeouts, Writer};

use crate::altered::{Alteration, Altered};
use crate::either_role::open_altered;
use crate::pipe::Pipe;
use crate::raw_peer::RawPeer;

/// Where the next write may be held, and all are counted.
#[derive(Default)]
pub(super) struct Gate {
    next: Mutex<Option<(Sender<()>, Receiver<()>)>>,
    writes: AtomicUsize,
}

/// The test's side of it.
pub(super) struct HeldWrite {
    begun: Receiver<()>,
    go_on: Sender<()>,
}

impl Gate {
    /// Holds the next write.
    pub(super) fn hold(&self) -> HeldWrite {
        let (report, begun) = channel();
        let (go_on, permission) = channel();
        *self.next.lock().unwrap() = Some((report, permission));
        HeldWrite { begun, go_on }
    }

    /// How many writes there were.
    pub(super) fn writes(&self) -> usize {
        self.writes.load(Ordering::Relaxed)
    }
}

impl HeldWrite {
    /// Waits until there is a write to hold.
    pub(super) fn wait(&self) {
        self.begun.recv().unwrap();
    }

    /// Lets it go on.
    pub(super) fn release(self) {
        self.go_on.send(()).unwrap();
    }
}

impl<S: Socket> Alteration<S> for Gate {
    fn write(&self, socket: &mut S, bytes: &[u8]) -> io::Result<usize> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        let held = self.next.lock().unwrap().take();
        if let Some((report, permission)) = held {
            report.send(()).unwrap();
            permission.recv().unwrap();
        }
        socket.write(bytes)
    }
}

type Ends = (Reader<Altered<Pipe, Gate>>, Writer<Altered<Pipe, Gate>>);

/// One end of a connection, split, whose writes can be held, and a peer.
pub(super) fn split_held(
    role: Role,
    capacity: usize,
    timeouts: Timeouts,
) -> (Ends, RawPeer<Pipe>, Arc<Gate>) {
    let (socket, peer, gate) = open_altered(role, capacity, timeouts);
    (socket.split().unwrap(), peer, gate)
}
