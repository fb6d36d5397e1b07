use std::fmt;

use crate::blocking::error::Error;
use crate::blocking::incoming::Incoming;
use crate::connection::ConnectionState;
use crate::message::Message;

/// The messages of a connection until its end; see
/// [`WebSocket::messages`](super::WebSocket::messages).
pub struct Messages<'connection> {
    incoming: &'connection mut dyn Incoming,
    is_over: bool,
}

impl<'connection> Messages<'connection> {
    pub(super) fn new(incoming: &'connection mut dyn Incoming) -> Self {
        Self { incoming, is_over: false }
    }
}

impl Iterator for Messages<'_> {
    type Item = Result<Message<'static>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let item = self.incoming.read().transpose();
        // An error that ends the connection is the last item. After a timeout there may be more, and after a
        // message too, even if another thread has found the connection over by then.
        self.is_over =
            !matches!(item, Some(Ok(_))) && self.incoming.state() == ConnectionState::Closed;
        item
    }
}

impl fmt::Debug for Messages<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Messages").field("is_over", &self.is_over).finish_non_exhaustive()
    }
}
