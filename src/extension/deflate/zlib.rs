//! Raw DEFLATE (RFC 1951) as RFC 7692, section 7.2, cuts it into messages. The one place that names
//! the library.

use alloc::vec::Vec;
use core::fmt;

use zlib_rs::{DeflateConfig, DeflateFlush, InflateFlush, Status};

use crate::error::ProtocolError;
use crate::extension::deflate::history::History;
use crate::extension::deflate::window_bits::WindowBits;
use crate::message::Storage;

/// The end of each flush: all of an empty uncompressed block but its first byte. The sender removes it, and the
/// receiver restores it (sections 7.2.1 and 7.2.2).
const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];

/// The most room for what comes out of one step of compression. A long message may become far shorter.
const MOST_ROOM: usize = 64 * 1024;

/// What a compressor is made for: compressors of the same kind can stand in for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CompressorKind {
    pub(super) level: u8,
    pub(super) memory_level: u8,
    /// Not 8, with which zlib can't make raw DEFLATE.
    pub(super) window: WindowBits,
}

/// Compresses messages. It remembers earlier ones for later ones to refer back to.
pub(super) struct Compressor {
    kind: CompressorKind,
    stream: zlib_rs::Deflate,
}

impl Compressor {
    pub(super) fn new(kind: CompressorKind) -> Self {
        let config = DeflateConfig {
            level: kind.level.into(),
            mem_level: kind.memory_level.into(),
            // Negative for DEFLATE without a header around it.
            window_bits: -i32::from(kind.window.get()),
            ..DeflateConfig::default()
        };
        Self { kind, stream: zlib_rs::Deflate::new_with_config(config) }
    }

    pub(super) const fn kind(&self) -> CompressorKind {
        self.kind
    }

    /// Compresses a whole message or its last fragment.
    pub(super) fn finish(&mut self, payload: &[u8]) -> Vec<u8> {
        if payload.is_empty() {
            // §7.2.3.6: zlib adds nothing to a flush, so this is the block that it would have made.
            // What came before ends at a byte boundary, as it was flushed.
            return Vec::from([0]);
        }
        let mut compressed = self.compress(payload);
        debug_assert!(compressed.ends_with(&TAIL), "a flush ends with an empty block");
        compressed.truncate(compressed.len().saturating_sub(TAIL.len()));
        compressed.trimmed()
    }

    /// Compresses a fragment that others follow, so that all of it can be read at once.
    pub(super) fn flush(&mut self, payload: &[u8]) -> Vec<u8> {
        self.compress(payload).trimmed()
    }

    fn compress(&mut self, mut payload: &[u8]) -> Vec<u8> {
        let room = (payload.len() / 2 + 64).min(MOST_ROOM);
        let mut compressed = Vec::new();
        loop {
            let start = compressed.len();
            compressed.resize(start + room, 0);
            let free = compressed.get_mut(start..).unwrap_or_default();
            let before = (self.stream.total_in(), self.stream.total_out());
            let status = self.stream.compress(payload, free, DeflateFlush::SyncFlush);
            let consumed = difference(self.stream.total_in(), before.0);
            let produced = difference(self.stream.total_out(), before.1);
            compressed.truncate(start + produced);
            payload = payload.get(consumed..).unwrap_or_default();
            debug_assert!(status.is_ok(), "{status:?}");
            // If room is left, nothing waits inside any more. But zlib may not have taken all of the payload:
            // it takes no more than 4 GiB at once.
            if produced < room && payload.is_empty() {
                return compressed;
            }
        }
    }

    /// Takes note of a message that reaches the peer in another way, as if it had been compressed here.
    pub(super) fn learn(&mut self, payload: &[u8]) {
        let seen = payload.len().saturating_sub(self.kind.window.bytes());
        if self.stream.set_dictionary(payload.get(seen..).unwrap_or_default()).is_err() {
            self.reset();
        }
    }

    /// Forgets what it has seen: nothing that follows refers back to it.
    pub(super) fn reset(&mut self) {
        self.stream.reset();
    }
}

impl fmt::Debug for Compressor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Compressor").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Decompresses messages that may refer back to earlier ones.
///
/// Its own window is always the largest, whatever was agreed: it reads what was made for a smaller
/// one just as well.
pub(super) struct Decompressor {
    stream: zlib_rs::Inflate,
    history: History,
    place: Place,
}

/// Where the input is in the compressed data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Where a block may begin: at the start of a message, or after a block with BFINAL set.
    Boundary,
    Inside,
}

/// What one step of decompression did.
pub(super) struct Step {
    /// How many bytes of the input were used.
    pub(super) used: usize,
    /// How many bytes of output there are.
    pub(super) made: usize,
}

impl Decompressor {
    pub(super) fn new() -> Self {
        Self {
            stream: zlib_rs::Inflate::new(false, WindowBits::MAX.get()),
            history: History::default(),
            place: Place::Boundary,
        }
    }

    /// Begins to serve a sender with this window, whatever it has served before.
    pub(super) fn reset(&mut self, window: WindowBits) {
        self.stream.reset(false);
        self.history.clear(window.bytes());
        self.place = Place::Boundary;
    }

    /// Decompresses as much as fits into `output`. Everything has come out when the input is used up
    /// and the output isn't full.
    ///
    /// There may be output before an error, to be checked first: otherwise what is wrong with a message
    /// would depend on how it was cut.
    pub(super) fn step(
        &mut self,
        input: &[u8],
        output: &mut [u8],
    ) -> (Step, Result<(), ProtocolError>) {
        let (status, step) = self.inflate(input, output, InflateFlush::NoFlush);
        if step.used > 0 {
            self.place = Place::Inside;
        }
        self.history.push(output.get(..step.made).unwrap_or_default());
        let outcome = match status {
            Ok(Status::StreamEnd) => self.resume_behind_final_block(),
            Ok(Status::Ok | Status::BufError) => Ok(()),
            Err(()) => Err(ProtocolError::CorruptCompression),
        };
        (step, outcome)
    }

    /// Ends the message. The next one may refer back to it.
    pub(super) fn finish(&mut self) -> Result<(), ProtocolError> {
        // Deviation: §7.2.2 has a message end in the block whose tail was removed. But some senders turn an empty
        // message into no byte, and some end at a block with BFINAL set: nothing is to be restored there.
        if self.place == Place::Inside {
            self.restore_tail()?;
        }
        Ok(())
    }

    fn restore_tail(&mut self) -> Result<(), ProtocolError> {
        self.place = Place::Boundary;
        // §7.2.2: a block ends with the tail, and exactly there. If it didn't, zlib, told to stop at
        // the end of a block, would go past it into the next block, or not get as far.
        let [a, b, c, d] = TAIL;
        let (status, step) =
            self.inflate(&[a, b, c, d, 0, a, b, c, d], &mut [0], InflateFlush::Block);
        let (Ok(Status::Ok), Step { used: 4, made: 0 }) = (status, step) else {
            return Err(ProtocolError::IncompleteCompression);
        };
        // The block that the tail ends may be an empty one with BFINAL set. That shows only now.
        match self.inflate(&[], &mut [0], InflateFlush::NoFlush) {
            (Ok(Status::StreamEnd), _) => self.resume_behind_final_block(),
            _ => Ok(()),
        }
    }

    /// §7.2.3.4: what zlib takes for the end of the data is only the end of a block.
    fn resume_behind_final_block(&mut self) -> Result<(), ProtocolError> {
        self.place = Place::Boundary;
        self.stream.reset(false);
        self.stream
            .set_dictionary(self.history.bytes())
            .map(|_| ())
            .map_err(|_| ProtocolError::CorruptCompression)
    }

    fn inflate(
        &mut self,
        input: &[u8],
        output: &mut [u8],
        flush: InflateFlush,
    ) -> (Result<Status, ()>, Step) {
        let before = (self.stream.total_in(), self.stream.total_out());
        let status = self.stream.decompress(input, output, flush).map_err(|_| ());
        let used = difference(self.stream.total_in(), before.0);
        let made = difference(self.stream.total_out(), before.1);
        (status, Step { used, made })
    }
}

impl fmt::Debug for Decompressor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Decompressor").field("place", &self.place).finish_non_exhaustive()
    }
}

/// How far a counter went, which is at most the length of a slice.
fn difference(after: u64, before: u64) -> usize {
    usize::try_from(after - before).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: CompressorKind =
        CompressorKind { level: 6, memory_level: 8, window: WindowBits::MAX };

    #[test]
    fn the_examples_of_section_7_2_3_come_out_byte_for_byte() {
        let mut compressor = Compressor::new(KIND);
        assert_eq!(compressor.finish(b"Hello"), b"\xf2\x48\xcd\xc9\xc9\x07\x00");
        assert_eq!(compressor.finish(b"Hello"), b"\xf2\x00\x11\x00\x00");
        compressor.reset();
        assert_eq!(compressor.finish(b"Hello"), b"\xf2\x48\xcd\xc9\xc9\x07\x00");
        for _ in 0..3 {
            assert_eq!(compressor.finish(b""), b"\x00");
        }
        assert_eq!(compressor.finish(b"Hello"), b"\xf2\x00\x11\x00\x00");
    }

    #[test]
    fn a_compressor_refers_to_what_it_has_learnt() {
        let mut compressor = Compressor::new(KIND);
        compressor.learn(b"Hello");
        assert_eq!(compressor.finish(b"Hello"), b"\xf2\x00\x11\x00\x00");
    }
}
