//! Extensions (RFC 6455, section 9): the grammar in which they are offered and, with the feature
//! `deflate`, the one that compresses messages, permessage-deflate (RFC 7692).

#[cfg(feature = "deflate")]
mod deflate;
mod offer;
mod supported;
mod token;

#[cfg(feature = "deflate")]
pub use deflate::{
    AgreedDeflate, ContextTakeover, Deflate, DeflateParameters, DeflateResponseError,
    SenderParameters, WindowBits,
};
#[cfg(feature = "deflate")]
pub(crate) use deflate::{Deflation, Inflation, SharedCompression};
pub use offer::{ExtensionOffer, ExtensionParameter, MalformedExtensions};
#[cfg(feature = "handshake")]
pub(crate) use supported::{Agreed, Supported, UnusableResponse};
#[cfg(feature = "handshake")]
pub(crate) use token::is_token;
