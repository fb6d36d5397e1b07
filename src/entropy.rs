use alloc::sync::Arc;
#[cfg(feature = "std")]
use core::cell::RefCell;
use core::fmt;

/// Where masking keys and handshake nonces come from.
///
/// RFC 6455, section 10.3, asks for masking keys that the application that supplies the data can't
/// predict, so the source has to be cryptographically strong. With the feature `std`, the default is
/// the thread's CSPRNG; without it, or for reproducible tests, bring your own.
///
/// ```
/// use sansocket::Entropy;
///
/// let predictable = Entropy::from_fn(|bytes| bytes.fill(7)); // for a test, never on a network
/// ```
#[derive(Clone)]
pub struct Entropy(Source);

#[derive(Clone)]
enum Source {
    #[cfg(feature = "std")]
    Thread,
    Custom(Arc<Fill>),
}

type Fill = dyn Fn(&mut [u8]) + Send + Sync;

impl Entropy {
    /// Creates a source from a function that fills the whole slice with unpredictable bytes.
    pub fn from_fn(fill: impl Fn(&mut [u8]) + Send + Sync + 'static) -> Self {
        Self(Source::Custom(Arc::new(fill)))
    }

    /// Draws as many unpredictable bytes as the array holds.
    #[inline]
    pub(crate) fn draw<const N: usize>(&self) -> [u8; N] {
        match &self.0 {
            #[cfg(feature = "std")]
            Source::Thread => AHEAD.with_borrow_mut(Ahead::draw),
            Source::Custom(fill) => {
                let mut bytes = [0; N];
                fill(&mut bytes);
                bytes
            }
        }
    }
}

#[cfg(feature = "std")]
std::thread_local! {
    static AHEAD: RefCell<Ahead> = const { RefCell::new(Ahead { bytes: [0; Ahead::SIZE], used: Ahead::SIZE }) };
}

/// Bytes drawn ahead from the thread's CSPRNG, for the masking keys of the next frames:
/// asking it for four bytes at a time costs more than masking a short message.
#[cfg(feature = "std")]
struct Ahead {
    bytes: [u8; Self::SIZE],
    used: usize,
}

#[cfg(feature = "std")]
impl Ahead {
    const SIZE: usize = 256;

    #[inline]
    fn draw<const N: usize>(&mut self) -> [u8; N] {
        const { assert!(N <= Self::SIZE, "all of it comes from one filling") };
        loop {
            if let Some(&drawn) = self.bytes.get(self.used..).and_then(<[u8]>::first_chunk) {
                self.used += N;
                return drawn;
            }
            self.refill();
        }
    }

    #[cold]
    fn refill(&mut self) {
        fill(&mut rand::rng(), &mut self.bytes);
        self.used = 0;
    }
}

/// §10.3: from a strong source and no other, as its type says.
#[cfg(feature = "std")]
fn fill(source: &mut impl rand::CryptoRng, bytes: &mut [u8]) {
    source.fill_bytes(bytes);
}

#[cfg(feature = "std")]
impl Default for Entropy {
    /// The thread's CSPRNG: seeded by the operating system, reseeded as it goes.
    fn default() -> Self {
        Self(Source::Thread)
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match &self.0 {
            #[cfg(feature = "std")]
            Source::Thread => "Entropy(thread)",
            Source::Custom(_) => "Entropy(custom)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_custom_source_fills_what_is_drawn() {
        assert_eq!(Entropy::from_fn(|bytes| bytes.fill(9)).draw(), [9; 4]);
    }

    #[cfg(feature = "std")]
    #[test]
    fn the_default_source_does_not_repeat_itself() {
        let entropy = Entropy::default();
        assert_ne!(entropy.draw::<16>(), entropy.draw::<16>());
    }

    #[cfg(feature = "std")]
    #[test]
    fn no_byte_is_handed_out_twice() {
        let entropy = Entropy::default();
        // Draws many times what is drawn ahead, in sizes that don't divide it. The chance that two
        // of these are equal is less than 2^-100.
        let mut drawn: alloc::vec::Vec<[u8; 16]> = alloc::vec::Vec::new();
        for _ in 0..if cfg!(miri) { 50 } else { 3 * Ahead::SIZE } {
            let _: [u8; 5] = entropy.draw();
            drawn.push(entropy.draw());
        }
        let count = drawn.len();
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(drawn.len(), count);
    }
}
