use alloc::vec::Vec;
use std::sync::{Mutex, PoisonError};

use crate::extension::deflate::window_bits::WindowBits;
use crate::extension::deflate::zlib::{Compressor, CompressorKind, Decompressor};

/// Compressors and decompressors that no connection is using, and how they are made.
///
/// All connections of one [`Deflate`](super::Deflate) share it, so that those without context
/// takeover keep nothing between two messages.
#[derive(Debug)]
pub(crate) struct Pool {
    tuning: Tuning,
    idle: Mutex<Idle>,
}

/// How messages are compressed, beyond what the ends have to agree on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tuning {
    pub(super) level: u8,
    pub(super) memory_level: u8,
    /// The least size of a message that is worth compressing, in bytes.
    pub(super) threshold: usize,
    /// How many compressors, and how many decompressors, may be idle.
    pub(super) max_idle: usize,
}

#[derive(Debug, Default)]
struct Idle {
    compressors: Vec<Compressor>,
    decompressors: Vec<Decompressor>,
}

impl Pool {
    pub(super) fn new(tuning: Tuning) -> Self {
        Self { tuning, idle: Mutex::default() }
    }

    pub(super) const fn tuning(&self) -> &Tuning {
        &self.tuning
    }

    /// The kind of compressor for a sender with this window, or `None` for a window with which zlib
    /// can't compress.
    pub(super) fn kind(&self, window: WindowBits) -> Option<CompressorKind> {
        let Tuning { level, memory_level, .. } = self.tuning;
        (window > WindowBits::MIN).then_some(CompressorKind { level, memory_level, window })
    }

    /// Takes a compressor that has seen nothing from the pool, or makes one.
    pub(super) fn compressor(&self, kind: CompressorKind) -> Compressor {
        let pooled = self.with_idle(|idle| {
            let at = idle.compressors.iter().rposition(|compressor| compressor.kind() == kind)?;
            Some(idle.compressors.swap_remove(at))
        });
        pooled.unwrap_or_else(|| Compressor::new(kind))
    }

    pub(super) fn give_back_compressor(&self, mut compressor: Compressor) {
        compressor.reset();
        self.with_idle(|idle| keep(compressor, &mut idle.compressors, self.tuning.max_idle));
    }

    /// Takes a decompressor from the pool, or makes one, for a sender with this window.
    pub(super) fn decompressor(&self, window: WindowBits) -> Decompressor {
        let pooled = self.with_idle(|idle| idle.decompressors.pop());
        let mut decompressor = pooled.unwrap_or_else(Decompressor::new);
        decompressor.reset(window);
        decompressor
    }

    pub(super) fn give_back_decompressor(&self, decompressor: Decompressor) {
        self.with_idle(|idle| keep(decompressor, &mut idle.decompressors, self.tuning.max_idle));
    }

    fn with_idle<T>(&self, action: impl FnOnce(&mut Idle) -> T) -> T {
        // A thread that panicked while holding the lock can have lost no more than one.
        action(&mut self.idle.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Keeps the newest: the oldest make room, so that kinds that are no longer asked for disappear.
fn keep<T>(returned: T, idle: &mut Vec<T>, at_most: usize) {
    if at_most == 0 {
        return;
    }
    if idle.len() >= at_most {
        idle.remove(0);
    }
    idle.push(returned);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_and_the_oldest_make_room() {
        for at_most in 0..4 {
            let mut idle = Vec::new();
            for returned in 1..=10_usize {
                keep(returned, &mut idle, at_most);
                let oldest = (returned + 1).saturating_sub(at_most).max(1);
                assert!(idle.iter().copied().eq(oldest..=returned), "{idle:?} of {at_most}");
            }
        }
    }
}
