use alloc::sync::Arc;

use crate::extension::deflate::agreed::AgreedDeflate;
use crate::extension::deflate::parameters::{ContextTakeover, DeflateParameters};
use crate::extension::deflate::pool::{Pool, Tuning};
use crate::extension::deflate::window_bits::WindowBits;

/// permessage-deflate (RFC 7692): what this end offers or accepts, and how it compresses.
///
/// Give it to a client's request or a server's acceptance, and the rest is negotiated. One serves
/// any number of connections, which share its pool of compressors; so do its clones.
///
/// ```
/// use sansocket::extension::{Deflate, WindowBits};
///
/// let deflate = Deflate::default()
///     .server_no_context_takeover()
///     .client_max_window_bits(WindowBits::new(12).unwrap())
///     .level(1);
/// assert_eq!(
///     deflate.offer().to_string(),
///     "permessage-deflate; server_no_context_takeover; client_max_window_bits=12",
/// );
/// ```
///
/// # What it costs
///
/// With context takeover, the default of the RFC, similar messages become much smaller, and each
/// connection keeps what it needs for that from its first compressed message on: with the default
/// window and memory level, 372 KiB to send and 94 KiB to receive. Without context takeover, it keeps
/// nothing between two messages. A server with many connections should use
/// [`server_no_context_takeover`](Self::server_no_context_takeover) and
/// [`client_no_context_takeover`](Self::client_no_context_takeover).
///
/// # When it is not wise
///
/// Compression makes the length of a message depend on its content. Where an attacker can add to a
/// message that holds a secret and watch the length on the wire, the secret can be guessed step by
/// step (section 8, and the attacks called CRIME and BREACH).
#[derive(Debug, Clone)]
pub struct Deflate {
    wanted: DeflateParameters,
    pool: Arc<Pool>,
}

impl Default for Deflate {
    /// Context takeover in both directions, windows of 32 KiB, level 6.
    fn default() -> Self {
        let tuning = Tuning { level: 6, memory_level: 8, threshold: 128, max_idle: 4 };
        Self { wanted: DeflateParameters::default(), pool: Arc::new(Pool::new(tuning)) }
    }
}

impl Deflate {
    /// Makes each message of the server stand alone (section 7.1.1.1). A client asks for it and
    /// accepts nothing else.
    #[must_use]
    pub const fn server_no_context_takeover(mut self) -> Self {
        self.wanted.server.context_takeover = ContextTakeover::No;
        self
    }

    /// Makes each message of the client stand alone (section 7.1.1.2). A server asks for it, and
    /// every client has to comply.
    #[must_use]
    pub const fn client_no_context_takeover(mut self) -> Self {
        self.wanted.client.context_takeover = ContextTakeover::No;
        self
    }

    /// Limits the server's window (section 7.1.2.1); 32 KiB by default. A client asks for it and
    /// accepts nothing larger. A server whose window is [`WindowBits::MIN`] sends its messages
    /// uncompressed.
    #[must_use]
    pub const fn server_max_window_bits(mut self, bits: WindowBits) -> Self {
        self.wanted.server.max_window_bits = Some(bits);
        self
    }

    /// Limits the client's window (section 7.1.2.2); 32 KiB by default. A server asks for it if the
    /// client's offer allows that. A client whose window is [`WindowBits::MIN`] sends its messages
    /// uncompressed.
    #[must_use]
    pub const fn client_max_window_bits(mut self, bits: WindowBits) -> Self {
        self.wanted.client.max_window_bits = Some(bits);
        self
    }

    /// Sets how hard to try, from 1, the fastest, to 9, the smallest; 6 by default. Other values count
    /// as the nearest of these.
    #[must_use]
    pub fn level(self, level: u8) -> Self {
        self.tune(|tuning| tuning.level = level.clamp(1, 9))
    }

    /// Sets how much memory a compressor uses apart from its window, from 1, the least, to 9; 8 by
    /// default. Other values count as the nearest of these.
    #[must_use]
    pub fn memory_level(self, level: u8) -> Self {
        self.tune(|tuning| tuning.memory_level = level.clamp(1, 9))
    }

    /// Sets the least size in bytes of a message that is compressed; 128 by default. A message that
    /// would not become smaller is sent uncompressed in any case.
    ///
    /// A message in fragments is compressed whatever its size, as that isn't known when it begins.
    #[must_use]
    pub fn threshold(self, bytes: usize) -> Self {
        self.tune(|tuning| tuning.threshold = bytes)
    }

    /// Sets how many compressors, and how many decompressors, the pool keeps for connections without
    /// context takeover; 4 by default. One for each thread that sends at the same time saves making new
    /// ones.
    #[must_use]
    pub fn max_pooled(self, count: usize) -> Self {
        self.tune(|tuning| tuning.max_idle = count)
    }

    pub(super) const fn wanted(&self) -> &DeflateParameters {
        &self.wanted
    }

    /// Returns the agreement on these parameters, if the ends have settled on them in another way than
    /// with [`accept`](Self::accept) and [`check`](Self::check).
    pub fn agree(&self, parameters: DeflateParameters) -> AgreedDeflate {
        AgreedDeflate::new(parameters, Arc::clone(&self.pool))
    }

    /// Gives it a pool of its own, as compressors with other settings are of no use in it.
    fn tune(self, change: impl FnOnce(&mut Tuning)) -> Self {
        let mut tuning = *self.pool.tuning();
        change(&mut tuning);
        Self { wanted: self.wanted, pool: Arc::new(Pool::new(tuning)) }
    }
}
