use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use sansocket::blocking::{ConnectError, Error, MessageReader, MessageWriter, Reader, WebSocket};
use sansocket::{CloseStatus, Message, MessageKind, PreparedMessage};
use socket2::SockRef;

use crate::ledger::Entry;
use crate::random::Random;

/// One connection of a client, in one piece or in two.
pub(crate) trait Conversation {
    /// Enters a message that is going to be sent, as soon as this much may be under way.
    fn announce(&mut self, message: &Message<'_>) -> Result<(), Fault>;

    fn write(&mut self, message: Message<'_>) -> Result<(), Error>;
    fn write_prepared(&mut self, message: &PreparedMessage) -> Result<(), Error>;
    fn message(&mut self, kind: MessageKind) -> MessageWriter<'_>;
    fn ping(&mut self, payload: [u8; 4]) -> Result<(), Error>;
    fn flush(&mut self) -> Result<(), Error>;

    /// Waits for what is under way, unless another thread does.
    fn catch_up(&mut self) -> Result<(), Fault>;

    /// Waits for everything that is under way.
    fn settle(&mut self) -> Result<(), Fault>;

    /// Waits for everything that is under way, and closes.
    fn close(self) -> Result<(), Fault>;

    /// Waits for everything that is under way, and closes by leaving a message unfinished.
    fn break_off(self) -> Result<(), Fault>;

    /// Ends the connection without any closing handshake.
    fn abandon(self, manner: Manner) -> Result<(), Fault>;

    /// Takes what still comes, up to the server's Close frame.
    fn farewell(self) -> Result<CloseStatus, Fault>;
}

/// How a connection is abandoned.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Manner {
    /// TCP is closed, with a reset if there is something unread.
    Vanish,
    /// TCP is reset.
    Reset,
    /// TCP is closed within a frame.
    WithinFrame,
    /// TCP is reset within a frame.
    ResetWithinFrame,
}

impl Manner {
    pub(crate) fn any(random: &mut Random) -> Self {
        match random.below(4) {
            0 => Self::Vanish,
            1 => Self::Reset,
            2 => Self::WithinFrame,
            _ => Self::ResetWithinFrame,
        }
    }

    /// Makes this socket end so when it is dropped.
    pub(crate) fn prepare(self, mut tcp: &TcpStream) -> Result<(), Fault> {
        if let Self::WithinFrame | Self::ResetWithinFrame = self {
            // A binary message of 256 bytes, masked, of which nine arrive.
            tcp.write_all(b"\x82\xFE\x01\x00mask9 bytes").map_err(Fault::Tcp)?;
        }
        if let Self::Reset | Self::ResetWithinFrame = self {
            SockRef::from(tcp).set_linger(Some(Duration::ZERO)).map_err(Fault::Tcp)?;
        }
        Ok(())
    }
}

/// How a client reads.
pub(crate) struct Reading {
    pub(crate) style: Style,
    pub(crate) pace: Pace,
    pub(crate) random: Random,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Style {
    /// Messages when they are whole.
    Whole,
    /// As `Read`, whatever has arrived.
    Streamed,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    Quick,
    /// Rests every now and then, while the server would like to write.
    Slow,
}

impl Reading {
    /// Waits for a message; nothing if the connection was closed.
    pub(crate) fn receive(&mut self, incoming: &mut impl Incoming) -> Result<Option<Entry>, Fault> {
        if let Pace::Slow = self.pace {
            if self.random.one_in(8) {
                thread::sleep(Duration::from_millis(1 + self.random.below(20) as u64));
            }
        }
        match self.style {
            Style::Whole => Ok(incoming.read()?.as_ref().map(Entry::of)),
            Style::Streamed => match incoming.next_message()? {
                Some(message) => {
                    Entry::read(message.kind(), message).map(Some).map_err(Fault::Streaming)
                }
                None => Ok(None),
            },
        }
    }
}

/// What can be read from.
pub(crate) trait Incoming {
    fn read(&mut self) -> Result<Option<Message<'static>>, Error>;
    fn next_message(&mut self) -> Result<Option<MessageReader<'_>>, Error>;
}

impl<S: Read + Write> Incoming for WebSocket<S> {
    fn read(&mut self) -> Result<Option<Message<'static>>, Error> {
        Self::read(self)
    }

    fn next_message(&mut self) -> Result<Option<MessageReader<'_>>, Error> {
        Self::next_message(self)
    }
}

impl<S: Read + Write> Incoming for Reader<S> {
    fn read(&mut self) -> Result<Option<Message<'static>>, Error> {
        Self::read(self)
    }

    fn next_message(&mut self) -> Result<Option<MessageReader<'_>>, Error> {
        Self::next_message(self)
    }
}

/// What a client must not see.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("got no connection: {0}")]
    Connect(#[from] ConnectError),
    #[error("the connection failed: {0}")]
    Socket(#[from] Error),
    #[error("a message that was streamed failed: {0}")]
    Streaming(#[source] io::Error),
    #[error("the socket failed: {0}")]
    Tcp(#[source] io::Error),
    #[error("sent was {sent}, what came back is {received}")]
    Altered { sent: Entry, received: Entry },
    #[error("nothing was sent, but there came {0}")]
    Unasked(Entry),
    #[error("the server closed with {status} while {missing} messages had not come back")]
    Closed { status: CloseStatus, missing: usize },
    #[error("closed with {status}, where {expected} was right")]
    CloseCode { status: CloseStatus, expected: u16 },
    #[error("the connection ended without any closing handshake")]
    NotClosed,
    #[error("{missing} messages had not come back when there was no time left")]
    Stuck { missing: usize },
    #[error("the thread that reads has ended")]
    ReaderEnded,
    #[error("a thread panicked")]
    Panicked,
}

impl Fault {
    /// Whether a client sees this, or may, when the server closes the connection: it learns of that by
    /// reading.
    pub(crate) const fn may_be_the_end(&self) -> bool {
        matches!(
            self,
            Self::Socket(_) | Self::Streaming(_) | Self::Closed { .. } | Self::ReaderEnded
        )
    }
}
