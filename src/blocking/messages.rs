use std::io::{Read, Write};

use crate::blocking::error::Error;
use crate::blocking::websocket::WebSocket;
use crate::message::Message;

/// The messages of a connection until its clean close; see [`WebSocket::messages`].
#[derive(Debug)]
pub struct Messages<'socket, S>(&'socket mut WebSocket<S>);

impl<'socket, S> Messages<'socket, S> {
    pub(super) const fn new(socket: &'socket mut WebSocket<S>) -> Self {
        Self(socket)
    }
}

impl<S: Read + Write> Iterator for Messages<'_, S> {
    type Item = Result<Message<'static>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.read().transpose()
    }
}
