//! What came out of a connection, in a form that does not depend on how the bytes were cut.

use bytes::Buf;
use sansocket::{
    Chunk, CloseFrame, CloseStatus, Connection, ConnectionState, Event, Message, MessageKind,
    ProtocolError, ReceivingHalf, Transport,
};

use super::setup::Setup;

/// An event, by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// A whole message.
    Message(MessageKind, Vec<u8>),
    /// Chunks of one message between which nothing else came.
    Chunks {
        /// The kind of the message.
        kind: MessageKind,
        /// The chunks, joined.
        bytes: Vec<u8>,
        /// Whether the message begins here.
        first: bool,
        /// Whether the message ends here.
        last: bool,
    },
    /// A Ping.
    Ping(Vec<u8>),
    /// A Pong.
    Pong(Vec<u8>),
    /// A Close frame, with its code and reason.
    Close(Option<(u16, String)>),
}

impl Seen {
    /// The whole message.
    pub fn message(message: &Message<'_>) -> Self {
        Self::Message(message.kind(), message.as_bytes().to_vec())
    }
}

/// What turns bytes into events: a connection, or its half.
pub trait Receive {
    /// The next event, as the method of this name gives it.
    fn next_event<'input>(
        &mut self,
        input: &mut &'input mut [u8],
    ) -> Result<Option<Event<'input>>, ProtocolError>;
}

impl Receive for Connection {
    fn next_event<'input>(
        &mut self,
        input: &mut &'input mut [u8],
    ) -> Result<Option<Event<'input>>, ProtocolError> {
        self.next_event(input)
    }
}

impl Receive for ReceivingHalf {
    fn next_event<'input>(
        &mut self,
        input: &mut &'input mut [u8],
    ) -> Result<Option<Event<'input>>, ProtocolError> {
        self.next_event(input)
    }
}

/// Keeps the events, and holds each to what is promised about it alone.
#[derive(Debug, Default)]
pub struct Events {
    /// What was seen so far.
    pub seen: Vec<Seen>,
    /// The kind of the message whose chunks have come.
    open: Option<MessageKind>,
}

impl Events {
    /// Takes all events that the bytes cause.
    ///
    /// The input is used up whatever happens.
    pub fn take(&mut self, receiver: &mut impl Receive, bytes: &[u8]) -> Result<(), ProtocolError> {
        self.take_with(receiver, bytes, |_, _| {})
    }

    /// The same, and calls `after` following each event.
    pub fn take_with<R: Receive>(
        &mut self,
        receiver: &mut R,
        bytes: &[u8],
        mut after: impl FnMut(&mut R, &Event<'_>),
    ) -> Result<(), ProtocolError> {
        let mut buffer = bytes.to_vec();
        let mut input = &mut buffer[..];
        loop {
            match receiver.next_event(&mut input) {
                Ok(Some(event)) => {
                    after(receiver, &event);
                    self.push(event);
                }
                Ok(None) => {
                    assert!(input.is_empty(), "input is left, but no event");
                    return Ok(());
                }
                Err(error) => {
                    assert!(input.is_empty(), "input is left after an error");
                    return Err(error);
                }
            }
        }
    }

    /// Whether the peer's Close frame came.
    pub fn is_closed(&self) -> bool {
        matches!(self.seen.last(), Some(Seen::Close(_)))
    }

    /// The same with whole messages in place of chunks, where their last one came, and without unfinished
    /// messages.
    pub fn whole_messages(&self) -> Vec<Seen> {
        let mut message = Vec::new();
        let mut whole = Vec::new();
        for seen in &self.seen {
            if let Seen::Chunks { kind, bytes, last, .. } = seen {
                message.extend_from_slice(bytes);
                if *last {
                    whole.push(Seen::Message(*kind, std::mem::take(&mut message)));
                }
            } else {
                whole.push(seen.clone());
            }
        }
        whole
    }

    /// Takes one event.
    pub fn push(&mut self, event: Event<'_>) {
        assert!(!self.is_closed(), "an event after the Close frame: {event:?}");
        let seen = match event {
            Event::Message(message) => Seen::message(&message),
            Event::Chunk(chunk) => return self.push_chunk(&chunk),
            Event::Ping(payload) => Seen::Ping(payload.to_vec()),
            Event::Pong(payload) => Seen::Pong(payload.to_vec()),
            Event::Close(frame) => Seen::Close(frame.as_ref().map(code_and_reason)),
            event => panic!("an event that the laws do not know: {event:?}"),
        };
        self.seen.push(seen);
    }

    fn push_chunk(&mut self, chunk: &Chunk<'_>) {
        let (kind, first, last) = (chunk.piece.kind(), chunk.first, chunk.last);
        assert_eq!(first, self.open.is_none(), "the first chunk is marked, and no other");
        assert!(self.open.is_none_or(|open| open == kind), "a message changes its kind");
        assert!(last || !chunk.piece.is_empty(), "an empty chunk says nothing");
        self.open = (!last).then_some(kind);
        match self.seen.last_mut() {
            Some(Seen::Chunks { bytes, last: ended, .. }) if !first => {
                bytes.extend_from_slice(chunk.piece.as_bytes());
                *ended = last;
            }
            _ => {
                let bytes = chunk.piece.as_bytes().to_vec();
                self.seen.push(Seen::Chunks { kind, bytes, first, last });
            }
        }
    }
}

/// Takes all pieces; returns the first error, having checked that no other followed.
fn sticky(
    pieces: &[&[u8]],
    mut take: impl FnMut(&[u8]) -> Result<(), ProtocolError>,
) -> Option<ProtocolError> {
    let mut error = None;
    for piece in pieces {
        match (take(piece), error) {
            (Err(new), None) => error = Some(new),
            (outcome, Some(error)) => assert_eq!(outcome, Err(error), "an error is sticky"),
            (Ok(()), None) => {}
        }
    }
    error
}

fn code_and_reason(frame: &CloseFrame<'_>) -> (u16, String) {
    (frame.code().get(), frame.reason().to_owned())
}

/// Takes up to this many bytes of what is outgoing.
pub fn write(connection: &mut Connection, count: usize) -> Vec<u8> {
    drain(connection.outgoing(), count)
}

/// Takes up to this many bytes, including those that are queued when others have left.
pub fn drain(outgoing: &mut impl Buf, count: usize) -> Vec<u8> {
    let mut written = Vec::new();
    while outgoing.has_remaining() && written.len() < count {
        let chunk = outgoing.chunk();
        assert!(!chunk.is_empty(), "there are bytes, but not in the first chunk");
        let taken = chunk.len().min(count - written.len());
        written.extend_from_slice(&chunk[..taken]);
        outgoing.advance(taken);
    }
    written
}

/// All that can be seen of a connection that received some bytes and then wrote all it had to write.
#[derive(Debug, PartialEq, Eq)]
pub struct Transcript {
    /// The events.
    pub seen: Vec<Seen>,
    /// The error that ended them.
    pub error: Option<ProtocolError>,
    /// The bytes that were written.
    pub outgoing: Vec<u8>,
    /// How the connection ended.
    pub status: Option<CloseStatus>,
    /// The state it is in.
    pub state: ConnectionState,
    /// What is to be done with the transport.
    pub transport: Transport,
}

impl Transcript {
    /// What a connection makes of these pieces.
    pub fn of(setup: Setup, pieces: &[&[u8]]) -> Self {
        let mut connection = setup.connection();
        let mut events = Events::default();
        let error = sticky(pieces, |piece| events.take(&mut connection, piece));
        Self::new(events, error, &mut connection)
    }

    /// What the halves of one make of them, put together in the end.
    pub fn of_halves(setup: Setup, pieces: &[&[u8]]) -> Self {
        let (mut receiving, mut sending) = setup.connection().split();
        let mut events = Events::default();
        let error = sticky(pieces, |piece| {
            let outcome = events.take_with(&mut receiving, piece, |_, event| sending.answer(event));
            if let Err(error) = outcome {
                sending.fail(error);
            }
            outcome
        });
        Self::new(events, error, &mut Connection::reunite(receiving, sending))
    }

    fn new(events: Events, error: Option<ProtocolError>, connection: &mut Connection) -> Self {
        let outgoing = write(connection, usize::MAX);
        Self {
            seen: events.seen,
            error,
            outgoing,
            status: connection.close_status(),
            state: connection.state(),
            transport: connection.transport(),
        }
    }

    /// The same as [`of`](Self::of), cut in one way and in another; panics where they differ.
    pub fn assert_same(self, mut other: Self) {
        let mut this = self;
        let is_inside_a_message = matches!(
            this.error,
            Some(
                ProtocolError::InvalidUtf8
                    | ProtocolError::CorruptCompression
                    | ProtocolError::IncompleteCompression
                    | ProtocolError::MessageTooLarge { .. }
            )
        );
        if is_inside_a_message {
            // How much of the message with the error was handed out depends on what had arrived
            // together with the error. It is the same message as far as it goes.
            let (one, two) = (this.pop_unfinished(), other.pop_unfinished());
            assert!(one.starts_with(&two) || two.starts_with(&one), "{one:x?} {two:x?}");
        }
        assert_eq!(this, other);
    }

    fn pop_unfinished(&mut self) -> Vec<u8> {
        match self.seen.pop() {
            Some(Seen::Chunks { bytes, last: false, .. }) => bytes,
            seen => {
                self.seen.extend(seen);
                Vec::new()
            }
        }
    }
}
