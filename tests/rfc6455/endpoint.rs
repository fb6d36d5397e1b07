//! One end of a connection under test: it is fed bytes, and everything that can be seen of it is noted.

use bytes::Buf;
use sansocket::{
    Chunk, CloseCode, CloseSignal, CloseStatus, ClosedBy, Config, Connection, ConnectionState,
    ControlPayload, Event, Message, ProtocolError, Role, Transport,
};

use crate::wire::{self, Frame};

pub(crate) const ROLES: [Role; 2] = [Role::Client, Role::Server];

/// Longer inputs are cut in fewer ways, to keep the tests quick; so are all under Miri.
const CUT_EVERYWHERE: usize = if cfg!(miri) { 4 } else { 300 };
const CUT_TO_BYTES: usize = if cfg!(miri) { 60 } else { 5_000 };

/// What is tried with each of many numbers is tried with one in this many under Miri.
pub(crate) const STEP: usize = if cfg!(miri) { 509 } else { 1 };

/// How an endpoint is set up, and what it has done before the peer's bytes arrive.
pub(crate) struct Endpoint<'a> {
    role: Role,
    config: Config,
    before: Box<dyn Fn(&mut Connection) + 'a>,
    echo: bool,
}

/// All that can be seen of an endpoint after the peer's bytes have arrived.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) role: Role,
    pub(crate) events: Vec<Event<'static>>,
    pub(crate) error: Option<ProtocolError>,
    pub(crate) sent: Vec<Frame>,
    pub(crate) state: ConnectionState,
    /// What to do once everything is written.
    pub(crate) transport: Transport,
    pub(crate) close_status: Option<CloseStatus>,
}

impl<'a> Endpoint<'a> {
    pub(crate) fn new(role: Role) -> Self {
        Self { role, config: Config::default(), before: Box::new(|_| {}), echo: false }
    }

    pub(crate) fn config(self, config: Config) -> Self {
        Self { config, ..self }
    }

    /// Does this first.
    pub(crate) fn after(self, before: impl Fn(&mut Connection) + 'a) -> Self {
        Self { before: Box::new(before), ..self }
    }

    /// Sends each message back as soon as it is received.
    pub(crate) fn echoing(self) -> Self {
        Self { echo: true, ..self }
    }

    /// What becomes of frames that the peer sends.
    pub(crate) fn receives(&self, frames: &[Frame]) -> Outcome {
        self.receives_bytes(&wire::sent_by(self.role.peer(), frames))
    }

    /// What becomes of bytes, which must be the same whole, byte by byte and cut at each position.
    pub(crate) fn receives_bytes(&self, bytes: &[u8]) -> Outcome {
        let whole = self.receives_reads(&mut [bytes.to_vec()]);
        if bytes.len() <= CUT_TO_BYTES {
            let mut single: Vec<Vec<u8>> = bytes.iter().map(|&byte| vec![byte]).collect();
            assert_eq!(self.receives_reads(&mut single), whole, "byte by byte: {bytes:x?}");
        }
        if bytes.len() <= CUT_EVERYWHERE {
            for cut in 0..=bytes.len() {
                let (head, tail) = bytes.split_at(cut);
                let mut reads = [head.to_vec(), tail.to_vec()];
                assert_eq!(self.receives_reads(&mut reads), whole, "cut at {cut}: {bytes:x?}");
            }
        }
        whole
    }

    fn receives_reads(&self, reads: &mut [Vec<u8>]) -> Outcome {
        let mut connection = Connection::new(self.role, self.config);
        (self.before)(&mut connection);
        let (mut events, mut error) = (Vec::new(), None);
        for read in reads {
            let (more, failure) = receive(&mut connection, read, self.echo);
            // §7.1.7: the error is terminal, and the same again whatever else arrives.
            assert!(error.is_none() || (more.is_empty() && failure == error));
            events.extend(more);
            error = failure;
        }
        observe(connection, joined(events), error)
    }
}

/// Takes every event out of one read.
fn receive(
    connection: &mut Connection,
    read: &mut [u8],
    echo: bool,
) -> (Vec<Event<'static>>, Option<ProtocolError>) {
    let mut input = read;
    let mut events = Vec::new();
    let failure = loop {
        match connection.next_event(&mut input) {
            Ok(Some(event)) => {
                events.push(owned(&event));
                if let (true, Event::Message(message)) = (echo, event) {
                    connection.send(message).expect("an echo");
                }
            }
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    assert!(input.is_empty(), "nothing is left to carry over");
    (events, failure)
}

fn observe(
    mut connection: Connection,
    events: Vec<Event<'static>>,
    error: Option<ProtocolError>,
) -> Outcome {
    let role = connection.role();
    assert_further_input_is_discarded(&mut connection, error);
    if connection.outgoing().has_remaining() {
        assert_eq!(connection.transport(), Transport::KeepOpen, "first everything is written");
    }
    Outcome {
        role,
        events,
        error,
        sent: wire::frames_of(role, &drain(&mut connection)),
        state: connection.state(),
        transport: connection.transport(),
        close_status: connection.close_status(),
    }
}

/// §5.5.1, §7.1.7: after a Close frame or an error nothing that arrives has any effect.
fn assert_further_input_is_discarded(connection: &mut Connection, error: Option<ProtocolError>) {
    let received_close =
        connection.close_status().is_some_and(|status| status.remote != CloseSignal::Missing);
    if error.is_none() && !received_close {
        return;
    }
    let (waiting, status) = (connection.outgoing().remaining(), connection.close_status());
    let sender = connection.role().peer();
    for mut further in [
        wire::text("too late").sent_by(sender),
        wire::ping("too late").sent_by(sender),
        wire::close(1000, "too late").sent_by(sender),
        vec![0xFF; 20],
        vec![],
    ] {
        let (events, again) = receive(connection, &mut further, false);
        assert_eq!((events, again), (vec![], error));
        assert_eq!(connection.outgoing().remaining(), waiting);
        assert_eq!(connection.close_status(), status);
    }
}

/// The bytes to be written, taken as written.
pub(crate) fn drain(connection: &mut Connection) -> Vec<u8> {
    let outgoing = connection.outgoing();
    let mut bytes = Vec::new();
    while outgoing.has_remaining() {
        let chunk = outgoing.chunk();
        assert!(!chunk.is_empty(), "Buf: a chunk is empty only at the end");
        let length = chunk.len();
        bytes.extend_from_slice(chunk);
        outgoing.advance(length);
    }
    bytes
}

/// The frames to be written, taken as written.
pub(crate) fn drain_frames(connection: &mut Connection) -> Vec<Frame> {
    wire::frames_of(connection.role(), &drain(connection))
}

/// Feeds an endpoint that a test drives step by step.
pub(crate) fn feed(connection: &mut Connection, frames: &[Frame]) -> Vec<Event<'static>> {
    let mut bytes = wire::sent_by(connection.role().peer(), frames);
    let (events, error) = receive(connection, &mut bytes, false);
    assert_eq!(error, None);
    events
}

/// As [`feed`], for bytes that may be anything.
pub(crate) fn feed_bytes(
    connection: &mut Connection,
    bytes: &[u8],
) -> (Vec<Event<'static>>, Option<ProtocolError>) {
    receive(connection, &mut bytes.to_vec(), false)
}

pub(crate) fn message(message: impl Into<Message<'static>>) -> Event<'static> {
    Event::Message(message.into())
}

pub(crate) fn bytes_message(bytes: impl AsRef<[u8]>) -> Event<'static> {
    Event::Message(Message::from(bytes.as_ref().to_vec()))
}

pub(crate) fn ping_event(payload: impl AsRef<[u8]>) -> Event<'static> {
    Event::Ping(ControlPayload::new(payload.as_ref().to_vec()).unwrap())
}

pub(crate) fn pong_event(payload: impl AsRef<[u8]>) -> Event<'static> {
    Event::Pong(ControlPayload::new(payload.as_ref().to_vec()).unwrap())
}

pub(crate) fn close_event(code: u16, reason: &'static str) -> Event<'static> {
    Event::Close(Some(close_body(code, reason)))
}

pub(crate) fn close_body(code: u16, reason: &str) -> sansocket::CloseFrame<'_> {
    sansocket::CloseFrame::new(CloseCode::new(code).unwrap(), reason).unwrap()
}

/// §7.1.1: what an end does with the transport when the closing handshake is over.
pub(crate) fn transport_at_the_end(role: Role) -> Transport {
    match role {
        Role::Server => Transport::Close,
        Role::Client => Transport::AwaitPeer,
    }
}

pub(crate) fn signal(code: u16) -> CloseSignal {
    CloseSignal::Code(CloseCode::new(code).unwrap())
}

impl Outcome {
    /// The connection is as open as it was: these events, and these frames in reply.
    #[track_caller]
    pub(crate) fn assert_open(&self, events: &[Event<'static>], sent: &[Frame]) {
        assert_eq!(self.events, events);
        assert_eq!(self.error, None);
        assert_eq!(self.sent, sent);
        assert_eq!(self.state, ConnectionState::Open);
        assert_eq!(self.transport, Transport::KeepOpen);
        assert_eq!(self.close_status, None);
    }

    /// The connection has failed after these events and replies, with a Close frame of this code.
    #[track_caller]
    pub(crate) fn assert_failed_after(
        &self,
        events: &[Event<'static>],
        replies: &[Frame],
        error: ProtocolError,
        code: u16,
    ) {
        assert_eq!(self.events, events);
        assert_eq!(self.error, Some(error));
        assert_eq!(error.close_code().get(), code);
        let mut sent = replies.to_vec();
        sent.push(wire::close(code, ""));
        assert_eq!(self.sent, sent);
        self.assert_ended();
        let status = self.close_status.as_ref().unwrap();
        assert_eq!(status.closed_by, ClosedBy::Local);
        assert_eq!((status.local, status.remote), (signal(code), CloseSignal::Missing));
        assert_eq!(status.reason, "");
        assert!(!status.is_clean());
    }

    #[track_caller]
    pub(crate) fn assert_failed(&self, error: ProtocolError, code: u16) {
        self.assert_failed_after(&[], &[], error, code);
    }

    /// Nothing more is to be said; the server closes, the client waits for that.
    #[track_caller]
    pub(crate) fn assert_ended(&self) {
        assert_eq!(self.state, ConnectionState::Closing);
        assert_eq!(self.transport, transport_at_the_end(self.role));
    }

    /// The peer has closed, and was answered after these replies.
    #[track_caller]
    pub(crate) fn assert_closed_by_peer(
        &self,
        events: &[Event<'static>],
        sent: &[Frame],
        signal: CloseSignal,
        reason: &str,
    ) {
        assert_eq!(self.error, None);
        assert_eq!(self.events, events);
        assert_eq!(self.sent, sent);
        self.assert_ended();
        let status = self.close_status.as_ref().unwrap();
        assert_eq!(status.closed_by, ClosedBy::Remote);
        assert_eq!((status.local, status.remote), (signal, signal));
        assert_eq!(status.reason, *reason);
        assert!(status.is_clean());
    }
}

/// An event with bytes of its own.
fn owned(event: &Event<'_>) -> Event<'static> {
    match event.clone() {
        Event::Message(message) => Event::Message(message.into_owned()),
        Event::Chunk(Chunk { piece, first, last }) => {
            Event::Chunk(Chunk { piece: piece.into_owned(), first, last })
        }
        Event::Ping(payload) => Event::Ping(payload.into_owned()),
        Event::Pong(payload) => Event::Pong(payload.into_owned()),
        Event::Close(frame) => Event::Close(frame.map(sansocket::CloseFrame::into_owned)),
        other => panic!("an event that no test knows: {other:?}"),
    }
}

/// Joins the pieces of a message, as where they are cut depends on the reads.
fn joined(events: Vec<Event<'static>>) -> Vec<Event<'static>> {
    let mut joined: Vec<Event<'static>> = Vec::new();
    for event in events {
        match (joined.last_mut(), event) {
            (Some(Event::Chunk(open)), Event::Chunk(next)) if !open.last => {
                assert!(!next.first, "only the first piece is the first");
                open.piece = concatenated(&open.piece, &next.piece);
                open.last = next.last;
            }
            (_, event) => joined.push(event),
        }
    }
    joined
}

fn concatenated(head: &Message<'_>, tail: &Message<'_>) -> Message<'static> {
    assert_eq!(head.kind(), tail.kind(), "the pieces of a message are of one kind");
    match (head.as_text(), tail.as_text()) {
        (Some(head), Some(tail)) => Message::from([head, tail].concat()),
        _ => Message::from([head.as_bytes(), tail.as_bytes()].concat()),
    }
}
