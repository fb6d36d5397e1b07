//! A message that is prepared once arrives on every connection as it was, whatever was agreed on there and
//! whatever went before it.

use sansocket::{MessageKind, PreparedMessage, SendError};

use super::payload;
use super::reference::Reader;
use super::script::Script;
use super::setup::Setup;
use super::transcript::{Seen, write};

/// The input is a [`Setup`] for each of [`CONNECTIONS`], and [`Step`]s.
pub fn law(data: &[u8]) {
    let mut script = Script(data);
    let setups = [(); CONNECTIONS].map(|()| Setup::read(&mut script));
    let mut steps = Vec::new();
    while !script.is_empty() && steps.len() < MOST_STEPS {
        steps.push(Step::read(&mut script));
    }
    arrives_everywhere_as_it_was(&setups, &steps);
}

/// To how many connections a message goes.
pub const CONNECTIONS: usize = 4;

/// What an application does.
#[derive(Debug, Clone)]
pub enum Step {
    /// It sends one message of this size to all, and keeps it.
    ToAll(MessageKind, usize),
    /// It sends the message it kept to all again.
    Again,
    /// It sends another message of this size to one of them.
    ToOne(usize, MessageKind, usize),
    /// The same in two fragments.
    InFragments(usize, MessageKind, usize),
    /// The transport of one takes this many bytes.
    Drain(usize, usize),
}

impl Step {
    /// What the next bytes say: which step and to whom, then a size.
    pub fn read(script: &mut Script<'_>) -> Self {
        let choice = script.byte();
        let (to, kind) = (usize::from(choice >> 3) % CONNECTIONS, payload::kind(choice >> 5));
        match choice % 8 {
            0 => Self::Again,
            1..=3 => Self::ToAll(kind, payload::size(script).min(MOST_BYTES)),
            4 => Self::InFragments(to, kind, payload::size(script).min(MOST_BYTES)),
            5 | 6 => Self::ToOne(to, kind, payload::size(script).min(MOST_BYTES)),
            _ => Self::Drain(to, payload::size(script)),
        }
    }
}

/// What each connection writes are the messages that it has accepted, in order, as the reference reads
/// them.
pub fn arrives_everywhere_as_it_was(setups: &[Setup], steps: &[Step]) {
    let mut ends: Vec<_> = setups.iter().map(|&setup| End::new(setup)).collect();
    let mut kept = PreparedMessage::new("");
    for (salt, step) in steps.iter().enumerate() {
        match *step {
            Step::ToAll(kind, size) => {
                kept = PreparedMessage::new(payload::message(kind, size, salt));
                send_to_all(&mut ends, &kept);
            }
            Step::Again => {
                // A clone shares what was compressed.
                send_to_all(&mut ends, &kept.clone());
            }
            Step::ToOne(to, kind, size) => {
                let end = &mut ends[to];
                let message = payload::message(kind, size, salt);
                let outcome = end.connection.send(message.clone());
                end.sent(outcome, Seen::message(&message));
            }
            Step::InFragments(to, kind, size) => ends[to].send_fragments(kind, size, salt),
            Step::Drain(to, count) => ends[to].drain(count),
        }
    }
    for mut end in ends {
        end.drain(usize::MAX);
        assert!(end.written.is_between_frames());
        assert_eq!(end.written.seen, end.accepted);
    }
}

fn send_to_all(ends: &mut [End], message: &PreparedMessage) {
    for end in ends {
        end.send_prepared(message);
    }
}

/// More than these only take more time.
const MOST_STEPS: usize = 16;
/// See [`MOST_STEPS`]. A payload that is queued without a copy is shorter.
const MOST_BYTES: usize = 5000;

/// A connection, what it was given, and what it has written.
struct End {
    connection: sansocket::Connection,
    accepted: Vec<Seen>,
    written: Reader,
}

impl End {
    fn new(setup: Setup) -> Self {
        let connection = setup.connection();
        Self { connection, accepted: Vec::new(), written: Reader::of_output(setup) }
    }

    fn send_prepared(&mut self, message: &PreparedMessage) {
        let outcome = self.connection.send_prepared(message);
        self.sent(outcome, Seen::message(message.message()));
    }

    /// Room is made first: a message that is begun must be finished.
    fn send_fragments(&mut self, kind: MessageKind, size: usize, salt: usize) {
        let mut whole = Vec::new();
        for is_last in [false, true] {
            self.drain(usize::MAX);
            let piece = payload::message(kind, size, salt);
            whole.extend_from_slice(piece.as_bytes());
            let fragments = self.connection.fragments();
            let outcome =
                if is_last { fragments.finish(piece) } else { { fragments }.write(piece) };
            outcome.expect("nothing waits");
        }
        self.accepted.push(Seen::Message(kind, whole));
    }

    fn sent(&mut self, outcome: Result<(), SendError>, message: Seen) {
        match outcome {
            Ok(()) => self.accepted.push(message),
            Err(SendError::BufferFull(back)) => assert_eq!(Seen::message(&back), message),
            Err(error) => panic!("{error}"),
        }
    }

    fn drain(&mut self, count: usize) {
        let bytes = write(&mut self.connection, count);
        self.written.read(&bytes).expect("frames that the peer understands");
    }
}
