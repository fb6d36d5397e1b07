use sansocket::handshake::{Decision, RequestError, UpgradeRequest};
use sansocket::http::Request;
use sansocket::{Message, SendError};

use super::replies::Replies;

/// What is done with requests and messages: the part that another server would replace.
///
/// It runs on the thread of the event loop, so it must not wait for anything.
pub(crate) trait Application {
    /// Decides how to answer a request; see [`negotiate`](sansocket::handshake::negotiate).
    fn on_request(
        &mut self,
        request: &Request<()>,
        upgrade: Result<&UpgradeRequest<'_>, &RequestError>,
    ) -> Decision;

    /// Takes a message, and sends the answers, if any.
    ///
    /// # Errors
    ///
    /// If an answer could not be queued. The connection is then closed with 1011.
    fn on_message(
        &mut self,
        message: Message<'_>,
        replies: &mut Replies<'_>,
    ) -> Result<(), SendError>;
}
