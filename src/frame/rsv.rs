use core::ops::BitOr;

/// The three reserved bits of a frame header (RFC 6455, section 5.2).
///
/// They are zero unless an extension was negotiated that gives one a meaning, as permessage-deflate
/// does with [`Rsv::RSV1`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Rsv(u8);

impl Rsv {
    /// No reserved bit.
    pub const NONE: Self = Self(0);
    /// The first reserved bit.
    pub const RSV1: Self = Self(0x40);
    /// The second reserved bit.
    pub const RSV2: Self = Self(0x20);
    /// The third reserved bit.
    pub const RSV3: Self = Self(0x10);

    /// Returns the reserved bits of a frame's first byte.
    pub const fn from_first_byte(first_byte: u8) -> Self {
        Self(first_byte & 0x70)
    }

    /// Returns the bits in their places in a frame's first byte.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Returns whether every bit of `other` is set here.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for Rsv {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_united() {
        assert_eq!((Rsv::RSV1 | Rsv::RSV3).bits(), 0x50);
        assert_eq!(Rsv::RSV1 | Rsv::RSV1, Rsv::RSV1);
    }
}
