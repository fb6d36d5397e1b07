use crate::blocking::error::Error;
use crate::connection::ConnectionState;
use crate::message::{Chunk, Message};

/// What can be read from a connection, whatever else may write to it.
pub(super) trait Incoming {
    /// The next message, whole.
    fn read(&mut self) -> Result<Option<Message<'static>>, Error>;

    /// The next piece of a message, which may be all of it.
    fn read_chunk(&mut self) -> Result<Option<Chunk<'static>>, Error>;

    /// Where the connection is in its life.
    fn state(&mut self) -> ConnectionState;
}
