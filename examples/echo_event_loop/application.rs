use sansocket::handshake::{Decision, RequestError, UpgradeRequest};
use sansocket::http::Request;
use sansocket::{Message, SendError};

use super::replies::Replies;

/// What is done with requests and messages: all that another server would have to replace.
///
/// It runs on the thread of the event loop, so it must not wait for anything.
pub(crate) trait Application {
    /// Decides about a request; see [`negotiate`](sansocket::handshake::negotiate).
    fn on_request(
        &mut self,
        request: &Request<()>,
        upgrade: Result<&UpgradeRequest<'_>, &RequestError>,
    ) -> Decision;

    /// Takes a message, and sends what there is to answer.
    ///
    /// # Errors
    ///
    /// What could not be queued. The connection is closed with 1011 then.
    fn on_message(
        &mut self,
        message: Message<'_>,
        replies: &mut Replies<'_>,
    ) -> Result<(), SendError>;
}
