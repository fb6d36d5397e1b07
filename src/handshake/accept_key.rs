//! The proof that the server understood the handshake: `Sec-WebSocket-Key` and
//! `Sec-WebSocket-Accept` (RFC 6455, sections 4.1 and 4.2.2).
//!
//! This is the only file that names the hash crate.

use core::{fmt, str};

use sha1::{Digest, Sha1};

use crate::entropy::Entropy;
use crate::handshake::base64::{decoded_len, encode_into};

/// The value of `Sec-WebSocket-Key`: a nonce of 16 bytes in base64.
///
/// ```
/// use sansocket::handshake::SecWebSocketKey;
///
/// let key = SecWebSocketKey::parse(b"dGhlIHNhbXBsZSBub25jZQ==").unwrap();
/// assert_eq!(key.accept().as_str(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SecWebSocketKey([u8; 24]);

impl SecWebSocketKey {
    /// Generates a key that was never used before, for one handshake (section 4.1).
    pub fn generate(entropy: &Entropy) -> Self {
        Self::from_nonce(entropy.draw())
    }

    /// Creates the key that stands for this nonce.
    pub fn from_nonce(nonce: [u8; 16]) -> Self {
        let mut key = [0; 24];
        encode_into(&mut key, nonce);
        Self(key)
    }

    /// Parses the key that a client sent; `None` if it isn't the base64 of exactly 16 bytes.
    ///
    /// The padding is required. Unused bits may be set (RFC 4648, section 3.5), as they are in the example
    /// in section 4.1 of RFC 6455.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let key: [u8; 24] = value.try_into().ok()?;
        (decoded_len(key) == Some(16)).then_some(Self(key))
    }

    /// Returns the answer that proves that this key was understood.
    pub fn accept(&self) -> SecWebSocketAccept {
        let hash = Sha1::new().chain_update(self.0).chain_update(GUID).finalize();
        let mut accept = [0; 28];
        encode_into(&mut accept, hash);
        SecWebSocketAccept(accept)
    }

    /// Returns the characters of the field's value.
    pub fn as_str(&self) -> &str {
        // Base64 is ASCII, so this is never the default.
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for SecWebSocketKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("SecWebSocketKey").field(&self.as_str()).finish()
    }
}

/// The value of `Sec-WebSocket-Accept`: the hash of a key and the protocol's GUID, in base64.
///
/// ```
/// use sansocket::handshake::SecWebSocketKey;
///
/// let key = SecWebSocketKey::parse(b"x3JJHMbDL1EzLkh9GBhXDw==").unwrap();
/// assert_eq!(key.accept().as_str(), "HSmrc0sMlYUkAGmm5OPpG2HaGWk=");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SecWebSocketAccept([u8; 28]);

impl SecWebSocketAccept {
    /// Returns the characters of the field's value.
    pub fn as_str(&self) -> &str {
        // Base64 is ASCII, so this is never the default.
        str::from_utf8(&self.0).unwrap_or_default()
    }

    pub(super) const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecWebSocketAccept {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("SecWebSocketAccept").field(&self.as_str()).finish()
    }
}

/// §1.3: no endpoint that doesn't know the protocol is likely to append this to what it echoes.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_and_its_key_are_inverses() {
        let key = SecWebSocketKey::from_nonce(*b"the sample nonce");
        assert_eq!(key.as_str(), "dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(SecWebSocketKey::parse(key.as_str().as_bytes()), Some(key));
    }

    #[test]
    fn each_generated_key_draws_its_own_nonce() {
        let entropy = Entropy::default();
        assert_ne!(SecWebSocketKey::generate(&entropy), SecWebSocketKey::generate(&entropy));
    }

    #[test]
    fn bits_that_carry_nothing_may_be_set() {
        let key = SecWebSocketKey::parse(b"AQIDBAUGBwgJCgsMDQ4PEC==").unwrap();
        assert_eq!(key.as_str(), "AQIDBAUGBwgJCgsMDQ4PEC==", "it is answered as it was sent");
    }

    #[test]
    fn only_the_base64_of_16_bytes_is_a_key() {
        for malformed in [
            "",
            "dGhlIHNhbXBsZSBub25jZQ",       // no padding
            "dGhlIHNhbXBsZSBub25jZQ=",      // half of it
            "dGhlIHNhbXBsZSBub25jZQ===",    // too much of it
            "dGhlIHNhbXBsZSBub25j",         // 15 bytes
            "dGhlIHNhbXBsZSBub25jZSE=",     // 17 bytes
            "dGhlIHNhbXBsZSBub25jZSEh",     // 18 bytes
            "dGhlIHNhbXBsZSBub25jZQ==dGhl", // something after it
            "dGhlIHNhbXBsZSBub25_-w==",     // the alphabet for URLs
            "dGhlIHNhbXBsZSBub2 jZQ==",
            " dGhlIHNhbXBsZSBub25jZQ==",
        ] {
            assert_eq!(SecWebSocketKey::parse(malformed.as_bytes()), None, "{malformed}");
        }
    }
}
