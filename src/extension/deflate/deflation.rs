use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem;

use bytes::Bytes;

use crate::extension::deflate::agreed::AgreedDeflate;
use crate::extension::deflate::parameters::{ContextTakeover, SenderParameters};
use crate::extension::deflate::pool::Pool;
use crate::extension::deflate::shared_compression::SharedCompression;
use crate::extension::deflate::zlib::{Compressor, CompressorKind};
use crate::role::Role;

/// Compresses what this end sends (RFC 7692, sections 6.1 and 7.2.1).
#[derive(Debug, Default)]
pub(crate) enum Deflation {
    /// The extension isn't in use.
    #[default]
    Off,
    /// Between two messages, with nothing to remember.
    Idle { pool: Arc<Pool>, sender: SenderParameters },
    /// Inside a compressed message, or between two, the second of which may refer to the first.
    Open(Box<Open>),
}

#[derive(Debug)]
pub(crate) struct Open {
    pool: Arc<Pool>,
    sender: SenderParameters,
    compressor: Compressor,
}

impl Deflation {
    pub(crate) fn new(sender: Role, agreed: &AgreedDeflate) -> Self {
        Self::Idle { pool: agreed.pool(), sender: agreed.parameters().sender(sender) }
    }

    #[inline]
    pub(crate) const fn is_off(&self) -> bool {
        matches!(self, Self::Off)
    }

    /// Compresses a message that is sent in one frame; returns `None` if it is to be sent uncompressed.
    pub(crate) fn message(&mut self, payload: &[u8]) -> Option<Vec<u8>> {
        let kind = self.kind_for(payload)?;
        let mut open = self.open(kind)?;
        let compressed = open.compressor.finish(payload);
        let is_shorter = compressed.len() < payload.len();
        if !is_shorter {
            // The peer's window won't hold what the compressor has seen, so nothing may refer to that.
            open.compressor.reset();
        }
        self.close(open);
        is_shorter.then_some(compressed)
    }

    /// Compresses a message that is sent to many, once for all of a kind; returns `None` if it is to be sent uncompressed.
    pub(crate) fn prepared(&mut self, payload: &[u8], shared: &SharedCompression) -> Option<Bytes> {
        let kind = self.kind_for(payload)?;
        let compressed = shared.get_or_compress(self.pool()?, kind, payload)?;
        // It refers to nothing before it, so any peer can read it at any time. But then it is in the
        // peer's window, and has to be in the compressor's too.
        if let Self::Open(open) = self {
            open.compressor.learn(payload);
        }
        Some(compressed)
    }

    /// Compresses the first fragment of a message; returns `None` if the whole message is to be sent
    /// uncompressed.
    pub(crate) fn first_fragment(&mut self, payload: &[u8]) -> Option<Vec<u8>> {
        let kind = self.kind()?;
        let mut open = self.open(kind)?;
        let compressed = open.compressor.flush(payload);
        *self = Self::Open(open);
        Some(compressed)
    }

    /// Compresses a further fragment, if the message is compressed.
    pub(crate) fn next_fragment(&mut self, payload: &[u8]) -> Option<Vec<u8>> {
        // If the first fragment was compressed, it left its compressor here; if not, it had none.
        match self {
            Self::Open(open) => Some(open.compressor.flush(payload)),
            Self::Off | Self::Idle { .. } => None,
        }
    }

    /// Compresses the last fragment, if the message is compressed.
    pub(crate) fn last_fragment(&mut self, payload: &[u8]) -> Option<Vec<u8>> {
        match mem::take(self) {
            Self::Open(mut open) => {
                let compressed = open.compressor.finish(payload);
                self.close(open);
                Some(compressed)
            }
            uncompressed => {
                *self = uncompressed;
                None
            }
        }
    }

    fn pool(&self) -> Option<&Pool> {
        match self {
            Self::Off => None,
            Self::Idle { pool, .. } => Some(pool),
            Self::Open(open) => Some(&open.pool),
        }
    }

    /// The kind of compressor used here, if the window allows one.
    fn kind(&self) -> Option<CompressorKind> {
        let sender = match self {
            Self::Off => return None,
            Self::Idle { sender, .. } => sender,
            Self::Open(open) => &open.sender,
        };
        self.pool()?.kind(sender.window())
    }

    /// The same, if the payload is worth compressing.
    fn kind_for(&self, payload: &[u8]) -> Option<CompressorKind> {
        if payload.len() < self.pool()?.tuning().threshold {
            return None;
        }
        self.kind()
    }

    /// Takes the state out, with a compressor in it.
    fn open(&mut self, kind: CompressorKind) -> Option<Box<Open>> {
        match mem::take(self) {
            Self::Off => None,
            Self::Idle { pool, sender } => {
                let compressor = pool.compressor(kind);
                Some(Box::new(Open { pool, sender, compressor }))
            }
            Self::Open(open) => Some(open),
        }
    }

    /// Puts the state back at the end of a message.
    fn close(&mut self, open: Box<Open>) {
        *self = match open.sender.context_takeover {
            ContextTakeover::Yes => Self::Open(open),
            ContextTakeover::No => {
                let Open { pool, sender, compressor, .. } = *open;
                pool.give_back_compressor(compressor);
                Self::Idle { pool, sender }
            }
        };
    }
}
