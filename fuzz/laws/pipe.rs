//! Two peers, from the first byte of the opening handshake to the end of the transport, over pipes that
//! cut, delay and break.

use std::collections::VecDeque;

use bytes::Buf;
#[cfg(feature = "deflate")]
use sansocket::extension::{Deflate, WindowBits};
use sansocket::handshake::{
    Acceptance, Answer, ClientHandshake, ClientRequest, Decision, Outcome, ServerHandshake,
    negotiate,
};
use sansocket::{
    CloseCode, CloseFrame, Config, Connection, ConnectionState, ControlPayload, Delivery,
    MessageKind, PreparedMessage, Role, Transport,
};

use super::halves::{News, for_the_sender};
use super::payload;
use super::script::Script;
use super::transcript::{Events, Seen, write};

/// The input is a byte for each end, and steps.
pub fn law(data: &[u8]) {
    let mut script = Script(data);
    let client = Manner::read(&mut script);
    let server = Manner::read(&mut script);
    let mut steps = Vec::new();
    while !script.is_empty() && steps.len() < MOST_STEPS {
        steps.push(Step::read(&mut script));
    }
    two_peers(client, server, &steps);
}

/// How one end is set up.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// How it hands out messages.
    pub delivery: Delivery,
    /// Whether it is driven as two halves, which are told of each other later.
    pub in_halves: bool,
    /// What compression it wants, if it is there: 0 none, every other value something else.
    pub compression: u8,
}

impl Manner {
    /// What a byte says: the lowest bit is the delivery, the next whether it is in halves, then three bits
    /// for the compression.
    pub fn read(script: &mut Script<'_>) -> Self {
        let bits = script.byte();
        Self {
            delivery: if bits & 1 == 0 { Delivery::Messages } else { Delivery::Chunks },
            in_halves: bits & 2 != 0,
            compression: bits >> 2 & 7,
        }
    }

    fn config(self) -> Config {
        Config::default().delivery(self.delivery)
    }

    #[cfg(feature = "deflate")]
    fn deflate(self) -> Option<Deflate> {
        let deflate = Deflate::default().threshold(8);
        let nine = WindowBits::new(9)?;
        match self.compression {
            0 => None,
            1 => Some(deflate),
            2 => Some(deflate.server_no_context_takeover()),
            3 => Some(deflate.client_no_context_takeover()),
            4 => Some(deflate.server_max_window_bits(nine)),
            5 => Some(deflate.client_max_window_bits(nine)),
            6 => Some(deflate.client_max_window_bits(WindowBits::MIN).level(1)),
            _ => Some(deflate.server_no_context_takeover().client_no_context_takeover()),
        }
    }
}

/// Something that happens to one end, or to the pipe behind it.
#[derive(Debug, Clone)]
pub enum Step {
    /// It does this, if the connection is there.
    Act(Role, Action),
    /// This many of its bytes reach the other end, in one piece.
    Deliver(Role, usize),
    /// Its sending half learns what the receiving half has found.
    Tell(Role),
    /// A bit changes in the byte at this place of what is under way.
    Flip(Role, usize, u8),
    /// Some bytes under way are lost from this place on, and those after them are not.
    Lose(Role, usize, usize),
    /// What is under way is lost, and the other end sees the end of the transport.
    Cut(Role),
}

/// What an application does.
#[derive(Debug, Clone)]
pub enum Action {
    /// It sends a message of this size.
    Send(MessageKind, usize),
    /// The same, prepared.
    SendPrepared(MessageKind, usize),
    /// It sends a fragment of this size that others will follow.
    Write(MessageKind, usize),
    /// It sends a last fragment of this size.
    Finish(MessageKind, usize),
    /// It sends a Ping.
    Ping(u8),
    /// It closes with this code.
    Close(CloseCode),
}

impl Step {
    /// What the next bytes say: who and what, then the arguments.
    pub fn read(script: &mut Script<'_>) -> Self {
        let choice = script.byte();
        let role = if choice & 1 == 0 { Role::Server } else { Role::Client };
        let kind = payload::kind(choice >> 5);
        match choice >> 1 & 15 {
            0..=2 => Self::Act(role, Action::Send(kind, payload::size(script))),
            3 => Self::Act(role, Action::SendPrepared(kind, payload::size(script))),
            4 => Self::Act(role, Action::Write(kind, payload::size(script))),
            5 => Self::Act(role, Action::Finish(kind, payload::size(script))),
            6 => Self::Act(role, Action::Ping(script.byte())),
            7 => {
                let number = u16::from_be_bytes([script.byte(), script.byte()]);
                let code = CloseCode::new(number).unwrap_or(CloseCode::NORMAL);
                Self::Act(role, Action::Close(code))
            }
            8..=11 => Self::Deliver(role, payload::size(script).max(1)),
            12 => Self::Tell(role),
            13 => match (payload::size(script), script.byte()) {
                (at, bit @ 0..0x80) => Self::Flip(role, at, bit % 8),
                (at, count) => Self::Lose(role, at, usize::from(count - 0x7F)),
            },
            14 => Self::Cut(role),
            _ => Self::Deliver(role, usize::MAX),
        }
    }
}

/// Does all of it. Then whatever is under way arrives, the client closes, and the transport ends.
///
/// As long as nothing broke,
///
/// - the handshake succeeds, and both ends have agreed on the same terms;
/// - every message that was accepted has arrived, as it was and in order, and every Ping;
/// - the closing handshake is complete, the server closes the transport and the client waits for that.
///
/// Where something broke, every message that went before has arrived all the same, nothing that was only
/// cut off was made up, and both ends come to an end.
pub fn two_peers(client: Manner, server: Manner, steps: &[Step]) {
    let mut client = End::client(client);
    let mut server = End::server(server);
    for (salt, step) in steps.iter().enumerate() {
        let (Step::Act(role, _)
        | Step::Deliver(role, _)
        | Step::Tell(role)
        | Step::Flip(role, ..)
        | Step::Lose(role, ..)
        | Step::Cut(role)) = step;
        let (end, other) = match role {
            Role::Client => (&mut client, &mut server),
            Role::Server => (&mut server, &mut client),
        };
        match step {
            Step::Act(_, action) => end.act(action, salt),
            Step::Deliver(_, count) => {
                end.deliver(*count, other);
            }
            Step::Tell(_) => end.tell(),
            Step::Flip(_, at, bit) => end.flip(*at, *bit),
            Step::Lose(_, at, count) => end.lose(*at, *count),
            Step::Cut(_) => end.cut(other),
        }
    }
    settle(&mut client, &mut server);
    client.act(&Action::Close(CloseCode::GOING_AWAY), 0);
    settle(&mut client, &mut server);

    let breaks = [client.breaks, server.breaks];
    if breaks.iter().all(|breaks| breaks.spoiled.is_none() && breaks.cut.is_none()) {
        assert_eq!(client.agreed, server.agreed);
        for (end, transport) in
            [(&mut client, Transport::AwaitPeer), (&mut server, Transport::Close)]
        {
            let connection = end.connection().expect("the handshake succeeds");
            assert_eq!(connection.state(), ConnectionState::Closing);
            assert_eq!(connection.transport(), transport);
            assert!(connection.close_status().is_some_and(|status| status.is_clean()));
        }
    }
    client.assert_received_by(&server);
    server.assert_received_by(&client);
    for end in [&mut client, &mut server] {
        end.receive_eof();
        if let Some(connection) = end.connection() {
            assert_eq!(connection.state(), ConnectionState::Closed);
            assert_eq!(connection.transport(), Transport::Close);
        }
    }
}

/// More than this only takes more time.
const MOST_STEPS: usize = 64;

/// Everything that is under way arrives, and is answered.
fn settle(client: &mut End, server: &mut End) {
    loop {
        client.tell();
        server.tell();
        if client.deliver(usize::MAX, server) + server.deliver(usize::MAX, client) == 0 {
            break;
        }
    }
}

/// How far an end has come.
enum Stage {
    Connecting(Box<ClientHandshake>),
    Accepting(ServerHandshake),
    Connected(Connection),
    /// The handshake failed.
    Refused,
}

/// One end, what it has said, and the pipe behind it.
struct End {
    manner: Manner,
    stage: Stage,
    /// What was agreed on in the handshake.
    agreed: Option<String>,
    events: Events,
    news: VecDeque<News>,
    /// What is to be written before anything from the connection.
    head: Vec<u8>,
    /// What was written and has not arrived.
    pipe: VecDeque<u8>,
    /// How many bytes were written.
    written: usize,
    /// How many of them were lost on the way.
    lost: usize,
    breaks: Breaks,
    /// What was accepted, and how many bytes are written when it is.
    messages: Vec<(usize, Seen)>,
    pings: Vec<(usize, Seen)>,
    open: Option<(MessageKind, Vec<u8>)>,
}

/// Where in all that was written something first broke.
#[derive(Debug, Clone, Copy, Default)]
struct Breaks {
    spoiled: Option<usize>,
    cut: Option<usize>,
}

impl End {
    fn new(manner: Manner, stage: Stage, head: Vec<u8>) -> Self {
        Self {
            manner,
            stage,
            agreed: None,
            events: Events::default(),
            news: VecDeque::new(),
            head,
            pipe: VecDeque::new(),
            written: 0,
            lost: 0,
            breaks: Breaks::default(),
            messages: Vec::new(),
            pings: Vec::new(),
            open: None,
        }
    }

    fn client(manner: Manner) -> Self {
        let request = ClientRequest::new("ws://server.example.com/chat".parse().unwrap());
        #[cfg(feature = "deflate")]
        let request = match manner.deflate() {
            Some(deflate) => request.deflate(&deflate),
            None => request,
        };
        let mut handshake = ClientHandshake::new(&request);
        let head = std::mem::take(handshake.outgoing()).to_vec();
        Self::new(manner, Stage::Connecting(Box::new(handshake)), head)
    }

    fn server(manner: Manner) -> Self {
        Self::new(manner, Stage::Accepting(ServerHandshake::default()), Vec::new())
    }

    const fn connection(&mut self) -> Option<&mut Connection> {
        match &mut self.stage {
            Stage::Connected(connection) => Some(connection),
            _ => None,
        }
    }

    /// How many bytes will have been written when all that waits is.
    fn position(&mut self) -> usize {
        let waiting = self.connection().map_or(0, |connection| connection.outgoing().remaining());
        self.written + self.head.len() + waiting
    }

    fn act(&mut self, action: &Action, salt: usize) {
        let Stage::Connected(connection) = &mut self.stage else { return };
        match action {
            Action::Send(kind, size) => {
                let message = payload::message(*kind, *size, salt);
                let outcome = connection.send(message.clone());
                self.sent(outcome.is_ok(), Seen::message(&message));
            }
            Action::SendPrepared(kind, size) => {
                let message = payload::message(*kind, *size, salt);
                let outcome = connection.send_prepared(&PreparedMessage::new(message.clone()));
                self.sent(outcome.is_ok(), Seen::message(&message));
            }
            Action::Write(kind, size) => {
                let piece = payload::message(*kind, *size, salt);
                if connection.fragments().write(piece.clone()).is_ok() {
                    let (_, bytes) = self.open.get_or_insert((*kind, Vec::new()));
                    bytes.extend_from_slice(piece.as_bytes());
                }
            }
            Action::Finish(kind, size) => {
                let piece = payload::message(*kind, *size, salt);
                if connection.fragments().finish(piece.clone()).is_ok() {
                    let (kind, mut bytes) = self.open.take().unwrap_or((*kind, Vec::new()));
                    bytes.extend_from_slice(piece.as_bytes());
                    self.sent(true, Seen::Message(kind, bytes));
                }
            }
            Action::Ping(byte) => {
                let payload = vec![*byte; usize::from(*byte) % 126];
                if connection.ping(ControlPayload::new(payload.clone()).unwrap()).is_ok() {
                    let end = self.position();
                    self.pings.push((end, Seen::Ping(payload)));
                }
            }
            Action::Close(code) => connection.close(Some(CloseFrame::from(*code))),
        }
    }

    fn sent(&mut self, accepted: bool, message: Seen) {
        if accepted {
            let end = self.position();
            self.messages.push((end, message));
        }
    }

    /// How many bytes have left the pipe. Lost ones don't count, as nothing is demanded of what follows
    /// them.
    fn arrived(&self) -> usize {
        self.written - self.lost - self.pipe.len()
    }

    /// Writes up to this many bytes.
    fn write(&mut self, count: usize) {
        let of_head = count.min(self.head.len());
        self.pipe.extend(self.head.drain(..of_head));
        let mut written = of_head;
        if let Some(connection) = self.connection() {
            let bytes = write(connection, count - of_head);
            written += bytes.len();
            self.pipe.extend(bytes);
        }
        self.written += written;
    }

    /// Moves up to this many bytes across; returns how many.
    fn deliver(&mut self, count: usize, other: &mut Self) -> usize {
        self.write(count.saturating_sub(self.pipe.len()));
        let bytes: Vec<_> = self.pipe.drain(..count.min(self.pipe.len())).collect();
        if self.breaks.cut.is_none() {
            other.receive(&bytes, self.breaks);
        }
        bytes.len()
    }

    fn receive(&mut self, bytes: &[u8], broken: Breaks) {
        let mut buffer = bytes.to_vec();
        let mut input = &mut buffer[..];
        // An answer may be wrong because the request was.
        let is_broken = broken.spoiled.is_some() || self.breaks.spoiled.is_some();
        let refused = |error: &dyn std::fmt::Debug| {
            assert!(is_broken, "the handshake fails with {error:?}");
            Stage::Refused
        };
        match &mut self.stage {
            Stage::Connecting(handshake) => match handshake.receive(&mut input) {
                Ok(None) => {}
                Ok(Some(Outcome::Established(established))) => {
                    #[cfg(feature = "deflate")]
                    {
                        self.agreed = established.deflate().map(ToString::to_string);
                    }
                    let connection = established.into_connection(self.manner.config());
                    self.stage = Stage::Connected(connection);
                }
                Ok(Some(Outcome::Rejected(rejection))) => self.stage = refused(&rejection),
                Err(error) => self.stage = refused(&error),
            },
            Stage::Accepting(handshake) => match handshake.receive(&mut input) {
                Ok(None) => {}
                Ok(Some(request)) => self.answer(&request, &refused),
                Err(error) => self.stage = refused(&error),
            },
            Stage::Connected(_) | Stage::Refused => {}
        }
        self.take(input, broken);
    }

    fn answer(
        &mut self,
        request: &http::Request<()>,
        refused: &dyn Fn(&dyn std::fmt::Debug) -> Stage,
    ) {
        let acceptance = Acceptance::new();
        #[cfg(feature = "deflate")]
        let acceptance = match self.manner.deflate() {
            Some(deflate) => acceptance.deflate(&deflate),
            None => acceptance,
        };
        match negotiate(request, |_, _| Decision::from(acceptance)).unwrap() {
            Answer::Accepted(mut accepted) => {
                #[cfg(feature = "deflate")]
                {
                    self.agreed = accepted.deflate().map(ToString::to_string);
                }
                self.head.extend(std::mem::take(accepted.outgoing()));
                self.stage = Stage::Connected(accepted.into_connection(self.manner.config()));
            }
            Answer::Refused(mut refusal) => {
                self.stage = refused(&refusal);
                self.head.extend(std::mem::take(refusal.outgoing()));
            }
        }
    }

    /// Takes all events out of the bytes.
    fn take(&mut self, bytes: &[u8], broken: Breaks) {
        let Stage::Connected(connection) = &mut self.stage else { return };
        let outcome = if self.manner.in_halves {
            let (mut receiving, sending) = take(connection).split();
            let news = &mut self.news;
            let outcome = self.events.take_with(&mut receiving, bytes, |_, event| {
                news.extend(for_the_sender(event).map(News::Event));
            });
            news.extend(outcome.err().map(News::Error));
            *connection = Connection::reunite(receiving, sending);
            outcome
        } else {
            self.events.take(connection, bytes)
        };
        if let Err(error) = outcome {
            assert!(broken.spoiled.is_some(), "the other keeps to the protocol, and yet: {error}");
        }
    }

    /// Tells the sending half what the receiving half has found.
    fn tell(&mut self) {
        let Stage::Connected(connection) = &mut self.stage else { return };
        let (receiving, mut sending) = take(connection).split();
        for news in self.news.drain(..) {
            match news {
                News::Event(event) => sending.answer(&event),
                News::Error(error) => sending.fail(error),
            }
        }
        *connection = Connection::reunite(receiving, sending);
    }

    /// Changes a bit of the byte at this place in the pipe.
    fn flip(&mut self, at: usize, bit: u8) {
        self.write((at + 1).saturating_sub(self.pipe.len()));
        if let Some(byte) = self.pipe.get_mut(at) {
            *byte ^= 1 << bit;
            self.spoil(at);
        }
    }

    /// Takes this many bytes out of the pipe.
    fn lose(&mut self, at: usize, count: usize) {
        self.write((at + count).saturating_sub(self.pipe.len()));
        let end = self.pipe.len().min(at + count);
        if at < end {
            self.spoil(at);
            self.pipe.drain(at..end);
            self.lost += end - at;
        }
    }

    /// From this place in the pipe on, what arrives is not what was written.
    fn spoil(&mut self, at: usize) {
        let place = self.arrived() + at;
        self.breaks.spoiled = Some(self.breaks.spoiled.map_or(place, |first| first.min(place)));
    }

    /// Loses what is in the pipe, and what goes in from now on.
    fn cut(&mut self, other: &mut Self) {
        self.breaks.cut.get_or_insert(self.arrived());
        other.receive_eof();
    }

    fn receive_eof(&mut self) {
        match &mut self.stage {
            Stage::Connected(connection) => connection.receive_eof(),
            stage => *stage = Stage::Refused,
        }
    }

    fn assert_received_by(&self, other: &Self) {
        if matches!(other.stage, Stage::Refused) {
            return;
        }
        let seen = other.events.whole_messages();
        let only = |keep: fn(&Seen) -> bool| -> Vec<_> {
            seen.iter().filter(|seen| keep(seen)).cloned().collect()
        };
        let before = |accepted: &[(usize, Seen)], place: Option<usize>| -> Vec<_> {
            let place = place.unwrap_or(usize::MAX);
            let arrived = accepted.iter().filter(|(end, _)| *end <= place);
            arrived.map(|(_, seen)| seen.clone()).collect()
        };
        for (accepted, seen) in [
            (&self.messages, only(|seen| matches!(seen, Seen::Message(..)))),
            (&self.pings, only(|seen| matches!(seen, Seen::Ping(_)))),
        ] {
            let Breaks { spoiled, cut } = self.breaks;
            let intact = before(accepted, [spoiled, cut].into_iter().flatten().min());
            match spoiled {
                None => assert_eq!(seen, intact, "what arrived whole, and nothing else"),
                Some(_) => assert!(seen.starts_with(&intact), "{intact:?} and more, not {seen:?}"),
            }
        }
    }
}

/// The connection, with another one in its place.
fn take(connection: &mut Connection) -> Connection {
    std::mem::replace(connection, Connection::new(Role::Server, Config::default()))
}
