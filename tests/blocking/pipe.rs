//! A socket in memory: several handles, a bounded buffer in each direction, and calls that go wrong.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use sansocket::blocking::{CloneSocket, Socket};

use crate::faulty_stream::{Call, Fault};

/// One handle of one end. The end is closed when its last handle is dropped.
pub(crate) struct Pipe(Arc<End>);

/// Two ends of a transport that holds this many bytes in each direction.
pub(crate) fn pipe(capacity: usize) -> (Pipe, Pipe) {
    let [there, back] = [(); 2].map(|()| Arc::new(Flow::new(capacity)));
    let one = End::new(Arc::clone(&there), Arc::clone(&back));
    (Pipe(Arc::new(one)), Pipe(Arc::new(End::new(back, there))))
}

impl Pipe {
    /// From now on, counts the calls of all handles of this end, and makes call number `at` go wrong.
    pub(crate) fn arm(&self, fault: Fault, at: usize) {
        *self.0.plan.lock().unwrap() = Plan { fault, at, calls: Vec::new(), is_armed: true };
    }

    /// The call that went wrong, if it came to that.
    pub(crate) fn hit(&self) -> Option<Call> {
        let plan = self.0.plan.lock().unwrap();
        plan.calls.get(plan.at).copied().filter(|_| plan.fault != Fault::Nothing)
    }

    /// How many calls of this kind were made since it was [armed](Self::arm).
    pub(crate) fn count(&self, call: Call) -> usize {
        let plan = self.0.plan.lock().unwrap();
        plan.calls.iter().filter(|made| **made == call).count()
    }

    pub(crate) fn write_timeout(&self) -> Option<Duration> {
        self.0.timeouts.lock().unwrap().1
    }
}

struct End {
    incoming: Arc<Flow>,
    outgoing: Arc<Flow>,
    /// For reads and for writes.
    timeouts: Mutex<(Option<Duration>, Option<Duration>)>,
    plan: Mutex<Plan>,
}

struct Plan {
    fault: Fault,
    at: usize,
    calls: Vec<Call>,
    is_armed: bool,
}

impl End {
    fn new(incoming: Arc<Flow>, outgoing: Arc<Flow>) -> Self {
        let plan = Plan { fault: Fault::Nothing, at: 0, calls: Vec::new(), is_armed: false };
        Self { incoming, outgoing, timeouts: Mutex::default(), plan: Mutex::new(plan) }
    }

    /// How many bytes this call may transfer, unless it goes wrong altogether.
    fn call(&self, call: Call) -> io::Result<usize> {
        let mut plan = self.plan.lock().unwrap();
        if !plan.is_armed {
            return Ok(usize::MAX);
        }
        let number = plan.calls.len();
        plan.calls.push(call);
        match plan.fault {
            Fault::Short if number == plan.at => Ok(1),
            Fault::Once(kind) if number == plan.at => Err(kind.into()),
            Fault::FromThenOn(kind) if number >= plan.at => Err(kind.into()),
            Fault::BrokenPipe if number >= plan.at && call != Call::Read => {
                Err(ErrorKind::BrokenPipe.into())
            }
            Fault::End if number >= plan.at && call == Call::Read => Ok(0),
            Fault::End if number >= plan.at => Err(ErrorKind::BrokenPipe.into()),
            _ => Ok(usize::MAX),
        }
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.incoming.end();
        self.outgoing.end();
    }
}

/// The bytes on their way in one direction.
struct Flow {
    capacity: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    bytes: VecDeque<u8>,
    is_over: bool,
}

impl Flow {
    fn new(capacity: usize) -> Self {
        Self { capacity, state: Mutex::default(), changed: Condvar::new() }
    }

    fn end(&self) {
        self.state.lock().unwrap().is_over = true;
        self.changed.notify_all();
    }

    /// Does something to the bytes as soon as there is anything to do, or it is over.
    fn access(
        &self,
        timeout: Option<Duration>,
        is_ready: impl Fn(&State) -> bool,
        mut access: impl FnMut(&mut State) -> io::Result<usize>,
    ) -> io::Result<usize> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut state = self.state.lock().unwrap();
        while !is_ready(&state) && !state.is_over {
            state = match deadline.map(|deadline| deadline.checked_duration_since(Instant::now())) {
                None => self.changed.wait(state).unwrap(),
                Some(Some(left)) => self.changed.wait_timeout(state, left).unwrap().0,
                // As an operating system does: one of this error's two names.
                Some(None) => return Err(ErrorKind::WouldBlock.into()),
            };
        }
        let outcome = access(&mut state);
        self.changed.notify_all();
        outcome
    }
}

impl Read for Pipe {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let most = self.0.call(Call::Read)?.min(room.len());
        if most == 0 {
            return Ok(0);
        }
        let timeout = self.0.timeouts.lock().unwrap().0;
        self.0.incoming.access(
            timeout,
            |state| !state.bytes.is_empty(),
            |state| {
                let count = most.min(state.bytes.len());
                for (byte, taken) in room.iter_mut().zip(state.bytes.drain(..count)) {
                    *byte = taken;
                }
                Ok(count)
            },
        )
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let most = self.0.call(Call::Write)?.min(bytes.len());
        let timeout = self.0.timeouts.lock().unwrap().1;
        let capacity = self.0.outgoing.capacity;
        self.0.outgoing.access(
            timeout,
            |state| state.bytes.len() < capacity,
            |state| {
                if state.is_over {
                    return Err(ErrorKind::BrokenPipe.into());
                }
                let count = most.min(capacity - state.bytes.len());
                state.bytes.extend(&bytes[..count]);
                Ok(count)
            },
        )
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.call(Call::Flush).map(drop)
    }
}

impl Socket for Pipe {
    fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        assert_ne!(timeout, Some(Duration::ZERO), "as a system refuses it");
        self.0.timeouts.lock().unwrap().0 = timeout;
        Ok(())
    }

    fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        assert_ne!(timeout, Some(Duration::ZERO), "as a system refuses it");
        self.0.timeouts.lock().unwrap().1 = timeout;
        Ok(())
    }

    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        if how != Shutdown::Write {
            self.0.incoming.end();
        }
        if how != Shutdown::Read {
            self.0.outgoing.end();
        }
        Ok(())
    }
}

impl CloneSocket for Pipe {
    fn try_clone(&self) -> io::Result<Self> {
        Ok(Self(Arc::clone(&self.0)))
    }
}
