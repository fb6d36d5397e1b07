//! Whatever the application and the peer do, in whatever order, a connection keeps to the protocol.

use bytes::Buf;
use sansocket::{
    CloseCode, CloseFrame, CloseSignal, ClosedBy, Connection, ConnectionState, ControlPayload,
    Message, MessageKind, PreparedMessage, ProtocolError, Role, SendError, Transport, UsageError,
};

use super::payload;
use super::reference::{BINARY, CLOSE, CONTINUATION, Frame, PING, PONG, Reader, TEXT};
use super::script::Script;
use super::setup::Setup;
use super::transcript::{Events, Seen, drain, write};

/// The input is a [`Setup`] and [`Operation`]s.
pub fn law(data: &[u8]) {
    let mut script = Script(data);
    let setup = Setup::read(&mut script);
    let mut operations = Vec::new();
    while !script.is_empty() && operations.len() < MOST_OPERATIONS {
        operations.push(Operation::read(&mut script));
    }
    stays_within_the_protocol(setup, &operations);
}

/// Something that happens to a connection.
#[derive(Debug, Clone)]
pub enum Operation {
    /// These bytes arrive.
    Receive(Vec<u8>),
    /// A frame arrives, written as the peer has to.
    ReceiveFrame(Frame),
    /// A compressed message arrives in one frame: this text, in a block without compression.
    ReceiveCompressed(Vec<u8>),
    /// The application sends a message of this size.
    Send(MessageKind, usize),
    /// The same, prepared.
    SendPrepared(MessageKind, usize),
    /// The application lends a message of this size to a transport that takes this many bytes.
    Lend(MessageKind, usize, usize),
    /// The application sends a fragment of this size that others will follow.
    Write(MessageKind, usize),
    /// The application sends a last fragment of this size.
    Finish(MessageKind, usize),
    /// The application sends a Ping of this size.
    Ping(usize),
    /// The application sends a Pong.
    Pong,
    /// The application closes, with the code of this number, or without one where there is none.
    Close(u16),
    /// The transport takes this many bytes.
    Drain(usize),
    /// An event loop lends storage for what is outgoing.
    LendStorage,
    /// It takes the storage back.
    ReclaimStorage,
    /// The transport takes no more bytes.
    WriteError,
    /// The transport ends.
    Eof,
}

impl Operation {
    /// What the next bytes say: which operation, then its arguments.
    pub fn read(script: &mut Script<'_>) -> Self {
        let choice = script.byte();
        match choice % 16 {
            0 | 1 => {
                let count = usize::from(script.byte());
                Self::Receive(script.bytes(count).to_vec())
            }
            2..=5 if choice >= 0x80 => {
                let count = usize::from(script.byte());
                Self::ReceiveCompressed(script.bytes(count).to_vec())
            }
            2..=5 => {
                let first = script.byte();
                let count = usize::from(script.byte());
                let payload = match choice & 1 {
                    0 => script.bytes(count).to_vec(),
                    _ => vec![script.byte(); count],
                };
                Self::ReceiveFrame(Frame { fin: first & 0x80 != 0, opcode: first & 0x0F, payload })
            }
            6 | 7 if choice >= 0x80 => {
                Self::SendPrepared(payload::kind(choice), payload::size(script))
            }
            6 | 7 => Self::Send(payload::kind(choice), payload::size(script)),
            8 | 9 if choice >= 0x80 => {
                Self::Lend(payload::kind(choice), payload::size(script), payload::size(script))
            }
            8 | 9 => Self::Write(payload::kind(choice), payload::size(script)),
            10 => Self::Finish(payload::kind(script.byte()), payload::size(script)),
            11 => Self::Ping(usize::from(script.byte())),
            12 if choice >= 0xC0 => Self::ReclaimStorage,
            12 if choice >= 0x80 => Self::LendStorage,
            12 => Self::Pong,
            13 => Self::Close(u16::from_be_bytes([script.byte(), script.byte()])),
            14 => Self::Drain(payload::size(script)),
            _ => match script.byte() {
                0xFF => Self::Eof,
                0xFE => Self::WriteError,
                _ => Self::Drain(usize::MAX),
            },
        }
    }
}

/// Does all of it, looking at everything that can be seen after each step, and then writes the rest.
pub fn stays_within_the_protocol(setup: Setup, operations: &[Operation]) {
    let mut watched = Watched::new(setup);
    for (index, operation) in operations.iter().enumerate() {
        watched.perform(operation, index);
        watched.check();
    }
    watched.drain(usize::MAX);
    watched.check();
    watched.check_everything_written();
}

/// More than this only takes more time.
const MOST_OPERATIONS: usize = 64;

/// The payload of the Pongs that the application sends, to tell them from the answers.
const HEARTBEAT: &[u8; 9] = b"heartbeat";

/// Up to this many frames of Pongs every Ping is answered, whatever the backlog's limit is.
const SHORT_BACKLOG: usize = 16;

/// Whether the transport takes what the connection says.
#[derive(PartialEq, Eq)]
enum Voice {
    Heard,
    LostWhileOpen,
    LostLater,
}

/// A connection, and what has to be true of it.
struct Watched {
    setup: Setup,
    connection: Connection,
    events: Events,
    /// What was written, as the peer understands it.
    written: Reader,
    /// The frames, but for Close, that the application was allowed to send.
    accepted: Vec<Frame>,
    /// The kind of the message that the application has begun in fragments.
    open: Option<MessageKind>,
    /// The largest message or Ping that was accepted, in bytes.
    largest: usize,
    /// The most bytes all of them may have.
    queued: usize,
    /// How many bytes waited before what is happening now.
    waiting: usize,
    /// What the application closed with, while it could.
    closed: Option<CloseSignal>,
    failure: Option<ProtocolError>,
    voice: Voice,
    has_ended: bool,
    state: ConnectionState,
    /// What an event loop lends the connection.
    storage: Vec<u8>,
}

impl Watched {
    fn new(setup: Setup) -> Self {
        Self {
            setup,
            connection: setup.connection(),
            events: Events::default(),
            written: Reader::of_output(setup),
            accepted: Vec::new(),
            open: None,
            largest: 0,
            queued: 0,
            waiting: 0,
            closed: None,
            failure: None,
            voice: Voice::Heard,
            has_ended: false,
            state: ConnectionState::Open,
            storage: Vec::new(),
        }
    }

    fn perform(&mut self, operation: &Operation, salt: usize) {
        self.waiting = self.connection.outgoing().remaining();
        match operation {
            Operation::Receive(bytes) => self.receive(bytes),
            Operation::ReceiveFrame(frame) => {
                self.receive(&frame.encode(self.setup.role.peer()));
            }
            Operation::ReceiveCompressed(text) => {
                self.receive(&compressed(self.setup.role.peer(), text));
            }
            Operation::SendPrepared(kind, size) => {
                let message = payload::message(*kind, *size, salt);
                let prepared = PreparedMessage::new(message.clone());
                let outcome = self.connection.send_prepared(&prepared);
                self.sent(outcome, &message, None, true);
            }
            Operation::Send(kind, size) => {
                let message = payload::message(*kind, *size, salt);
                let outcome = self.connection.send(message.clone());
                self.sent(outcome, &message, None, true);
            }
            Operation::Lend(kind, size, count) => {
                let message = payload::message(*kind, *size, salt);
                let lent = self.connection.lend(payload::either_way(&message, salt));
                let mut bytes = Vec::new();
                let outcome = lent.map(|mut lent| bytes = drain(&mut lent, *count));
                self.sent(outcome, &message, None, true);
                self.written.read_valid(&bytes);
            }
            Operation::Write(kind, size) => {
                let piece = payload::message(*kind, *size, salt);
                let outcome = self.connection.fragments().write(piece.clone());
                self.sent(outcome, &piece, self.open, false);
            }
            Operation::Finish(kind, size) => {
                let piece = payload::message(*kind, *size, salt);
                let outcome = self.connection.fragments().finish(piece.clone());
                self.sent(outcome, &piece, self.open, true);
            }
            Operation::Ping(size) => match ControlPayload::new(vec![0x70; *size]) {
                Ok(payload) => {
                    let outcome = self.connection.ping(payload.clone());
                    self.control_sent(outcome, Frame::whole(PING, payload.to_vec()));
                }
                Err(error) => assert_eq!(error, UsageError::ControlPayloadTooLong(*size)),
            },
            Operation::Pong => {
                let outcome = self.connection.pong(HEARTBEAT);
                self.control_sent(outcome, Frame::whole(PONG, HEARTBEAT));
            }
            Operation::Close(number) => {
                let code = CloseCode::new(*number);
                if self.is_open() {
                    self.closed = Some(code.map_or(CloseSignal::NoCode, CloseSignal::Code));
                }
                let reason = "x".repeat(usize::from(*number) % 124);
                self.connection.close(code.map(|code| CloseFrame::new(code, reason).unwrap()));
            }
            Operation::Drain(count) => self.drain(*count),
            Operation::LendStorage => self.connection.outgoing().lend_storage(&mut self.storage),
            Operation::ReclaimStorage => {
                self.connection.outgoing().reclaim_storage(&mut self.storage);
                assert!(self.storage.capacity() <= 64 * 1024, "it grows no further");
            }
            Operation::WriteError => {
                self.connection.receive_write_error();
                assert!(!self.connection.outgoing().has_remaining(), "nobody will take it");
                if self.is_open() {
                    self.voice = Voice::LostWhileOpen;
                } else if self.voice == Voice::Heard {
                    self.voice = Voice::LostLater;
                }
            }
            Operation::Eof => {
                self.connection.receive_eof();
                self.has_ended = true;
            }
        }
    }

    fn receive(&mut self, bytes: &[u8]) {
        let was_over = self.is_over();
        let (seen, waiting) = (self.events.seen.len(), self.connection.outgoing().remaining());
        let outcome = self.events.take(&mut self.connection, bytes);
        if was_over {
            // 7.1.7: no further input is processed; an error is sticky.
            assert_eq!(outcome, self.failure.map_or(Ok(()), Err));
            assert_eq!(self.events.seen.len(), seen);
            assert_eq!(self.connection.outgoing().remaining(), waiting);
        } else {
            self.failure = outcome.err();
        }
    }

    /// The application has sent a message, or a fragment of the `open` one.
    fn sent(
        &mut self,
        outcome: Result<(), SendError>,
        message: &Message<'_>,
        open: Option<MessageKind>,
        fin: bool,
    ) {
        let kind = message.kind();
        let allowed = if !self.is_open() {
            Err(UsageError::NotOpen)
        } else if open.is_some_and(|open| open != kind) {
            Err(UsageError::OtherKind)
        } else if open != self.open {
            Err(UsageError::MessageUnfinished)
        } else {
            Ok(())
        };
        match (outcome, allowed) {
            (Ok(()), Ok(())) => {
                let opcode = match (open, kind) {
                    (Some(_), _) => CONTINUATION,
                    (None, MessageKind::Text) => TEXT,
                    (None, MessageKind::Binary) => BINARY,
                };
                self.open = (!fin).then_some(kind);
                self.queue(message.len());
                let payload = message.as_bytes().to_vec();
                self.accepted.push(Frame { fin, opcode, payload });
            }
            (Err(SendError::BufferFull(back)), Ok(())) => {
                assert_eq!(&back, message, "what is not taken is given back");
                let waiting = self.connection.outgoing().remaining();
                assert!(waiting > 0, "while nothing waits any message is taken");
                assert!(waiting >= self.setup.max_outgoing_size);
            }
            (outcome, allowed) => assert_eq!(outcome, allowed.map_err(SendError::Refused)),
        }
    }

    /// This many bytes were accepted: there was room.
    fn queue(&mut self, size: usize) {
        assert!(self.waiting == 0 || self.waiting < self.setup.max_outgoing_size);
        self.largest = self.largest.max(size);
        self.queued += framed(size);
    }

    fn control_sent(&mut self, outcome: Result<(), UsageError>, frame: Frame) {
        match outcome {
            Ok(()) if self.is_open() => {
                self.queue(frame.payload.len());
                self.accepted.push(frame);
            }
            Err(UsageError::BacklogFull) if self.is_open() => {
                let waiting = self.connection.outgoing().remaining();
                assert!(waiting > 0 && waiting >= self.setup.max_outgoing_size);
            }
            outcome => {
                assert!(!self.is_open());
                assert_eq!(outcome, Err(UsageError::NotOpen));
            }
        }
    }

    fn drain(&mut self, count: usize) {
        let bytes = write(&mut self.connection, count);
        self.written.read_valid(&bytes);
    }

    /// What is true at any time.
    fn check(&mut self) {
        let (before, state) = (self.state, self.connection.state());
        assert!(rank(state) >= rank(before), "{state:?} after {before:?}");
        self.state = state;
        let expected = match (self.has_ended, self.is_open()) {
            (true, _) => ConnectionState::Closed,
            (false, true) => ConnectionState::Open,
            (false, false) => ConnectionState::Closing,
        };
        assert_eq!(state, expected);

        let waiting = self.connection.outgoing().remaining();
        let transport = match self.setup.role {
            _ if self.has_ended => Transport::Close,
            _ if waiting > 0 || !self.is_over() => Transport::KeepOpen,
            Role::Client => Transport::AwaitPeer,
            Role::Server => Transport::Close,
        };
        assert_eq!(self.connection.transport(), transport);

        let bound = bound(self.setup, self.largest, self.queued);
        assert!(waiting <= bound, "{waiting} bytes wait, more than {bound}");
        self.check_status();
    }

    fn check_status(&self) {
        let status = self.connection.close_status();
        assert_eq!(status.is_none(), self.is_open());
        let Some(status) = status else { return };
        let received = match self.events.seen.last() {
            Some(Seen::Close(frame)) => Some(frame.as_ref().map_or(1005, |(code, _)| *code)),
            _ => None,
        };
        // 7.1.5
        assert_eq!(status.remote.number(), received.unwrap_or(1006));
        let (closed_by, local) = match (self.closed, self.failure, received) {
            (Some(local), _, _) => (ClosedBy::Local, local.number()),
            (None, Some(_), _) if self.voice == Voice::LostWhileOpen => (ClosedBy::Local, 1006),
            (None, None, Some(_)) if self.voice == Voice::LostWhileOpen => (ClosedBy::Remote, 1006),
            // 7.1.7
            (None, Some(error), _) => (ClosedBy::Local, error.close_code().get()),
            (None, None, Some(code)) => (ClosedBy::Remote, code),
            (None, None, None) => (ClosedBy::Transport, 1006),
        };
        assert_eq!((status.closed_by, status.local.number()), (closed_by, local));
        assert_eq!(status.is_clean(), received.is_some() && local != 1006);
    }

    /// What is true once nothing waits to be written.
    fn check_everything_written(&self) {
        if self.voice != Voice::Heard {
            return;
        }
        assert!(self.written.is_between_frames());
        let frames = &self.written.frames;
        let close = frames.iter().position(|frame| frame.opcode == CLOSE);
        if let Some(close) = close {
            let rest = &frames[close + 1..];
            // 5.5.1 and 5.5.2: nothing but the Pongs that are owed.
            assert!(rest.iter().all(|frame| frame.opcode == PONG), "{rest:?}");
            assert!(rest.is_empty() || self.closed.is_some(), "the peer's Close was received");
        }
        let written = close.map(|close| match frames[close].payload.split_first_chunk() {
            Some((code, _)) => u16::from_be_bytes(*code),
            None => 1005,
        });
        let status = self.connection.close_status();
        assert_eq!(written.unwrap_or(1006), status.map_or(1006, |status| status.local.number()));

        let is_answer = |frame: &Frame| frame.opcode == PONG && frame.payload != HEARTBEAT;
        let own = frames.iter().filter(|frame| frame.opcode != CLOSE && !is_answer(frame));
        let is_echo = |seen: &Seen| *seen == Seen::Ping(HEARTBEAT.to_vec());
        if !self.events.seen.iter().any(is_echo) {
            assert!(own.eq(&self.accepted), "what was accepted is sent, in order, and no more");
        }
        self.check_answers(frames.iter().filter(|frame| is_answer(frame)));
    }

    /// 5.5.2 and 5.5.3: Pings are answered in order; of many, some may be passed over, but not the
    /// last.
    fn check_answers<'a>(&self, answers: impl DoubleEndedIterator<Item = &'a Frame>) {
        let pings = self.events.seen.iter().filter_map(|seen| match seen {
            Seen::Ping(payload) if payload != HEARTBEAT => Some(payload),
            _ => None,
        });
        let answers: Vec<_> = answers.map(|frame| &frame.payload).collect();
        assert_eq!(pings.clone().next_back(), answers.last().copied(), "the latest is answered");
        if pings.clone().count() <= SHORT_BACKLOG {
            assert!(pings.eq(answers), "each is answered");
        } else {
            let mut pings = pings.rev();
            for answer in answers.iter().rev() {
                assert!(pings.any(|ping| ping == *answer), "an answer to nothing, or out of order");
            }
        }
    }

    /// Whether messages may be sent.
    fn is_open(&self) -> bool {
        self.closed.is_none() && !self.is_over() && self.voice == Voice::Heard
    }

    /// Whether nothing is read any more.
    fn is_over(&self) -> bool {
        self.has_ended || self.failure.is_some() || self.events.is_closed()
    }
}

/// M.2: how much may wait, whatever the peer sends and however little it reads, if the application's
/// largest message or Ping has this size and all together have that: what it has queued, but no more than
/// the limit and one of them, plus the backlog of Pongs with the latest, plus a Close frame.
pub fn bound(setup: Setup, largest: usize, queued: usize) -> usize {
    queued.min(setup.max_outgoing_size.saturating_add(framed(largest))) + 4096 + 2 * 131
}

/// The most bytes that a message of this size takes. A fragment that can't be compressed grows by the
/// headers of some blocks.
pub const fn framed(size: usize) -> usize {
    14 + size + 64 + size / 256
}

/// A compressed text message: a block without compression, and one that the tail completes.
pub fn compressed(sender: Role, text: &[u8]) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap();
    let mut payload = vec![0];
    payload.extend(length.to_le_bytes());
    payload.extend((!length).to_le_bytes());
    payload.extend(text);
    payload.push(0);
    let mut bytes = Frame::whole(TEXT, payload).encode(sender);
    bytes[0] |= 0x40;
    bytes
}

const fn rank(state: ConnectionState) -> u8 {
    match state {
        ConnectionState::Open => 0,
        ConnectionState::Closing => 1,
        ConnectionState::Closed => 2,
    }
}
