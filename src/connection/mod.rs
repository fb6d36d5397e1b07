//! Stub.
use crate::{config::Config, entropy::Entropy, role::Role};
/// Stub.
#[derive(Debug)]
pub struct Connection { role: Role, config: Config, entropy: Entropy }
impl Connection {
    /// Stub.
    pub fn with_entropy(role: Role, config: Config, entropy: Entropy) -> Self { Self { role, config, entropy } }
}
