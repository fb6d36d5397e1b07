use std::io::{Read, Write};

use crate::blocking::error::Error;
use crate::blocking::websocket::WebSocket;
use crate::connection::ConnectionState;
use crate::message::Message;

/// The messages of a connection until its end; see [`WebSocket::messages`].
#[derive(Debug)]
pub struct Messages<'socket, S> {
    socket: &'socket mut WebSocket<S>,
    is_over: bool,
}

impl<'socket, S> Messages<'socket, S> {
    pub(super) const fn new(socket: &'socket mut WebSocket<S>) -> Self {
        Self { socket, is_over: false }
    }
}

impl<S: Read + Write> Iterator for Messages<'_, S> {
    type Item = Result<Message<'static>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let item = self.socket.read().transpose();
        // An error that ends the connection is the last item; after a timeout there may be more.
        self.is_over = self.socket.state() == ConnectionState::Closed;
        item
    }
}
