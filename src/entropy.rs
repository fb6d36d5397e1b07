use alloc::sync::Arc;
use core::fmt;

/// Where masking keys and handshake nonces come from.
///
/// RFC 6455, section 10.3, asks for masking keys that the application that supplies the data can't
/// predict, so the source has to be a cryptographically strong one. With the feature `std` the
/// default is the thread's CSPRNG; without it, or for reproducible tests, bring your own.
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
    /// A source that fills the whole slice it is given with unpredictable bytes.
    pub fn from_fn(fill: impl Fn(&mut [u8]) + Send + Sync + 'static) -> Self {
        Self(Source::Custom(Arc::new(fill)))
    }

    /// As many unpredictable bytes as the array holds.
    pub(crate) fn draw<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        match &self.0 {
            #[cfg(feature = "std")]
            Source::Thread => rand::Rng::fill_bytes(&mut rand::rng(), &mut bytes),
            Source::Custom(fill) => fill(&mut bytes),
        }
        bytes
    }
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
}
