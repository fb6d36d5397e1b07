//! Messages: what applications exchange (RFC 6455, sections 5.4, 5.6 and 8.1).

mod assembler;
mod chunk;
#[cfg(feature = "deflate")]
mod inflated;
#[expect(clippy::module_inception, reason = "the file of `Message` is named for it")]
mod message;
mod payload;
mod storage;
mod text;
mod utf8;

pub(crate) use assembler::Assembler;
pub use chunk::Chunk;
pub use message::{Message, MessageKind};
pub use payload::Payload;
#[cfg(feature = "deflate")]
pub(crate) use storage::Storage;
pub use text::Text;
#[cfg(feature = "blocking")]
pub(crate) use utf8::complete_text;
pub(crate) use utf8::validate;
