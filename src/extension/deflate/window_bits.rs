use core::fmt;

/// The size of an LZ77 window, as its base-2 logarithm (RFC 7692, section 7.1.2): 8 to 15, for
/// 256 bytes to 32 KiB.
///
/// ```
/// use sansocket::extension::WindowBits;
///
/// assert_eq!(WindowBits::new(10).map(WindowBits::bytes), Some(1024));
/// assert_eq!(WindowBits::new(16), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WindowBits(Bits);

/// An enum, so that an `Option` of it takes no more room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
enum Bits {
    B8 = 8,
    B9,
    B10,
    B11,
    B12,
    B13,
    B14,
    B15,
}

impl WindowBits {
    /// 256 bytes. This end can't compress with so small a window, and sends its messages uncompressed
    /// if the peer insists on it.
    pub const MIN: Self = Self(Bits::B8);
    /// 32 KiB, which applies unless something else is agreed.
    pub const MAX: Self = Self(Bits::B15);

    /// Returns the window of this many bits, or `None` if they aren't 8 to 15.
    pub const fn new(bits: u8) -> Option<Self> {
        Some(Self(match bits {
            8 => Bits::B8,
            9 => Bits::B9,
            10 => Bits::B10,
            11 => Bits::B11,
            12 => Bits::B12,
            13 => Bits::B13,
            14 => Bits::B14,
            15 => Bits::B15,
            _ => return None,
        }))
    }

    /// Parses the value of a parameter: a decimal number without leading zeros (section 7.1.2.1).
    pub(super) fn parse(value: &str) -> Option<Self> {
        match value.as_bytes() {
            [digit @ b'8'..=b'9'] => Self::new(digit - b'0'),
            [b'1', digit @ b'0'..=b'5'] => Self::new(10 + digit - b'0'),
            _ => None,
        }
    }

    /// Returns the base-2 logarithm of the window's size.
    pub const fn get(self) -> u8 {
        self.0 as u8
    }

    /// Returns the window's size in bytes.
    pub const fn bytes(self) -> usize {
        1 << self.get()
    }
}

impl fmt::Display for WindowBits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::ToString;

    #[test]
    fn exactly_8_to_15_without_leading_zeros_are_parsed() {
        for bits in 0..=u8::MAX {
            let window = WindowBits::new(bits);
            assert_eq!(window.is_some(), (8..=15).contains(&bits));
            assert_eq!(window.map(WindowBits::get), window.map(|_| bits));
            assert_eq!(WindowBits::parse(&bits.to_string()), window);
            assert_eq!(WindowBits::parse(&format!("0{bits}")), None);
        }
        for malformed in ["", "+9", "-9", " 9", "9 ", "9.0", "0x9", "1e1", "٩", "256", "1000"] {
            assert_eq!(WindowBits::parse(malformed), None, "{malformed}");
        }
    }
}
