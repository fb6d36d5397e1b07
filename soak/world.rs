use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use sansocket::extension::Deflate;

/// What the clients share.
pub(crate) struct World {
    pub(crate) url: String,
    pub(crate) tally: Tally,
    /// What those that compress offer.
    pub(crate) deflate: [Deflate; 2],
    stage: Mutex<Stage>,
    staying: AtomicUsize,
}

/// What is expected of the clients now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// To connect, to talk, to end that in some way, again and again.
    Roaming,
    /// To close, and that is all.
    Leaving,
    /// To be connected, to have settled everything, and to go on with small talk.
    Staying,
    /// To be told by the server that it is going away.
    Dismissed,
}

impl World {
    pub(crate) fn new(url: String) -> Self {
        let stateless =
            Deflate::default().server_no_context_takeover().client_no_context_takeover();
        Self {
            url,
            tally: Tally::default(),
            deflate: [Deflate::default(), stateless.level(1)],
            stage: Mutex::new(Stage::Roaming),
            staying: AtomicUsize::new(0),
        }
    }

    pub(crate) fn stage(&self) -> Stage {
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn enter(&self, stage: Stage) {
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner) = stage;
    }

    /// How many clients are connected, and going to stay so.
    pub(crate) fn staying(&self) -> usize {
        self.staying.load(Ordering::SeqCst)
    }

    /// Counts a client as one that stays, for as long as it keeps this.
    pub(crate) fn stay(&self) -> Stay<'_> {
        self.staying.fetch_add(1, Ordering::SeqCst);
        Stay(self)
    }
}

pub(crate) struct Stay<'world>(&'world World);

impl Drop for Stay<'_> {
    fn drop(&mut self) {
        self.0.staying.fetch_sub(1, Ordering::SeqCst);
    }
}

/// What all clients together have done.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) connections: Count,
    pub(crate) split: Count,
    pub(crate) compressing: Count,
    /// Connections that were ended without a closing handshake.
    pub(crate) dropped: Count,
    /// Messages that have come back as they were sent, and their bytes.
    pub(crate) messages: Count,
    pub(crate) bytes: Count,
    /// Messages that were on their way when their client dropped the connection, or the server closed it.
    pub(crate) given_up: Count,
    pub(crate) pings: Count,
    /// Connections whose keepalive was answered.
    pub(crate) measured: Count,
    /// Connections that the server closed with 1001.
    pub(crate) dismissed: Count,
}

#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, number: u64) {
        self.0.fetch_add(number, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl fmt::Display for Count {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(formatter)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} messages, {} MB, {} pings; {} connections, {} of them split, {} compressing, {} dropped",
            self.messages,
            self.bytes.get() / 1_000_000,
            self.pings,
            self.connections,
            self.split,
            self.compressing,
            self.dropped,
        )
    }
}
