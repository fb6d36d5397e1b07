use alloc::sync::Arc;

use crate::extension::deflate::parameters::DeflateParameters;
use crate::extension::deflate::pool::Pool;

/// permessage-deflate as both ends have agreed on it, for
/// [`Connection::with_deflate`](crate::Connection::with_deflate).
#[derive(Debug, Clone)]
pub struct AgreedDeflate {
    parameters: DeflateParameters,
    pool: Arc<Pool>,
}

impl AgreedDeflate {
    pub(super) const fn new(parameters: DeflateParameters, pool: Arc<Pool>) -> Self {
        Self { parameters, pool }
    }

    /// Returns what was agreed. On a server, it is also the element of `Sec-WebSocket-Extensions` to
    /// answer with.
    pub const fn parameters(&self) -> &DeflateParameters {
        &self.parameters
    }

    pub(super) fn pool(&self) -> Arc<Pool> {
        Arc::clone(&self.pool)
    }
}
