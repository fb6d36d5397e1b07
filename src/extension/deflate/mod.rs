//! permessage-deflate (RFC 7692): negotiation, and what it does to messages on their way.
//!
//! ```text
//!  Deflate ──offer──▶ request          Deflate: what this end wants, and its pool
//!  Deflate ◀─check─── response         AgreedDeflate: what both ends settled on
//!     │
//!     └──▶ AgreedDeflate ──▶ Inflation   what the peer sends: wire bytes to the Assembler
//!                       └──▶ Deflation   what this end sends: payloads to compressed payloads
//!                                │ borrow from
//!                                ▼
//!                              Pool of Compressors and Decompressors, one for all connections
//! ```

mod agreed;
#[expect(clippy::module_inception, reason = "the file of `Deflate` is named for it")]
mod deflate;
mod deflation;
mod history;
mod inflation;
mod negotiation;
mod parameters;
mod pool;
mod shared_compression;
mod window_bits;
mod zlib;

pub use agreed::AgreedDeflate;
pub use deflate::Deflate;
pub(crate) use deflation::Deflation;
pub(crate) use inflation::Inflation;
pub use negotiation::DeflateResponseError;
pub use parameters::{ContextTakeover, DeflateParameters, SenderParameters};
pub(crate) use shared_compression::SharedCompression;
pub use window_bits::WindowBits;
