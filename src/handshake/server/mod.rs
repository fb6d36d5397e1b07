//! The server's side of the opening handshake (RFC 6455, section 4.2).

mod accepted;
mod decision;
mod error;
mod opening;
mod origin_policy;
mod refusal;
mod request_head;
mod upgrade_request;

pub use accepted::Accepted;
pub use decision::{Acceptance, Answer, Decision, DecisionError, negotiate};
pub use error::RequestError;
pub use opening::ServerHandshake;
pub use origin_policy::OriginPolicy;
pub use refusal::Refusal;
pub use request_head::RequestHead;
pub use upgrade_request::UpgradeRequest;
