use core::mem;

use bytes::Buf;

use crate::config::Config;
use crate::connection::close_frame::CloseFrame;
use crate::connection::close_status::CloseStatus;
use crate::connection::closing::{Answer, ClosingHandshake};
use crate::connection::control::ControlPayload;
use crate::connection::decoding::DecodingHalf;
use crate::connection::encoding::{EncodingHalf, Fragment};
use crate::connection::error::{SendError, UsageError};
use crate::connection::event::Event;
use crate::connection::fragments::FragmentWriter;
use crate::connection::outgoing::Outgoing;
use crate::connection::prepared::PreparedMessage;
use crate::connection::state::{ConnectionState, Transport};
use crate::entropy::Entropy;
use crate::error::ProtocolError;
use crate::frame::Opcode;
use crate::message::Message;
use crate::role::Role;

/// A WebSocket connection after its opening handshake, without any I/O.
///
/// # How to drive it
///
/// Whatever the transport, the loop is the same:
///
/// 1. Write [`outgoing`](Self::outgoing) until it is empty.
/// 2. Do what [`transport`](Self::transport) says.
/// 3. Read some bytes and take every event out of them with [`next_event`](Self::next_event); at
///    their end call [`receive_eof`](Self::receive_eof).
/// 4. Meanwhile [`send`](Self::send), [`ping`](Self::ping) and [`close`](Self::close) at any time:
///    they only queue.
///
/// Pings are answered, Close frames are answered, and a peer that breaks the protocol is told so,
/// without any help: that is all in the outgoing bytes.
///
/// ```
/// use bytes::Buf;
/// use sansocket::{Config, Connection, Event, Role};
///
/// let mut server = Connection::new(Role::Server, Config::default());
///
/// // A masked "Hello", as a client sends it; in a program, what was just read.
/// let mut buffer = *b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
/// let mut input = &mut buffer[..];
/// while let Some(event) = server.next_event(&mut input)? {
///     if let Event::Message(message) = event {
///         server.send(message)?;
///     }
/// }
/// assert_eq!(server.outgoing().chunk(), b"\x81\x05Hello");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// An idle connection owns no heap memory: the input is the caller's, and the outgoing bytes are
/// freed when they have been written.
#[derive(Debug)]
pub struct Connection {
    role: Role,
    closing: ClosingHandshake,
    decoding: DecodingHalf,
    encoding: EncodingHalf,
}

impl Connection {
    /// An open connection that draws masking keys from the thread's CSPRNG.
    #[cfg(feature = "std")]
    pub fn new(role: Role, config: Config) -> Self {
        Self::with_entropy(role, config, Entropy::default())
    }

    /// An open connection that draws masking keys from `entropy`. A server draws none.
    pub fn with_entropy(role: Role, config: Config, entropy: Entropy) -> Self {
        Self {
            role,
            closing: ClosingHandshake::Open,
            decoding: DecodingHalf::new(role.peer(), &config),
            encoding: EncodingHalf::new(role, &config, entropy),
        }
    }

    /// Which end this is.
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Where the connection is in its life.
    pub const fn state(&self) -> ConnectionState {
        self.closing.state()
    }

    /// What to do with the transport, now.
    pub fn transport(&self) -> Transport {
        // What was said is written first, a last Close frame above all, as long as it can be.
        if self.encoding.outgoing().has_remaining() && self.state() != ConnectionState::Closed {
            return Transport::KeepOpen;
        }
        self.closing.transport(self.role)
    }

    /// How the connection ended or is ending; `None` while it is open.
    pub fn close_status(&self) -> Option<CloseStatus> {
        self.closing.status()
    }

    /// The bytes to write to the transport.
    pub const fn outgoing(&mut self) -> &mut Outgoing {
        self.encoding.outgoing_mut()
    }

    /// Takes the next event out of the bytes that were read, or `None` when they are used up.
    ///
    /// The bytes are unmasked in place, and what is not needed any more is cut off the front of
    /// `input`. When it is empty, everything is inside: the next bytes may go into the same buffer.
    /// After the peer's Close frame further bytes are discarded (RFC 6455, section 5.5.1).
    ///
    /// # Errors
    ///
    /// How the peer broke the protocol. The connection has failed then (section 7.1.7): its Close
    /// frame is queued, further bytes are discarded, and each further call gives the same error.
    #[inline]
    pub fn next_event<'input>(
        &mut self,
        input: &mut &'input mut [u8],
    ) -> Result<Option<Event<'input>>, ProtocolError> {
        if !self.closing.is_listening() {
            mem::take(input);
            return self.closing.error().map_or(Ok(None), Err);
        }
        let event = self.decoding.next_event(input);
        match &event {
            // §5.5.2: as soon as is practical, until a Close frame was received.
            Ok(Some(Event::Ping(payload))) => self.encoding.automatic_pong(payload),
            Ok(Some(Event::Close(frame))) => self.answer_close(frame.as_ref()),
            Ok(_) => {}
            Err(error) => {
                mem::take(input);
                self.fail(*error);
            }
        }
        event
    }

    /// Says that the transport has ended: the peer closed it, it failed, or it was closed here.
    ///
    /// Before the peer's Close frame this is an abnormal closure; [`close_status`](Self::close_status)
    /// tells.
    pub fn receive_eof(&mut self) {
        self.closing.receive_eof();
        self.decoding.discard();
    }

    /// Queues a message.
    ///
    /// # Errors
    ///
    /// [`SendError::BufferFull`] with the message when too much is waiting to be written,
    /// [`SendError::Refused`] when the connection isn't open or a fragmented message isn't finished.
    #[inline]
    pub fn send<'m>(&mut self, message: impl Into<Message<'m>>) -> Result<(), SendError> {
        self.check_open()?;
        self.encoding.message(message.into())
    }

    /// Queues a message that was prepared for many connections.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn send_prepared(&mut self, message: &PreparedMessage) -> Result<(), SendError> {
        self.check_open()?;
        self.encoding.prepared(message)
    }

    /// Begins or goes on with a message in fragments (section 5.4).
    pub const fn fragments(&mut self) -> FragmentWriter<'_> {
        FragmentWriter::new(self)
    }

    /// Queues a Ping (section 5.5.2).
    ///
    /// ```
    /// # use sansocket::{Config, Connection, Role};
    /// # let mut connection = Connection::new(Role::Client, Config::default());
    /// connection.ping(b"are you there?")?;
    /// # Ok::<(), sansocket::UsageError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`UsageError::NotOpen`], or [`UsageError::BacklogFull`] when too much is waiting.
    pub fn ping<'p>(&mut self, payload: impl Into<ControlPayload<'p>>) -> Result<(), UsageError> {
        self.check_open()?;
        self.encoding.control(Opcode::Ping, payload.into())
    }

    /// Queues a Pong that nobody asked for, as a one-way heartbeat (section 5.5.3). Pings are
    /// answered without it.
    ///
    /// # Errors
    ///
    /// As [`ping`](Self::ping).
    pub fn pong<'p>(&mut self, payload: impl Into<ControlPayload<'p>>) -> Result<(), UsageError> {
        self.check_open()?;
        self.encoding.control(Opcode::Pong, payload.into())
    }

    /// Begins the closing handshake (section 7.1.2) with this body, or with an empty one.
    ///
    /// Queues a Close frame behind what was queued before. Does nothing if one was sent already or
    /// the connection has ended. Messages are still received until the peer's Close frame.
    ///
    /// ```
    /// use sansocket::{CloseCode, CloseFrame, Config, Connection, Role};
    ///
    /// let mut connection = Connection::new(Role::Client, Config::default());
    /// connection.close(Some(CloseFrame::new(CloseCode::NORMAL, "done")?));
    /// # Ok::<(), sansocket::UsageError>(())
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "a frame is made for this one call")]
    pub fn close(&mut self, frame: Option<CloseFrame<'_>>) {
        if self.closing.send_close(frame.as_ref()) == Answer::SendClose {
            self.encoding.close(frame.as_ref());
        }
    }

    pub(crate) fn send_fragment(
        &mut self,
        piece: Message<'_>,
        fragment: Fragment,
    ) -> Result<(), SendError> {
        self.check_open()?;
        self.encoding.fragment(piece, fragment)
    }

    #[inline]
    fn check_open(&self) -> Result<(), UsageError> {
        // §5.5.1: nothing is sent after a Close frame but what the protocol itself owes.
        if self.closing.may_send() { Ok(()) } else { Err(UsageError::NotOpen) }
    }

    /// §5.5.1: the answer carries the code that was received, and no reason.
    #[cold]
    fn answer_close(&mut self, received: Option<&CloseFrame<'_>>) {
        self.decoding.discard();
        if self.closing.receive_close(received) == Answer::SendClose {
            let reply = received.map(|frame| CloseFrame::from(frame.code()));
            self.encoding.close(reply.as_ref());
        }
    }

    #[cold]
    fn fail(&mut self, error: ProtocolError) {
        self.decoding.discard();
        if self.closing.fail(error) == Answer::SendClose {
            self.encoding.close(Some(&CloseFrame::from(error.close_code())));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_small() {
        assert!(size_of::<Connection>() <= 256, "{} bytes", size_of::<Connection>());
    }
}
