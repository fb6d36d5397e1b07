//! The two halves of a connection do and say what the whole does, wherever they are: told of each other at
//! once, they can't be told from it; told late, they still keep to the protocol.

use std::collections::VecDeque;

use bytes::Buf;
use sansocket::{
    CloseCode, CloseFrame, Connection, ConnectionState, ControlPayload, Event, PreparedMessage,
    ProtocolError, ReceivingHalf, SendError, SendingHalf, UsageError,
};

use super::connection::{Operation, bound, compressed, framed};
use super::payload;
use super::reference::{CLOSE, PONG, Reader};
use super::script::{Script, pieces};
use super::setup::Setup;
use super::transcript::{Events, Seen, Transcript, drain, write};

/// The input is a [`Setup`] and [`Step`]s.
pub fn law(data: &[u8]) {
    let mut script = Script(data);
    let setup = Setup::read(&mut script);
    let mut steps = Vec::new();
    while !script.is_empty() && steps.len() < MOST_STEPS {
        steps.push(Step::read(&mut script));
    }
    told_at_once_they_are_the_whole(setup, &steps);
    told_late_they_keep_to_the_protocol(setup, &steps);
}

/// Something that happens to a connection in two halves.
#[derive(Debug, Clone)]
pub enum Step {
    /// What happens to a whole one.
    Do(Operation),
    /// The sending half is told of this many things that the receiving half has found.
    Tell(usize),
    /// The halves become one connection, and halves again.
    Reunite,
}

impl Step {
    /// What the next bytes say: an [`Operation`], or one of the others.
    pub fn read(script: &mut Script<'_>) -> Self {
        match script.byte() {
            0..=0x2F => Self::Tell(usize::from(script.byte())),
            0x30..=0x3F => Self::Reunite,
            _ => Self::Do(Operation::read(script)),
        }
    }
}

/// More than this only takes more time.
const MOST_STEPS: usize = 64;

/// Each step has the same outcome, leads to the same state, and leaves the same bytes to be written,
/// whether it happens to a connection or to its halves, put together now and then.
pub fn told_at_once_they_are_the_whole(setup: Setup, steps: &[Step]) {
    let mut whole = Whole::new(setup);
    let mut halves = Halves::new(setup);
    for (salt, step) in steps.iter().enumerate() {
        match step {
            Step::Do(operation) => match arriving(setup, operation) {
                Some(bytes) => {
                    let found = halves.receive(&bytes);
                    halves.tell(usize::MAX);
                    assert_eq!(whole.receive(&bytes), found);
                }
                None if matches!(operation, Operation::Eof) => {
                    whole.connection().receive_eof();
                    halves.receive_eof();
                }
                None => {
                    let outcome = whole.send(operation, salt);
                    assert_eq!(outcome, halves.send(operation, salt));
                }
            },
            Step::Tell(_) => {}
            Step::Reunite => halves = halves.reunited(),
        }
        let connection = whole.connection();
        assert_eq!(connection.state(), halves.sending.state());
        assert_eq!(connection.transport(), halves.sending.transport());
        assert_eq!(connection.close_status(), halves.sending.close_status());
        assert_eq!(connection.outgoing().remaining(), halves.sending.outgoing().remaining());
        assert_eq!(whole.events.seen, halves.events.seen);
    }
    let left = drain(halves.sending.outgoing(), usize::MAX);
    assert_eq!(write(whole.connection(), usize::MAX), left);
}

/// Whenever the sending half learns what the receiving half has found,
///
/// - the events and errors are those of the whole connection;
/// - what is written is frames that the peer understands, of a bounded size, and nothing follows the Close
///   frame but the Pongs that are owed;
/// - every Pong answers a Ping, in order, and when all is told the last Ping has its Pong;
/// - the close status is what was written and what was told.
pub fn told_late_they_keep_to_the_protocol(setup: Setup, steps: &[Step]) {
    let mut whole = Whole::new(setup);
    let mut halves = Halves::new(setup);
    let mut is_writable = true;
    let (mut largest, mut queued) = (0, 0);
    for (salt, step) in steps.iter().enumerate() {
        match step {
            Step::Do(operation) => match (arriving(setup, operation), operation) {
                (Some(bytes), _) => assert_eq!(halves.receive(&bytes), whole.receive(&bytes)),
                (None, Operation::Drain(count)) => halves.drain(*count),
                // It has ended for good, with bytes that nobody wants.
                (None, Operation::Eof) => break,
                (None, operation) => {
                    is_writable &= !matches!(operation, Operation::WriteError);
                    let waiting = halves.sending.outgoing().remaining();
                    let Outcome { result, size, written } = halves.send(operation, salt);
                    halves.written.read_valid(&written);
                    if let (Ok(()), Some(size)) = (result, size) {
                        assert!(waiting == 0 || waiting < setup.max_outgoing_size);
                        largest = largest.max(size);
                        queued += framed(size);
                    }
                }
            },
            Step::Tell(count) => halves.tell(*count),
            Step::Reunite => halves = halves.reunited(),
        }
        let waiting = halves.sending.outgoing().remaining();
        assert!(waiting <= bound(setup, largest, queued), "{waiting} bytes wait");
    }
    halves.tell(usize::MAX);
    halves.drain(usize::MAX);
    if is_writable {
        halves.check_everything_written();
    }
    halves.receive_eof();
    assert_eq!(halves.sending.state(), ConnectionState::Closed);
    assert_eq!(halves.receive(b"late"), halves.failure.map_or(Ok(()), Err));
    assert!(!halves.sending.outgoing().has_remaining());
}

/// Cut in any way, the bytes are to the halves what they are, whole, to the whole.
pub fn any_cut_is_the_same(setup: Setup, bytes: &[u8], sizes: &[usize]) {
    for sizes in [sizes, &[1], &[]] {
        let whole = Transcript::of(setup, &[bytes]);
        Transcript::of_halves(setup, &pieces(bytes, sizes)).assert_same(whole);
    }
}

/// The bytes that arrive, if that is what happens.
fn arriving(setup: Setup, operation: &Operation) -> Option<Vec<u8>> {
    match operation {
        Operation::Receive(bytes) => Some(bytes.clone()),
        Operation::ReceiveFrame(frame) => Some(frame.encode(setup.role.peer())),
        Operation::ReceiveCompressed(text) => Some(compressed(setup.role.peer(), text)),
        _ => None,
    }
}

/// What came of an operation.
#[derive(Debug, PartialEq)]
struct Outcome {
    result: Result<(), SendError>,
    /// The bytes of the message or Ping that was to be sent.
    size: Option<usize>,
    written: Vec<u8>,
}

/// Does what concerns the sending half alone.
fn perform(sending: &mut SendingHalf, operation: &Operation, salt: usize) -> Outcome {
    let mut written = Vec::new();
    let mut size = None;
    let refused = |outcome: Result<(), UsageError>| outcome.map_err(SendError::Refused);
    let result = match operation {
        Operation::Send(kind, length) => {
            size = Some(*length);
            sending.send(payload::message(*kind, *length, salt))
        }
        Operation::SendPrepared(kind, length) => {
            size = Some(*length);
            let message = payload::message(*kind, *length, salt);
            sending.send_prepared(&PreparedMessage::new(message))
        }
        Operation::Lend(kind, length, count) => {
            size = Some(*length);
            let message = payload::message(*kind, *length, salt);
            let lent = sending.lend(payload::either_way(&message, salt));
            lent.map(|mut lent| written = drain(&mut lent, *count))
        }
        Operation::Write(kind, length) => {
            size = Some(*length);
            sending.fragments().write(payload::message(*kind, *length, salt))
        }
        Operation::Finish(kind, length) => {
            size = Some(*length);
            sending.fragments().finish(payload::message(*kind, *length, salt))
        }
        Operation::Ping(length) => {
            size = Some(*length);
            match ControlPayload::new(vec![0x70; *length]) {
                Ok(payload) => refused(sending.ping(payload)),
                Err(error) => Err(SendError::Refused(error)),
            }
        }
        Operation::Pong => {
            size = Some(b"heartbeat".len());
            refused(sending.pong(b"heartbeat"))
        }
        Operation::Close(number) => {
            sending.close(CloseCode::new(*number).map(CloseFrame::from));
            Ok(())
        }
        Operation::WriteError => {
            sending.receive_write_error();
            Ok(())
        }
        Operation::Drain(count) => {
            written = drain(sending.outgoing(), *count);
            Ok(())
        }
        // It makes no difference, so a whole connection does without.
        Operation::LendStorage | Operation::ReclaimStorage => Ok(()),
        Operation::Receive(_)
        | Operation::ReceiveFrame(_)
        | Operation::ReceiveCompressed(_)
        | Operation::Eof => unreachable!("this concerns both halves"),
    };
    Outcome { result, size, written }
}

/// A connection in one piece, except while something is sent.
struct Whole {
    connection: Option<Connection>,
    events: Events,
}

impl Whole {
    fn new(setup: Setup) -> Self {
        Self { connection: Some(setup.connection()), events: Events::default() }
    }

    const fn connection(&mut self) -> &mut Connection {
        self.connection.as_mut().unwrap()
    }

    fn receive(&mut self, bytes: &[u8]) -> Result<(), ProtocolError> {
        self.events.take(self.connection.as_mut().unwrap(), bytes)
    }

    fn send(&mut self, operation: &Operation, salt: usize) -> Outcome {
        let (receiving, mut sending) = self.connection.take().unwrap().split();
        let outcome = perform(&mut sending, operation, salt);
        self.connection = Some(Connection::reunite(receiving, sending));
        outcome
    }
}

/// What the receiving half has found and the sending half does not know yet.
pub enum News {
    /// One of those that have to be answered.
    Event(Event<'static>),
    /// The error that ended them.
    Error(ProtocolError),
}

/// The halves, and what was found by one and written by the other.
struct Halves {
    receiving: ReceivingHalf,
    sending: SendingHalf,
    events: Events,
    failure: Option<ProtocolError>,
    news: VecDeque<News>,
    /// The Pings that the sending half was told of while it still answers.
    told: Vec<Vec<u8>>,
    written: Reader,
    /// What an event loop lends the sending half.
    storage: Vec<u8>,
}

impl Halves {
    fn new(setup: Setup) -> Self {
        let (receiving, sending) = setup.connection().split();
        Self {
            receiving,
            sending,
            events: Events::default(),
            failure: None,
            news: VecDeque::new(),
            told: Vec::new(),
            written: Reader::of_output(setup),
            storage: Vec::new(),
        }
    }

    fn send(&mut self, operation: &Operation, salt: usize) -> Outcome {
        match operation {
            Operation::LendStorage => self.sending.outgoing().lend_storage(&mut self.storage),
            Operation::ReclaimStorage => self.sending.outgoing().reclaim_storage(&mut self.storage),
            _ => {}
        }
        perform(&mut self.sending, operation, salt)
    }

    /// The receiving half takes these bytes.
    fn receive(&mut self, bytes: &[u8]) -> Result<(), ProtocolError> {
        let Self { receiving, events, news, .. } = self;
        let outcome = events.take_with(receiving, bytes, |_, event| {
            news.extend(for_the_sender(event).map(News::Event));
        });
        if let (Err(error), None) = (outcome, self.failure) {
            self.failure = Some(error);
            self.news.push_back(News::Error(error));
        }
        outcome
    }

    /// The sending half learns this much of it.
    fn tell(&mut self, count: usize) {
        for news in self.news.drain(..count.min(self.news.len())) {
            match news {
                News::Event(event) => {
                    self.sending.answer(&event);
                    if let Event::Ping(payload) = &event {
                        self.told.push(payload.to_vec());
                    }
                }
                News::Error(error) => self.sending.fail(error),
            }
        }
    }

    fn drain(&mut self, count: usize) {
        let bytes = drain(self.sending.outgoing(), count);
        self.written.read_valid(&bytes);
    }

    fn receive_eof(&mut self) {
        self.receiving.receive_eof();
        self.sending.receive_eof();
    }

    fn reunited(self) -> Self {
        let (receiving, sending) = Connection::reunite(self.receiving, self.sending).split();
        Self { receiving, sending, ..self }
    }

    /// What is true once everything was told and written.
    fn check_everything_written(&self) {
        assert!(self.written.is_between_frames());
        let frames = &self.written.frames;
        let close = frames.iter().position(|frame| frame.opcode == CLOSE);
        let behind = close.map_or(&[][..], |close| &frames[close + 1..]);
        // 5.5.1 and 5.5.2
        assert!(behind.iter().all(|frame| frame.opcode == PONG), "{behind:?}");

        let written = close.map(|close| match frames[close].payload.split_first_chunk() {
            Some((code, _)) => u16::from_be_bytes(*code),
            None => 1005,
        });
        let status = self.sending.close_status();
        let local = status.as_ref().map_or(1006, |status| status.local.number());
        assert_eq!(written.unwrap_or(1006), local);
        let received = match self.events.seen.last() {
            Some(Seen::Close(frame)) => frame.as_ref().map_or(1005, |(code, _)| *code),
            _ => 1006,
        };
        assert_eq!(status.map_or(1006, |status| status.remote.number()), received);

        let answers = frames.iter().filter(|frame| frame.opcode == PONG);
        let answers = answers.filter(|frame| frame.payload != b"heartbeat");
        let answers: Vec<_> = answers.map(|frame| &frame.payload).collect();
        let is_told = |ping: &&Vec<u8>| *ping != b"heartbeat";
        let mut pings = self.told.iter().filter(is_told).rev();
        assert_eq!(pings.clone().next(), answers.last().copied(), "the latest is answered");
        for answer in answers.iter().rev() {
            assert!(pings.any(|ping| ping == *answer), "an answer to nothing, or out of order");
        }
    }
}

/// What the sending half has to be told of an event, in a form that outlives the input.
pub fn for_the_sender(event: &Event<'_>) -> Option<Event<'static>> {
    match event.clone() {
        Event::Ping(payload) => Some(Event::Ping(payload.into_owned())),
        Event::Pong(payload) => Some(Event::Pong(payload.into_owned())),
        Event::Close(frame) => Some(Event::Close(frame.map(CloseFrame::into_owned))),
        _ => None,
    }
}
