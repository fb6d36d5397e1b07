//! Frames: the header codec and masking (RFC 6455, sections 5.2 and 5.3).
//!
//! [`FrameHeader`] and [`MaskingKey`] stand alone: they serve programs that need frames without a
//! connection, such as a proxy or a packet dissector.

mod decoder;
mod header;
mod mask;
mod opcode;
mod rsv;
mod rules;
#[cfg(all(feature = "std", target_arch = "x86_64"))]
mod wide_mask;
mod word_key;

pub(crate) use decoder::{FrameDecoder, FramePiece};
pub(crate) use header::FirstByte;
pub use header::{EncodedHeader, FrameHeader};
pub use mask::MaskingKey;
pub(crate) use mask::append_payload;
pub use opcode::Opcode;
pub use rsv::Rsv;
