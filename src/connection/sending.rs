#[cfg(feature = "std")]
use alloc::boxed::Box;

use bytes::Buf;

use crate::config::Config;
use crate::connection::close_frame::CloseFrame;
use crate::connection::close_status::CloseStatus;
use crate::connection::closing::{Answer, ClosingHandshake};
use crate::connection::control::ControlPayload;
use crate::connection::encoding::{Encoding, Obstacle};
use crate::connection::error::{SendError, UsageError};
use crate::connection::event::Event;
use crate::connection::fragments::FragmentWriter;
use crate::connection::framing::Fragment;
use crate::connection::lent::Lent;
use crate::connection::outgoing::Outgoing;
use crate::connection::prepared::PreparedMessage;
#[cfg(feature = "std")]
use crate::connection::running_timers::{PingMark, RunningTimers};
use crate::connection::state::{ConnectionState, Transport};
use crate::connection::whole_frame::WholeFrame;
use crate::entropy::Entropy;
use crate::error::ProtocolError;
#[cfg(feature = "deflate")]
use crate::extension::AgreedDeflate;
use crate::frame::Opcode;
use crate::message::Message;
use crate::role::Role;

/// The half of a [`Connection`](crate::Connection) that turns messages into bytes, and knows where
/// the connection is in its life.
///
/// It comes from [`Connection::split`](crate::Connection::split), so that one thread can receive
/// while another sends. It has to be told what arrives: see [`answer`](Self::answer).
#[derive(Debug)]
pub struct SendingHalf {
    pub(super) closing: ClosingHandshake,
    pub(super) encoding: Encoding,
    #[cfg(feature = "std")]
    pub(super) timers: Option<Box<RunningTimers>>,
}

impl SendingHalf {
    pub(crate) fn new(role: Role, config: &Config, entropy: Entropy) -> Self {
        Self {
            closing: ClosingHandshake::Open,
            encoding: Encoding::new(role, config, entropy),
            #[cfg(feature = "std")]
            timers: None,
        }
    }

    /// Compresses messages from now on.
    #[cfg(feature = "deflate")]
    pub(crate) fn deflate(&mut self, agreed: &AgreedDeflate) {
        self.encoding.deflate(agreed);
    }

    /// Returns which end this is.
    pub const fn role(&self) -> Role {
        self.encoding.framing.role()
    }

    /// Returns where the connection is in its life.
    #[inline]
    pub const fn state(&self) -> ConnectionState {
        self.closing.state()
    }

    /// Returns what to do with the transport now.
    #[inline]
    pub fn transport(&self) -> Transport {
        // What is queued is written first, above all a final Close frame, as long as it can be.
        if self.encoding.framing.outgoing().has_remaining()
            && self.state() != ConnectionState::Closed
        {
            return Transport::KeepOpen;
        }
        self.closing.transport(self.role())
    }

    /// Returns how the connection ended or is ending; `None` while it is open.
    pub fn close_status(&self) -> Option<CloseStatus> {
        self.closing.status()
    }

    /// Returns the bytes to write to the transport.
    #[inline]
    pub const fn outgoing(&mut self) -> &mut Outgoing {
        self.encoding.framing.outgoing_mut()
    }

    /// Takes note of what the receiving half has found, and queues the reply, if it calls for one.
    ///
    /// That is a Pong for a Ping (RFC 6455, section 5.5.2), and a Close frame for a Close frame
    /// (section 5.5.1).
    #[inline]
    pub fn answer(&mut self, event: &Event<'_>) {
        match event {
            Event::Ping(payload) => self.answer_ping(payload),
            Event::Close(frame) => self.answer_close(frame.as_ref()),
            Event::Message(_) | Event::Chunk(_) => self.note_message(),
            Event::Pong(payload) => self.note_pong(payload),
        }
    }

    /// Does the same for a whole frame, and makes it an event. In separate steps, the kind would be matched
    /// twice.
    #[inline(always)]
    pub(crate) fn answer_whole_frame<'input>(
        &mut self,
        frame: WholeFrame<'input>,
    ) -> Event<'input> {
        match frame {
            WholeFrame::Text(_) | WholeFrame::Binary(_) => {
                self.note_message();
                frame.into()
            }
            WholeFrame::Ping(payload) => {
                self.answer_ping(payload);
                frame.into()
            }
            WholeFrame::Pong(payload) => {
                self.note_pong(payload);
                frame.into()
            }
        }
    }

    /// Takes note of how the peer broke the protocol, and queues the Close frame that tells it so:
    /// _Fail the WebSocket Connection_ (section 7.1.7).
    #[cold]
    pub fn fail(&mut self, error: ProtocolError) {
        if self.closing.fail(error.close_code()) == Answer::SendClose {
            self.encoding.framing.close(Some(&CloseFrame::from(error.close_code())));
        }
    }

    /// Reports that the transport has ended; see
    /// [`Connection::receive_eof`](crate::Connection::receive_eof).
    pub fn receive_eof(&mut self) {
        self.closing.receive_eof();
    }

    /// Reports that the transport takes no more bytes; see
    /// [`Connection::receive_write_error`](crate::Connection::receive_write_error).
    pub fn receive_write_error(&mut self) {
        self.closing.receive_write_error();
        self.encoding.framing.outgoing_mut().discard();
    }

    /// Queues a message; see [`Connection::send`](crate::Connection::send).
    ///
    /// # Errors
    ///
    /// [`SendError::BufferFull`] with the message when too much is waiting to be written,
    /// [`SendError::Refused`] when the connection isn't open or a fragmented message isn't finished.
    #[inline(always)]
    pub fn send<'m>(&mut self, message: impl Into<Message<'m>>) -> Result<(), SendError> {
        let message = message.into();
        if let Some(obstacle) = self.obstacle() {
            return Err(obstacle.refuse(message));
        }
        self.note_message();
        self.encoding.queue(message);
        Ok(())
    }

    /// Lends a message to the next write; see [`Connection::lend`](crate::Connection::lend).
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send).
    #[inline]
    pub fn lend<'m>(&'m mut self, message: impl Into<Message<'m>>) -> Result<Lent<'m>, SendError> {
        let message = message.into();
        if let Some(obstacle) = self.obstacle() {
            return Err(obstacle.refuse(message));
        }
        self.note_message();
        Ok(self.encoding.lend(message))
    }

    /// Queues a message that was prepared for many connections.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send).
    pub fn send_prepared(&mut self, message: &PreparedMessage) -> Result<(), SendError> {
        let shared = message.message().clone();
        if let Some(obstacle) = self.obstacle() {
            return Err(obstacle.refuse(shared));
        }
        self.note_message();
        self.encoding.queue_prepared(shared, message);
        Ok(())
    }

    /// Begins or continues a message in fragments (section 5.4).
    pub const fn fragments(&mut self) -> FragmentWriter<'_> {
        FragmentWriter::new(self)
    }

    /// Queues a Ping (section 5.5.2).
    ///
    /// # Errors
    ///
    /// [`UsageError::NotOpen`], or [`UsageError::BacklogFull`] when too much is waiting.
    pub fn ping<'p>(&mut self, payload: impl Into<ControlPayload<'p>>) -> Result<(), UsageError> {
        let payload = payload.into();
        #[cfg(feature = "std")]
        let mark = self.timers.is_some().then(|| PingMark::of(&payload));
        self.check_open()?;
        self.encoding.control(Opcode::Ping, payload)?;
        #[cfg(feature = "std")]
        if let (Some(timers), Some(mark)) = (&mut self.timers, mark) {
            timers.note_other_ping(mark);
        }
        Ok(())
    }

    /// Queues an unsolicited Pong (section 5.5.3).
    ///
    /// # Errors
    ///
    /// As for [`ping`](Self::ping).
    pub fn pong<'p>(&mut self, payload: impl Into<ControlPayload<'p>>) -> Result<(), UsageError> {
        self.check_open()?;
        self.encoding.control(Opcode::Pong, payload.into())
    }

    /// Begins the closing handshake (section 7.1.2); see [`Connection::close`](crate::Connection::close).
    #[expect(clippy::needless_pass_by_value, reason = "a frame is made for this one call")]
    pub fn close(&mut self, frame: Option<CloseFrame<'_>>) {
        if self.closing.send_close(frame.as_ref()) == Answer::SendClose {
            self.encoding.framing.close(frame.as_ref());
        }
    }

    pub(crate) fn send_fragment(
        &mut self,
        piece: Message<'_>,
        fragment: Fragment,
    ) -> Result<(), SendError> {
        self.check_open()?;
        self.encoding.fragment(piece, fragment)?;
        self.note_message();
        Ok(())
    }

    /// Whether too much waits to be written for anything more to be taken.
    #[cfg(feature = "blocking")]
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.encoding.is_full()
    }

    /// Whether a message was begun in fragments, and can still be finished.
    #[cfg(feature = "blocking")]
    pub(crate) const fn is_within_message(&self) -> bool {
        self.closing.may_send() && self.encoding.framing.open_message().is_some()
    }

    /// What stands in the way of a whole message.
    #[inline]
    fn obstacle(&self) -> Option<Obstacle> {
        match self.check_open() {
            Ok(()) => self.encoding.obstacle(),
            Err(error) => Some(Obstacle::Refused(error)),
        }
    }

    #[inline]
    fn check_open(&self) -> Result<(), UsageError> {
        // §5.5.1: nothing is sent after a Close frame except what the protocol itself owes.
        if self.closing.may_send() { Ok(()) } else { Err(UsageError::NotOpen) }
    }

    fn answer_ping(&mut self, payload: &[u8]) {
        // §5.5.2: as soon as is practical.
        if self.closing.owes_pongs() {
            self.encoding.framing.automatic_pong(payload);
        }
    }

    /// §5.5.1: the answer carries the code that was received, and no reason.
    #[cold]
    fn answer_close(&mut self, received: Option<&CloseFrame<'_>>) {
        if self.closing.receive_close(received) == Answer::SendClose {
            let reply = received.map(|frame| CloseFrame::from(frame.code()));
            self.encoding.framing.close(reply.as_ref());
        }
    }

    #[inline]
    #[cfg_attr(not(feature = "std"), expect(clippy::unused_self, reason = "there are no timers"))]
    fn note_message(&mut self) {
        #[cfg(feature = "std")]
        if let Some(timers) = &mut self.timers {
            timers.note_message();
        }
    }

    #[cfg_attr(
        not(feature = "std"),
        expect(clippy::unused_self, unused_variables, reason = "there are no timers")
    )]
    fn note_pong(&mut self, payload: &[u8]) {
        #[cfg(feature = "std")]
        if let Some(timers) = &mut self.timers {
            timers.note_pong(payload);
        }
    }
}
