//! One direction of a socket in memory.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Read};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Bytes on their way from one end to the other: written, but not yet read.
pub(super) struct Pipe {
    state: Mutex<State>,
    /// Tells all waiting readers and writers to look again.
    changed: Condvar,
}

struct State {
    bytes: VecDeque<u8>,
    capacity: usize,
    writer: Writer,
    reader: Reader,
}

/// What follows the last byte.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Writer {
    /// More bytes, eventually.
    Open,
    /// The end.
    Finished,
    /// An error, and then the end.
    Reset,
}

/// What happens to the bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    /// They are waited for.
    Open,
    /// They are read but not waited for. The writer isn't told: TCP has no segment to say so.
    Shut,
    /// They are refused.
    Gone,
}

impl Pipe {
    /// Creates an empty pipe that holds this many bytes, but at least one.
    pub(super) fn new(capacity: usize) -> Self {
        let state = State {
            bytes: VecDeque::new(),
            capacity: capacity.max(1),
            writer: Writer::Open,
            reader: Reader::Open,
        };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Waits until there is something to read, and reads what fits.
    pub(super) fn read(&self, room: &mut [u8], timeout: Option<Duration>) -> io::Result<usize> {
        if room.is_empty() {
            return Ok(0);
        }
        let mut state = self.wait_while(timeout, |state| state.is_dry())?;
        let read = state.take(room);
        self.changed.notify_all();
        read
    }

    /// Waits until there is room, and writes what fits.
    pub(super) fn write(
        &self,
        slices: &[IoSlice<'_>],
        timeout: Option<Duration>,
    ) -> io::Result<usize> {
        if slices.iter().all(|slice| slice.is_empty()) {
            return Ok(0);
        }
        let mut state = self.wait_while(timeout, |state| state.is_full())?;
        let written = state.put(slices);
        self.changed.notify_all();
        written
    }

    /// Ends the pipe after what was written.
    pub(super) fn finish(&self) {
        self.end(Writer::Finished);
    }

    /// Ends the pipe with an error.
    pub(super) fn reset(&self) {
        self.end(Writer::Reset);
    }

    /// Makes reads find the end where they would wait.
    pub(super) fn shut(&self) {
        self.lock().reader = Reader::Shut;
        self.changed.notify_all();
    }

    /// Refuses what is written from now on, and returns whether anything was left unread.
    pub(super) fn abandon(&self) -> bool {
        let mut state = self.lock();
        state.reader = Reader::Gone;
        self.changed.notify_all();
        !state.bytes.is_empty()
    }

    pub(super) fn is_finished(&self) -> bool {
        self.lock().writer != Writer::Open
    }

    pub(super) fn is_shut(&self) -> bool {
        self.lock().reader != Reader::Open
    }

    /// Ends the pipe like this, unless it has already ended.
    fn end(&self, writer: Writer) {
        let mut state = self.lock();
        if state.writer == Writer::Open {
            state.writer = writer;
            self.changed.notify_all();
        }
    }

    /// Waits until the condition is no longer true. A timeout is reported as on Unix.
    fn wait_while(
        &self,
        timeout: Option<Duration>,
        condition: impl FnMut(&mut State) -> bool,
    ) -> io::Result<MutexGuard<'_, State>> {
        let state = self.lock();
        let Some(timeout) = timeout else {
            let waited = self.changed.wait_while(state, condition);
            return Ok(waited.unwrap_or_else(PoisonError::into_inner));
        };
        let waited = self.changed.wait_timeout_while(state, timeout, condition);
        let (state, outcome) = waited.unwrap_or_else(PoisonError::into_inner);
        if outcome.timed_out() { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(state) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Returns whether a read has to wait.
    fn is_dry(&self) -> bool {
        self.bytes.is_empty() && self.writer == Writer::Open && self.reader == Reader::Open
    }

    /// Returns whether a write has to wait.
    fn is_full(&self) -> bool {
        self.room() == 0 && self.is_taking()
    }

    /// Returns whether bytes are still accepted.
    fn is_taking(&self) -> bool {
        self.writer == Writer::Open && self.reader != Reader::Gone
    }

    fn room(&self) -> usize {
        self.capacity - self.bytes.len()
    }

    fn take(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.bytes.is_empty() && self.writer == Writer::Reset {
            // A socket reports a reset only once.
            self.writer = Writer::Finished;
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let count = room.len().min(self.bytes.len());
        let (room, _) = room.split_at_mut(count);
        self.bytes.read_exact(room)?;
        Ok(count)
    }

    fn put(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        if !self.is_taking() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let before = self.bytes.len();
        for slice in slices {
            let (taken, _) = slice.split_at(slice.len().min(self.room()));
            self.bytes.extend(taken);
        }
        Ok(self.bytes.len() - before)
    }
}
