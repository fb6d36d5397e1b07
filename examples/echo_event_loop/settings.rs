use std::time::Duration;

use sansocket::{Config, Keepalive, Timers};

/// Limits and timeouts of the event loop and its peers.
#[derive(Clone, Copy)]
pub(crate) struct Settings {
    /// How many peers there may be. Any further ones are closed without an answer.
    pub(crate) max_peers: usize,
    pub(crate) config: Config,
    pub(crate) timers: Timers,
    /// How long the opening handshake may take, however slowly it drips in.
    pub(crate) handshake: Duration,
    /// How long a socket may accept nothing of what is to be written to it.
    pub(crate) stall: Duration,
    /// How long a peer may keep its TCP connection once everything has been said.
    pub(crate) linger: Duration,
}

impl Settings {
    /// Creates settings with which no peer may keep the server waiting for longer than `patience`.
    pub(crate) fn new(max_peers: usize, patience: Duration) -> Self {
        let brief = patience.min(Duration::from_secs(5));
        Self {
            max_peers,
            // The event loop bounds what waits: it doesn't read from a peer that doesn't read.
            config: Config::default().max_outgoing_size(usize::MAX),
            timers: Timers::default()
                .keepalive(Some(Keepalive::new(patience, patience)))
                .close(Some(brief)),
            handshake: patience,
            stall: patience,
            linger: brief,
        }
    }
}
