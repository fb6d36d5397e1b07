use std::io;
use std::mem;
use std::time::Instant;

use mio::event::Event as Readiness;
use mio::net::TcpStream;
use mio::{Registry, Token};
use sansocket::bytes::{Buf, Bytes};
use sansocket::handshake::{Answer, Refusal, ServerHandshake, negotiate};
use sansocket::http::Request;
use sansocket::http::header::SEC_WEBSOCKET_EXTENSIONS;
use sansocket::{CloseCode, CloseFrame, Connection, ConnectionState, Event, Transport};

use super::application::Application;
use super::deadlines::Timer;
use super::replies::Replies;
use super::settings::Settings;
use super::socket::{Arrived, Socket};

/// Once this many bytes wait to be written to a peer, nothing is read from it. Together with the replies
/// to one read, and the long message that may end in it, this bounds what a peer that doesn't read costs.
const MOST_WAITING: usize = 256 * 1024;

/// How often a peer with a lot to say is read from in one turn: a long message that has arrived is passed
/// on while it is still in the cache, instead of being gathered alongside those of all the others. These
/// wait no longer than it takes to pass on 3 MiB.
const READS: usize = 16;

/// How much is read in one turn from a peer that compresses: each byte may become a thousand, and the
/// others wait for those too.
const LITTLE: usize = 16 * 1024;

/// One connection, from its opening handshake to the end of its TCP connection.
pub(crate) struct Peer {
    socket: Socket,
    /// What is left of the HTTP response, which goes ahead of everything else. It is on the heap, because
    /// it is hardly ever there: a new socket has room for it.
    response: Option<Box<Bytes>>,
    phase: Phase,
    /// Whether only [a little](LITTLE) is read in a turn: if an extension was agreed on that makes messages
    /// longer than they are on the wire, and before that is known.
    reads_little: bool,
    pub(crate) timer: Timer,
    /// Whether it waits in the queue for a turn.
    pub(crate) is_queued: bool,
}

enum Phase {
    /// The request is on its way.
    Opening { handshake: ServerHandshake, by: Instant },
    /// It is a WebSocket.
    Connected(Connection),
    /// It is not a WebSocket, and the response says why.
    Refused { by: Instant },
    /// Everything has been said, and our direction has ended. The peer closes before we do: otherwise
    /// what was written last might not reach it.
    Ending { by: Instant },
}

/// What the peers of an event loop have in common.
pub(crate) struct Shared<A> {
    pub(crate) registry: Registry,
    /// Where reads go. Nothing stays in it from one turn to the next.
    pub(crate) buffer: Box<[u8]>,
    /// Holds the replies until they are written. Nothing stays in it either.
    pub(crate) storage: Vec<u8>,
    /// When the poll returned.
    pub(crate) now: Instant,
    pub(crate) settings: Settings,
    pub(crate) application: A,
}

/// When a peer is to have its next turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// When the poll or its timer says so.
    Wait,
    /// When the others have had theirs: there may be more to read.
    Again,
    /// Never. It is to be dropped.
    Over,
}

impl Peer {
    pub(crate) fn new<A>(stream: TcpStream, token: Token, shared: &Shared<A>) -> io::Result<Self> {
        let by = shared.now + shared.settings.handshake;
        Ok(Self {
            socket: Socket::new(stream, token, &shared.registry)?,
            response: None,
            phase: Phase::Opening { handshake: ServerHandshake::default(), by },
            reads_little: true,
            timer: Timer::OFF,
            is_queued: false,
        })
    }

    /// Notes what the poll has seen.
    pub(crate) fn notice(&mut self, readiness: &Readiness) {
        self.socket.notice(readiness);
    }

    /// Reads, and at once writes all that follows from each read.
    ///
    /// # Errors
    ///
    /// Those of the socket, after which the peer is lost.
    pub(crate) fn turn<A: Application>(
        &mut self,
        token: Token,
        shared: &mut Shared<A>,
    ) -> io::Result<Next> {
        self.write(shared)?;
        let mut next = Next::Again;
        for _ in 0..READS {
            if self.waiting() >= MOST_WAITING || self.socket.is_at_end() {
                next = Next::Wait; // for room to write
                break;
            }
            next = self.read(shared)?;
            self.write(shared)?;
            if next != Next::Again || self.reads_little {
                break;
            }
        }
        // A peer that has ended its own direction may still read: all that it is owed is written first.
        if self.socket.is_at_end() && self.waiting() == 0 {
            next = self.receive_eof();
        }
        self.tell_time(shared)?;
        if let Phase::Connected(connection) = &mut self.phase {
            connection.outgoing().reclaim_storage(&mut shared.storage);
        }
        self.end_if_all_is_said(shared)?;
        self.socket.watch(token, &shared.registry)?;
        Ok(if self.is_over(shared.now) { Next::Over } else { next })
    }

    /// Says goodbye in the next turn, because the server is stopping.
    ///
    /// Returns `false` if the peer's request hasn't been answered: there is nothing to say to it, and it is
    /// to be dropped.
    pub(crate) fn go_away(&mut self) -> bool {
        match &mut self.phase {
            Phase::Opening { .. } => return false,
            Phase::Connected(connection) => {
                connection.close(CloseFrame::new(CloseCode::GOING_AWAY, "the server stops").ok());
            }
            Phase::Refused { .. } | Phase::Ending { .. } => {}
        }
        true
    }

    /// Returns by when it has to have a turn.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let phase = match &self.phase {
            Phase::Opening { by, .. } | Phase::Refused { by } | Phase::Ending { by } => Some(*by),
            Phase::Connected(connection) => connection.poll_timeout(),
        };
        [phase, self.socket.stalled_by()].into_iter().flatten().min()
    }

    fn is_over(&self, now: Instant) -> bool {
        let is_over = match &self.phase {
            Phase::Opening { by, .. } | Phase::Refused { by } | Phase::Ending { by } => *by <= now,
            Phase::Connected(connection) => connection.state() == ConnectionState::Closed,
        };
        is_over || self.socket.stalled_by().is_some_and(|by| by <= now)
    }

    fn read<A: Application>(&mut self, shared: &mut Shared<A>) -> io::Result<Next> {
        let buffer = &mut *shared.buffer;
        let room = if self.reads_little { buffer.get_mut(..LITTLE) } else { Some(buffer) };
        let (count, next) = match self.socket.read(room.unwrap_or_default())? {
            Arrived::Some(count) => (count, Next::Again),
            Arrived::All(count) => (count, Next::Wait),
            Arrived::Nothing => return Ok(Next::Wait),
        };
        self.receive(count, shared);
        Ok(next)
    }

    /// Handles the first `count` bytes of the buffer.
    fn receive<A: Application>(&mut self, count: usize, shared: &mut Shared<A>) {
        let Shared { buffer, storage, application, settings, now, .. } = shared;
        let mut input = buffer.get_mut(..count).unwrap_or_default();
        if let Phase::Opening { handshake, by } = &mut self.phase {
            let by = *by;
            match handshake.receive(&mut input) {
                Ok(None) => {}
                Ok(Some(request)) => self.answer(&request, by, settings, application),
                Err(error) => self.refuse(error.into(), by),
            }
        }
        // Whatever follows the request is the first input of the connection.
        if let Phase::Connected(connection) = &mut self.phase {
            connection.handle_read(*now);
            connection.outgoing().lend_storage(storage);
            let (now, patience) = (*now, settings.stall);
            // The response goes ahead of everything else.
            let socket = Some(&mut self.socket).filter(|_| self.response.is_none());
            let mut replies = Replies { connection, socket, is_last: false, now, patience };
            converse(&mut replies, input, application);
        }
    }

    fn answer(
        &mut self,
        request: &Request<()>,
        by: Instant,
        settings: &Settings,
        application: &mut impl Application,
    ) {
        match negotiate(request, |request, upgrade| application.on_request(request, upgrade)) {
            Ok(Answer::Accepted(mut accepted)) => {
                let agreed = accepted.response();
                self.reads_little = agreed.headers().contains_key(SEC_WEBSOCKET_EXTENSIONS);
                self.response = Some(Box::new(mem::take(accepted.outgoing())));
                let connection = accepted.into_connection(settings.config);
                self.phase = Phase::Connected(connection.with_timers(settings.timers));
            }
            Ok(Answer::Refused(refusal)) => self.refuse(refusal, by),
            Err(error) => self.refuse(error.into(), by),
        }
    }

    fn refuse(&mut self, mut refusal: Refusal, by: Instant) {
        self.response = Some(Box::new(mem::take(refusal.outgoing())));
        self.phase = Phase::Refused { by };
    }

    /// Handles the end of what the peer sends. A WebSocket that ends like this without a Close frame from the
    /// peer is lost; `Connection::close_status` would say so.
    fn receive_eof(&mut self) -> Next {
        if let Phase::Connected(connection) = &mut self.phase {
            connection.receive_eof();
        }
        Next::Over
    }

    /// Writes everything outgoing, or as much as there is room for.
    fn write<A>(&mut self, shared: &Shared<A>) -> io::Result<()> {
        if self.response.is_some() && !self.write_response(shared)? {
            return Ok(());
        }
        let Phase::Connected(connection) = &mut self.phase else { return Ok(()) };
        if connection.outgoing().has_remaining() {
            self.socket.write(connection.outgoing(), shared.now, shared.settings.stall)?;
        }
        Ok(())
    }

    /// Writes what is left of the response, and returns whether there was room for it.
    #[cold]
    fn write_response<A>(&mut self, shared: &Shared<A>) -> io::Result<bool> {
        if let Some(response) = &mut self.response {
            self.socket.write(&mut **response, shared.now, shared.settings.stall)?;
            if response.has_remaining() {
                return Ok(false);
            }
        }
        self.response = None;
        Ok(true)
    }

    /// Returns how many bytes wait to be written.
    fn waiting(&mut self) -> usize {
        let response = self.response.as_ref().map_or(0, |response| response.len());
        match &mut self.phase {
            Phase::Connected(connection) => response + connection.outgoing().remaining(),
            _ => response,
        }
    }

    /// Makes the connection do what is due by the clock, once everything is written that can be.
    fn tell_time<A>(&mut self, shared: &Shared<A>) -> io::Result<()> {
        loop {
            let Phase::Connected(connection) = &mut self.phase else { return Ok(()) };
            // Anything that has taken too long has had its effect: the connection is closing, or lost.
            let _ = connection.handle_timeout(shared.now);
            if !connection.outgoing().has_remaining() || self.socket.stalled_by().is_some() {
                return Ok(());
            }
            // A Ping. Its time begins when it has left, so the connection has to be told the time again.
            self.write(shared)?;
        }
    }

    /// Does with the transport what the connection says. As a server, it closes first, as soon as the Close
    /// frame is written (RFC 6455, section 7.1.1).
    fn end_if_all_is_said<A>(&mut self, shared: &Shared<A>) -> io::Result<()> {
        let all_is_said = match &self.phase {
            // A closed connection is over, and has said what it could.
            Phase::Connected(connection) => {
                connection.transport() == Transport::Close
                    && connection.state() == ConnectionState::Closing
            }
            Phase::Refused { .. } => self.response.is_none(),
            Phase::Opening { .. } | Phase::Ending { .. } => false,
        };
        if all_is_said {
            self.socket.end()?;
            self.phase = Phase::Ending { by: shared.now + shared.settings.linger };
        }
        Ok(())
    }
}

/// Takes every event out of the input. By then, what the protocol itself owes the peer is queued: the
/// answer to a Ping, to a Close frame, to a breach of the rules.
fn converse(replies: &mut Replies<'_>, mut input: &mut [u8], application: &mut impl Application) {
    loop {
        let event = replies.connection.next_event(&mut input);
        replies.is_last = input.is_empty();
        match event {
            // Nothing is answered after our own Close.
            Ok(Some(Event::Message(message)))
                if replies.connection.state() == ConnectionState::Open =>
            {
                if application.on_message(message, replies).is_err() {
                    replies.connection.close(Some(CloseCode::INTERNAL_ERROR.into()));
                }
            }
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => return,
        }
        if replies.is_last {
            return;
        }
    }
}
