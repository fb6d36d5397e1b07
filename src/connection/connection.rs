#![cfg_attr(
    feature = "std",
    expect(clippy::disallowed_types, reason = "a time that the caller has read from its clock")
)]

#[cfg(feature = "std")]
use std::time::{Duration, Instant};

use crate::config::Config;
use crate::connection::close_frame::CloseFrame;
use crate::connection::close_status::CloseStatus;
use crate::connection::control::ControlPayload;
use crate::connection::error::{SendError, UsageError};
use crate::connection::event::Event;
use crate::connection::fragments::FragmentWriter;
use crate::connection::lent::Lent;
use crate::connection::outgoing::Outgoing;
use crate::connection::prepared::PreparedMessage;
use crate::connection::receiving::ReceivingHalf;
use crate::connection::sending::SendingHalf;
use crate::connection::state::{ConnectionState, Transport};
#[cfg(feature = "std")]
use crate::connection::timers::{TimeoutError, Timers};
use crate::entropy::Entropy;
use crate::error::ProtocolError;
#[cfg(feature = "handshake")]
use crate::extension::Agreed;
#[cfg(feature = "deflate")]
use crate::extension::AgreedDeflate;
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
/// 3. Read from it and take every event out of the bytes with [`next_event`](Self::next_event); at
///    its end, call [`receive_eof`](Self::receive_eof).
/// 4. Meanwhile [`send`](Self::send), [`ping`](Self::ping) and [`close`](Self::close) at any time:
///    they only queue.
///
/// Pings and Close frames are answered, and a peer that breaks the protocol is told so, without any
/// help: it is all in the outgoing bytes.
///
/// ```
/// use sansocket::bytes::Buf;
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
/// With `Timers` (feature `std`) there is a fifth step: tell the connection the time with
/// `handle_read` and `handle_timeout`, and wait no longer than `poll_timeout` says.
///
/// Its two halves share nothing: [`split`](Self::split) it to use them in two threads.
///
/// An idle connection owns no heap memory: the input is the caller's, and the outgoing bytes are
/// freed when they have been written. Timers and compression with context takeover are the exceptions.
#[derive(Debug)]
pub struct Connection {
    receiving: ReceivingHalf,
    sending: SendingHalf,
}

impl Connection {
    /// Creates an open connection that draws masking keys from the thread's CSPRNG.
    #[cfg(feature = "std")]
    pub fn new(role: Role, config: Config) -> Self {
        Self::with_entropy(role, config, Entropy::default())
    }

    /// Creates an open connection that draws masking keys from `entropy`. A server draws none.
    pub fn with_entropy(role: Role, config: Config, entropy: Entropy) -> Self {
        Self {
            receiving: ReceivingHalf::new(role.peer(), &config),
            sending: SendingHalf::new(role, &config, entropy),
        }
    }

    /// Enables the compression that was agreed on in the handshake.
    ///
    /// Call it before anything is sent or received, and only if you negotiate by yourself:
    /// [`handshake`](crate::handshake) does it for you.
    ///
    /// ```
    /// use sansocket::extension::{Deflate, ExtensionOffer};
    /// use sansocket::{Config, Connection, Role};
    ///
    /// let deflate = Deflate::default().server_no_context_takeover();
    /// let field = b"permessage-deflate; client_max_window_bits";
    /// let offers = ExtensionOffer::parse_all([&field[..]])?;
    /// let mut connection = Connection::new(Role::Server, Config::default());
    /// if let Some(agreed) = deflate.accept(&offers) {
    ///     // Answered with `agreed.parameters().to_string()`.
    ///     connection = connection.with_deflate(&agreed);
    /// }
    /// # Ok::<(), sansocket::extension::MalformedExtensions>(())
    /// ```
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn with_deflate(mut self, agreed: &AgreedDeflate) -> Self {
        self.receiving.inflate(self.role().peer(), agreed);
        self.sending.deflate(agreed);
        self
    }

    /// Adds timers to the connection.
    #[cfg(feature = "std")]
    #[must_use]
    pub fn with_timers(mut self, timers: Timers) -> Self {
        self.sending.set_timers(timers);
        self
    }

    /// Enables the extensions that were agreed on in the handshake.
    #[cfg(feature = "handshake")]
    #[cfg_attr(
        not(feature = "deflate"),
        expect(unused_variables, reason = "there is nothing to agree on")
    )]
    pub(crate) fn with_extensions(self, agreed: &Agreed) -> Self {
        #[cfg(feature = "deflate")]
        if let Some(deflate) = &agreed.deflate {
            return self.with_deflate(deflate);
        }
        self
    }

    /// Splits the connection into the half that receives and the half that sends, for two threads.
    ///
    /// ```
    /// use sansocket::{Config, Connection, Event, Role};
    /// # use sansocket::bytes::Buf;
    ///
    /// let (mut receiving, mut sending) = Connection::new(Role::Server, Config::default()).split();
    ///
    /// // Where bytes are read, this half turns them into events. A masked Ping that says "Hello":
    /// let mut buffer = *b"\x89\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
    /// let event = receiving.next_event(&mut &mut buffer[..])?.unwrap();
    /// // The other half, perhaps behind a lock, knows how to reply.
    /// sending.answer(&event);
    /// assert_eq!(sending.outgoing().chunk(), b"\x8a\x05Hello");
    ///
    /// let connection = Connection::reunite(receiving, sending);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn split(self) -> (ReceivingHalf, SendingHalf) {
        (self.receiving, self.sending)
    }

    /// Joins the halves of a connection.
    ///
    /// Halves of different connections make one that neither peer will understand.
    pub const fn reunite(receiving: ReceivingHalf, sending: SendingHalf) -> Self {
        Self { receiving, sending }
    }

    /// Returns which end this is.
    pub const fn role(&self) -> Role {
        self.sending.role()
    }

    /// Returns where the connection is in its life.
    #[inline]
    pub const fn state(&self) -> ConnectionState {
        self.sending.state()
    }

    /// Returns what to do with the transport now.
    #[inline]
    pub fn transport(&self) -> Transport {
        self.sending.transport()
    }

    /// Returns how the connection ended or is ending; `None` while it is open.
    pub fn close_status(&self) -> Option<CloseStatus> {
        self.sending.close_status()
    }

    /// Returns the bytes to write to the transport.
    #[inline]
    pub const fn outgoing(&mut self) -> &mut Outgoing {
        self.sending.outgoing()
    }

    /// Takes the next event out of the bytes that were read; returns `None` when they are used up.
    ///
    /// The bytes are unmasked in place, and those no longer needed are cut off the front of `input`.
    /// When it is empty, everything has been taken in: the next bytes may go into the same buffer.
    /// After the peer's Close frame, further bytes are discarded (RFC 6455, section 5.5.1).
    ///
    /// # Errors
    ///
    /// Returns how the peer broke the protocol. The connection has then failed (section 7.1.7): its Close
    /// frame is queued, unless one was sent before, further bytes are discarded, and each further call
    /// returns the same error.
    #[inline(always)]
    pub fn next_event<'input>(
        &mut self,
        input: &mut &'input mut [u8],
    ) -> Result<Option<Event<'input>>, ProtocolError> {
        match self.receiving.next_whole_frame(input) {
            Ok(Some(frame)) => Ok(Some(self.sending.answer_whole_frame(frame))),
            Ok(None) => {
                let mut event = None;
                self.next_other_event(input, &mut event)?;
                Ok(event)
            }
            Err(error) => {
                self.sending.fail(error);
                Err(error)
            }
        }
    }

    fn next_other_event<'input>(
        &mut self,
        input: &mut &'input mut [u8],
        place: &mut Option<Event<'input>>,
    ) -> Result<(), ProtocolError> {
        let outcome = self.receiving.next_other_event(input, place);
        match (&outcome, place) {
            (Ok(()), Some(event)) => self.sending.answer(event),
            (Ok(()), None) => {}
            (Err(error), _) => self.sending.fail(*error),
        }
        outcome
    }

    /// Reports that the transport has ended: the peer closed it, it failed, or it was closed here.
    ///
    /// Before the peer's Close frame this is an abnormal closure; see
    /// [`close_status`](Self::close_status).
    pub fn receive_eof(&mut self) {
        self.receiving.receive_eof();
        self.sending.receive_eof();
    }

    /// Reports that the transport takes no more bytes, though more may still be read from it.
    ///
    /// Outgoing bytes are discarded, and nothing more can be sent. What the peer said before, often why
    /// it closed, is still received; end with [`receive_eof`](Self::receive_eof).
    pub fn receive_write_error(&mut self) {
        self.sending.receive_write_error();
    }

    /// Queues a message.
    ///
    /// # Errors
    ///
    /// [`SendError::BufferFull`] with the message when too much is waiting to be written,
    /// [`SendError::Refused`] when the connection isn't open or a fragmented message isn't finished.
    #[inline]
    pub fn send<'m>(&mut self, message: impl Into<Message<'m>>) -> Result<(), SendError> {
        self.sending.send(message)
    }

    /// Lends a message to the next write: what the transport takes of it at once is not copied first.
    ///
    /// Write the returned [`Lent`] as you would [`outgoing`](Self::outgoing). What is left of it when it is
    /// dropped is queued as if it had been [sent](Self::send). This is worthwhile for a long message that a
    /// server has borrowed, perhaps from the buffer it was read into. A client masks a long one 64 KiB at a
    /// time, in the storage of one such part. A message that is short, or is to be compressed, is queued at
    /// once.
    ///
    /// ```
    /// use sansocket::bytes::Buf;
    /// use sansocket::{Config, Connection, Role};
    ///
    /// let mut connection = Connection::new(Role::Server, Config::default());
    /// let picture = vec![0x5A; 100_000];
    /// let mut lent = connection.lend(&picture[..])?;
    /// # let some_of_it = 60_000;
    /// // In a program: write_vectored, which returns how much the socket has taken.
    /// lent.advance(some_of_it);
    /// drop(lent);
    /// assert_eq!(connection.outgoing().remaining(), 10 + 100_000 - some_of_it);
    /// # Ok::<(), sansocket::SendError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send).
    #[inline]
    pub fn lend<'m>(&'m mut self, message: impl Into<Message<'m>>) -> Result<Lent<'m>, SendError> {
        self.sending.lend(message)
    }

    /// Queues a message that was prepared for many connections.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send).
    pub fn send_prepared(&mut self, message: &PreparedMessage) -> Result<(), SendError> {
        self.sending.send_prepared(message)
    }

    /// Begins or continues a message in fragments (section 5.4).
    pub const fn fragments(&mut self) -> FragmentWriter<'_> {
        self.sending.fragments()
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
        self.sending.ping(payload)
    }

    /// Queues an unsolicited Pong, as a one-way heartbeat (section 5.5.3). Pings are answered without
    /// it.
    ///
    /// # Errors
    ///
    /// As for [`ping`](Self::ping).
    pub fn pong<'p>(&mut self, payload: impl Into<ControlPayload<'p>>) -> Result<(), UsageError> {
        self.sending.pong(payload)
    }

    /// Begins the closing handshake (section 7.1.2) with this body, or with an empty one.
    ///
    /// Queues a Close frame after what was queued before. Does nothing if one was already sent or the
    /// connection has ended. Messages are still received until the peer's Close frame.
    ///
    /// ```
    /// use sansocket::{CloseCode, CloseFrame, Config, Connection, Role};
    ///
    /// let mut connection = Connection::new(Role::Client, Config::default());
    /// connection.close(Some(CloseFrame::new(CloseCode::NORMAL, "done")?));
    /// # Ok::<(), sansocket::UsageError>(())
    /// ```
    pub fn close(&mut self, frame: Option<CloseFrame<'_>>) {
        self.sending.close(frame);
    }
}

/// What the connection does by the clock; see [`Timers`].
#[cfg(feature = "std")]
impl Connection {
    /// Returns how long the latest answer to a keepalive Ping took; `None` before the first.
    ///
    /// It is measured from the first time reported after the Ping had left; if the answer came before that, from
    /// the last time before at which something was found written, or the Ping was queued.
    pub fn round_trip_time(&self) -> Option<Duration> {
        self.sending.round_trip_time()
    }

    /// Reports that bytes have arrived now; call it before their events are taken.
    #[inline]
    pub fn handle_read(&mut self, now: Instant) {
        self.sending.handle_read(now);
    }

    /// Returns when to call [`handle_timeout`](Self::handle_timeout) at the latest; `None` when there is
    /// nothing to do by the clock. Every call on the connection may change it.
    ///
    /// A timer starts when `handle_timeout` first tells the time after its cause, so call that before you ask.
    #[inline]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.sending.poll_timeout()
    }

    /// Reports what time it is, and does what is due.
    ///
    /// Call it when all outgoing bytes are written, or as many as the transport takes, and before waiting for
    /// anything; and when the time of [`poll_timeout`](Self::poll_timeout) has come. It may queue a Ping or a
    /// Close frame.
    ///
    /// # Errors
    ///
    /// Returns what has taken too long, once; each variant says what to do. Those that mean that the
    /// connection is lost have already had the effect of [`receive_eof`](Self::receive_eof).
    #[inline]
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), TimeoutError> {
        let outcome = self.sending.handle_timeout(now);
        if self.state() == ConnectionState::Closed {
            self.receiving.receive_eof();
        }
        outcome
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
