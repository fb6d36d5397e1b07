use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::blocking::lock::lock;
use crate::connection::CloseFrame;

/// Stops an [`AcceptLoop`](super::AcceptLoop), from any thread; see
/// [`AcceptLoop::shutdown_handle`](super::AcceptLoop::shutdown_handle).
#[derive(Clone)]
pub struct ShutdownHandle {
    pub(super) registry: Arc<Registry>,
}

impl ShutdownHandle {
    /// Stops accepting, closes every connection with the loop's [goodbye](super::AcceptLoop::goodbye), and ends
    /// the loop when all are gone or its [deadline](super::AcceptLoop::shutdown_deadline) has passed. Called
    /// again, it ends the loop at once.
    ///
    /// Doesn't wait for connections, and waits at most a second for each listener whose queue is full;
    /// [`AcceptLoop::run`](super::AcceptLoop::run) is what returns when it is over.
    pub fn shut_down(&self) {
        self.registry.shut_down();
    }

    /// How many connections there are, those in their opening handshake included.
    pub fn connections(&self) -> usize {
        self.registry.lock().connections.len()
    }
}

impl fmt::Debug for ShutdownHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ShutdownHandle").finish_non_exhaustive()
    }
}

/// The connections of a loop, and whether it is to stop.
pub(super) struct Registry {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    phase: Phase,
    connections: HashMap<u64, Option<Arc<dyn Ending>>>,
    next_id: u64,
    /// For each thread that accepts connections, a function that ends its wait for the next one.
    wakes: HashMap<u64, Arc<dyn Fn() + Send + Sync>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Running,
    Stopping,
    /// Stopping without waiting for anybody.
    Hurrying,
}

/// How a connection is ended from outside its thread. No method waits for the peer.
pub(super) trait Ending: Send + Sync {
    /// Begins the closing handshake, for the connection's own thread to go on with when it next looks.
    fn close(&self, frame: &CloseFrame<'_>);

    /// Writes what is queued, as far as the peer takes it at once.
    fn try_flush(&self);

    /// Ends the transport.
    fn abort(&self);
}

impl Registry {
    pub(super) fn new() -> Self {
        let state = State {
            phase: Phase::Running,
            connections: HashMap::new(),
            next_id: 0,
            wakes: HashMap::new(),
        };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Registers a thread that accepts connections, with a function that ends its wait for the next one.
    pub(super) fn start(&self, wake: Box<dyn Fn() + Send + Sync>) -> Accepting<'_> {
        let mut state = self.lock();
        let id = state.new_id();
        state.wakes.insert(id, wake.into());
        Accepting { registry: self, id }
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.lock().phase != Phase::Running
    }

    /// A place for one more connection, if there are fewer than `most`.
    pub(super) fn admit(self: &Arc<Self>, most: usize) -> Option<Slot> {
        let mut state = self.lock();
        if state.connections.len() >= most {
            return None;
        }
        let id = state.new_id();
        state.connections.insert(id, None);
        Some(Slot { registry: Arc::clone(self), id })
    }

    /// Waits for this long, or until the loop is to stop.
    pub(super) fn pause(&self, duration: Duration) {
        let state = self.lock();
        let is_running = |state: &mut State| state.phase == Phase::Running;
        drop(self.changed.wait_timeout_while(state, duration, is_running));
    }

    /// Closes all connections, waits until they are gone or the time is up, and ends the rest; returns how
    /// many those were.
    pub(super) fn drain(&self, frame: &CloseFrame<'_>, deadline: Duration) -> usize {
        let started = Instant::now();
        let endings = self.endings();
        for ending in &endings {
            ending.close(frame);
        }
        for ending in endings {
            // Each that takes nothing costs a moment, and there may be many. The others don't depend on this.
            if self.lock().phase == Phase::Hurrying || started.elapsed() >= deadline {
                break;
            }
            ending.try_flush();
        }
        let mut state = self.lock();
        while state.phase == Phase::Stopping && !state.connections.is_empty() {
            let Some(left) = deadline.checked_sub(started.elapsed()) else { break };
            let outcome = self.changed.wait_timeout(state, left);
            state = outcome.unwrap_or_else(PoisonError::into_inner).0;
        }
        let left = state.connections.len();
        drop(state);
        for ending in self.endings() {
            ending.abort();
        }
        left
    }

    fn endings(&self) -> Vec<Arc<dyn Ending>> {
        self.lock().connections.values().flatten().cloned().collect()
    }

    fn shut_down(&self) {
        let mut state = self.lock();
        state.phase = match state.phase {
            Phase::Running => Phase::Stopping,
            Phase::Stopping | Phase::Hurrying => Phase::Hurrying,
        };
        drop(state);
        self.changed.notify_all();
        self.wake();
    }

    /// Wakes each thread that waits for a connection, or another that accepts from the same listener.
    fn wake(&self) {
        let wakes: Vec<_> = self.lock().wakes.values().cloned().collect();
        for wake in wakes {
            wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl State {
    const fn new_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }
}

/// A thread that accepts connections.
pub(super) struct Accepting<'registry> {
    registry: &'registry Registry,
    id: u64,
}

impl Drop for Accepting<'_> {
    fn drop(&mut self) {
        let mut state = self.registry.lock();
        state.wakes.remove(&self.id);
        let is_stopping = state.phase != Phase::Running;
        drop(state);
        if is_stopping {
            // The connection that woke this one may have been meant for another.
            self.registry.wake();
        }
    }
}

/// The place of one connection, for as long as its handler runs or one of its ends lives.
pub(super) struct Slot {
    registry: Arc<Registry>,
    id: u64,
}

impl Slot {
    /// Sets how the connection can be ended; returns `false` if it should end now.
    pub(super) fn set_ending(&self, ending: Arc<dyn Ending>) -> bool {
        let mut state = self.registry.lock();
        let earlier = state.connections.insert(self.id, Some(ending));
        let is_running = state.phase == Phase::Running;
        drop(state);
        // It may close a socket, which may take time: not under the lock.
        drop(earlier);
        is_running
    }

    /// Leaves the end of the connection to its own thread.
    pub(super) fn forget_ending(&self) {
        let forgotten = self.registry.lock().connections.insert(self.id, None);
        drop(forgotten);
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Slot").field(&self.id).finish()
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let removed = self.registry.lock().connections.remove(&self.id);
        drop(removed);
        self.registry.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;
    use crate::close_code::CloseCode;

    /// Connections that each take a while to be told.
    #[derive(Default)]
    struct Slow {
        closed: AtomicUsize,
        told: AtomicUsize,
        cut: AtomicUsize,
        /// Hurries once one has been told.
        impatient: Option<Arc<Registry>>,
    }

    impl Ending for Slow {
        fn close(&self, _: &CloseFrame<'_>) {
            self.closed.fetch_add(1, Ordering::Relaxed);
        }

        fn try_flush(&self) {
            thread::sleep(Duration::from_millis(20));
            self.told.fetch_add(1, Ordering::Relaxed);
            if let Some(registry) = &self.impatient {
                registry.shut_down();
            }
        }

        fn abort(&self) {
            self.cut.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Shuts ten connections down, and returns how many were told and how many were cut off.
    fn drain(registry: &Arc<Registry>, slow: Slow, deadline: Duration) -> (usize, usize) {
        let slow = Arc::new(slow);
        let slots: Vec<_> = (0..10).map_while(|_| registry.admit(10)).collect();
        assert!(slots.iter().all(|slot| slot.set_ending(slow.clone())));
        registry.shut_down();
        assert_eq!(registry.drain(&CloseFrame::from(CloseCode::GOING_AWAY), deadline), 10);
        assert_eq!(slow.closed.load(Ordering::Relaxed), 10);
        (slow.told.load(Ordering::Relaxed), slow.cut.load(Ordering::Relaxed))
    }

    #[test]
    fn those_that_could_not_be_told_before_the_deadline_are_cut_off_too() {
        let registry = Arc::new(Registry::new());
        let (told, cut) = drain(&registry, Slow::default(), Duration::from_millis(50));
        assert!(told <= 3, "{told}");
        assert_eq!(cut, 10);
    }

    #[test]
    fn the_others_are_not_told_any_more_after_a_second_shutdown() {
        let registry = Arc::new(Registry::new());
        let slow = Slow { impatient: Some(Arc::clone(&registry)), ..Slow::default() };
        assert_eq!(drain(&registry, slow, Duration::from_secs(3600)), (1, 10));
    }
}
