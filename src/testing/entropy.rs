use std::sync::{Mutex, PoisonError};

use crate::entropy::Entropy;

/// Returns a source of handshake nonces and masking keys that depends only on the seed.
///
/// It is the same in every release, for tests that compare the bytes on the wire. Never use it on a
/// network: anyone who can predict the masking keys can choose what is on the wire (RFC 6455,
/// section 10.3).
///
/// Clones continue where the others stopped, so a [`Client`](crate::blocking::Client) that connects
/// twice has different keys each time.
///
/// ```
/// use std::io::Read;
/// use sansocket::blocking::{Client, Server};
/// use sansocket::testing::{fixed_entropy, pair_with};
///
/// let client = Client::new("ws://memory/")?.entropy(fixed_entropy(1));
/// let (client, server) = pair_with(&client, &Server::new());
/// let mut wire = server?.into_stream();
///
/// client?.send("Hello")?;
/// let mut frame = [0; 11];
/// wire.read_exact(&mut frame)?;
/// assert_eq!(frame, *b"\x81\x85\x5E\x55\x32\xFB\x16\x30\x5E\x97\x31");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn fixed_entropy(seed: u64) -> Entropy {
    let state = Mutex::new(seed);
    Entropy::from_fn(move |bytes| {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        for room in bytes.chunks_mut(8) {
            for (byte, random) in room.iter_mut().zip(next(&mut state).to_le_bytes()) {
                *byte = random;
            }
        }
    })
}

/// `SplitMix64` by Steele, Lea and Flood: an odd step, so that no state repeats, and a mix.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
