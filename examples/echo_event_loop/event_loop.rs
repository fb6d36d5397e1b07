use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::event::Event as Readiness;
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token, Waker};
use slab::Slab;

use super::alarm::Alarm;
use super::application::Application;
use super::deadlines::{Deadlines, Timer};
use super::peer::{Next, Peer, Shared};
use super::settings::Settings;

const LISTENER: Token = Token(usize::MAX);
const STOP: Token = Token(usize::MAX - 1);
const ALARM: Token = Token(usize::MAX - 2);

/// The size of the one buffer for all reads. It should fit into the L2 cache with room to spare.
const BUFFER: usize = 192 * 1024;

/// How many connections are accepted before the existing ones have their turn.
const ACCEPTS: usize = 64;

/// How long nothing is accepted after an error: too many open files, for example, is cured when
/// connections end.
const PAUSE: Duration = Duration::from_millis(250);

/// Serves all connections of one listener, on the thread that runs it.
///
/// ```text
///        ┌──────────────────────────────────────────────────────────────────┐
///        ▼                                                                  │
///   poll until a socket is ready, a deadline has come, or the server stops  │
///        ├─▶ a turn for each peer that is ready                             │
///        ├─▶ a turn for each that was not finished before                   │
///        ├─▶ accept some connections                                        │
///        └─▶ a turn for each peer whose deadline has come ──────────────────┘
/// ```
pub(crate) struct EventLoop<A> {
    poll: Poll,
    /// `None` once the server is stopping.
    listener: Option<TcpListener>,
    /// When to accept: now, if a client is waiting, or when a pause is over.
    accept_from: Option<Instant>,
    peers: Slab<Peer>,
    /// Peers that get a turn without being ready: those not finished with their last one, and new ones.
    queue: VecDeque<usize>,
    deadlines: Deadlines,
    shared: Shared<A>,
}

impl<A: Application> EventLoop<A> {
    /// Listens on this address.
    ///
    /// # Errors
    ///
    /// Those of the system calls.
    pub(crate) fn bind(
        address: SocketAddr,
        settings: Settings,
        application: A,
    ) -> io::Result<Self> {
        let mut listener = TcpListener::bind(address)?;
        let poll = Poll::new()?;
        let registry = poll.registry().try_clone()?;
        registry.register(&mut listener, LISTENER, Interest::READABLE)?;
        let buffer = vec![0; BUFFER].into_boxed_slice();
        let now = Instant::now();
        let alarm = Alarm::new(&registry, ALARM)?;
        Ok(Self {
            poll,
            listener: Some(listener),
            accept_from: None,
            peers: Slab::new(),
            queue: VecDeque::new(),
            deadlines: Deadlines::new(alarm),
            shared: Shared { registry, buffer, storage: Vec::new(), now, settings, application },
        })
    }

    /// Returns where it listens.
    ///
    /// # Errors
    ///
    /// Those of the system call.
    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        match &self.listener {
            Some(listener) => listener.local_addr(),
            None => Err(ErrorKind::NotConnected.into()),
        }
    }

    /// Returns a handle that stops the server from another thread.
    ///
    /// Every WebSocket is told, and [`run`](Self::run) returns when all have answered or taken too long. If
    /// woken again, it returns at once.
    ///
    /// # Errors
    ///
    /// Those of the system call.
    pub(crate) fn stopper(&self) -> io::Result<Waker> {
        Waker::new(&self.shared.registry, STOP)
    }

    /// Serves until it is stopped.
    ///
    /// # Errors
    ///
    /// Those of the poll. An error on one connection ends only that connection.
    pub(crate) fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        while self.listener.is_some() || !self.peers.is_empty() {
            match self.poll.poll(&mut events, self.timeout()) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                polled => polled?,
            }
            let rang = events.iter().any(|readiness| readiness.token() == ALARM);
            self.shared.now = self.deadlines.now(self.shared.now, rang);
            let queued = self.queue.len();
            for readiness in &events {
                match readiness.token() {
                    LISTENER => {
                        self.accept_from.get_or_insert(self.shared.now);
                    }
                    STOP => self.stop(),
                    ALARM => {} // handled above and below
                    Token(key) => self.take_turn_if_ready(key, readiness),
                }
            }
            self.take_queued_turns(queued);
            self.accept();
            self.take_overdue_turns();
            let busy = !rang && !events.is_empty();
            self.deadlines.set_alarm(self.shared.now, busy)?;
        }
        Ok(())
    }

    /// Returns how long there is nothing to do unless the poll says so.
    fn timeout(&self) -> Option<Duration> {
        if !self.queue.is_empty() {
            return Some(Duration::ZERO);
        }
        let now = self.shared.now;
        let accept = self.accept_from.map(|time| time.saturating_duration_since(now));
        [accept, self.deadlines.timeout(now)].into_iter().flatten().min()
    }

    fn stop(&mut self) {
        if self.listener.take().is_none() {
            self.peers.clear(); // somebody is in a hurry
        }
        self.accept_from = None;
        self.peers.retain(|key, peer| {
            enqueue(&mut self.queue, key, peer);
            peer.go_away()
        });
    }

    fn accept(&mut self) {
        let now = self.shared.now;
        let Some(listener) = &self.listener else { return };
        if self.accept_from.is_none_or(|time| time > now) {
            return;
        }
        for _ in 0..ACCEPTS {
            let stream = match listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.accept_from = None;
                    return;
                }
                Err(error) => {
                    eprintln!("cannot accept a connection: {error}");
                    self.accept_from = Some(now + PAUSE);
                    return;
                }
            };
            if self.peers.len() == self.shared.settings.max_peers {
                continue; // dropping the stream closes it
            }
            let entry = self.peers.vacant_entry();
            let key = entry.key();
            if let Ok(peer) = Peer::new(stream, Token(key), &self.shared) {
                enqueue(&mut self.queue, key, entry.insert(peer));
            }
        }
    }

    /// Gives the peer a turn, unless it gets one anyway.
    fn take_turn_if_ready(&mut self, key: usize, readiness: &Readiness) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        peer.notice(readiness);
        if !peer.is_queued {
            self.take_turn(key);
        }
    }

    /// Gives one turn to each of the first `count` queued peers. Those queued in the meantime wait for the
    /// next poll, so that a peer that always has something to say doesn't keep others waiting.
    fn take_queued_turns(&mut self, count: usize) {
        for _ in 0..count {
            let Some(key) = self.queue.pop_front() else { return };
            if let Some(peer) = self.peers.get_mut(key) {
                peer.is_queued = false;
                self.take_turn(key);
            }
        }
    }

    fn take_overdue_turns(&mut self) {
        while let Some((key, timer)) = self.deadlines.pop(self.shared.now) {
            match self.peers.get_mut(key) {
                Some(peer) if peer.timer == timer => {
                    peer.timer = Timer::OFF;
                    self.take_turn(key);
                }
                _ => {}
            }
        }
    }

    fn take_turn(&mut self, key: usize) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        match peer.turn(Token(key), &mut self.shared) {
            Ok(Next::Over) | Err(_) => {
                self.peers.remove(key);
                let peers = &self.peers;
                self.deadlines.tidy(peers.len(), |key, timer| {
                    peers.get(key).is_some_and(|peer| peer.timer == timer)
                });
            }
            Ok(next) => {
                if let Some(deadline) = peer.deadline() {
                    self.deadlines.set(key, &mut peer.timer, deadline);
                }
                if next == Next::Again {
                    enqueue(&mut self.queue, key, peer);
                }
            }
        }
    }
}

fn enqueue(queue: &mut VecDeque<usize>, key: usize, peer: &mut Peer) {
    if !peer.is_queued {
        peer.is_queued = true;
        queue.push_back(key);
    }
}
