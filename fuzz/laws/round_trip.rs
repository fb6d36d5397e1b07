//! Two connections that talk to each other understand each other, and end together.

use sansocket::{
    CloseCode, CloseFrame, ClosedBy, Connection, ConnectionState, ControlPayload, MessageKind,
    Role, Transport,
};

use super::payload;
use super::script::Script;
use super::setup::Setup;
use super::transcript::{Events, Seen, write};

/// The input is a [`Setup`], which both share but for the role and the limits of what comes in,
/// and [`Operation`]s.
pub fn law(data: &[u8]) {
    let mut script = Script(data);
    let setup = Setup::read(&mut script);
    let mut operations = Vec::new();
    while !script.is_empty() && operations.len() < MOST_OPERATIONS {
        let by = if script.byte() & 1 == 0 { Role::Server } else { Role::Client };
        operations.push((by, Operation::read(&mut script)));
    }
    two_peers(setup, &operations);
}

/// What one of the two does.
#[derive(Debug, Clone)]
pub enum Operation {
    /// It sends a message of this size.
    Send(MessageKind, usize),
    /// It sends a fragment of this size that others will follow.
    Write(MessageKind, usize),
    /// It sends a last fragment of this size.
    Finish(MessageKind, usize),
    /// It sends a Ping.
    Ping(u8),
    /// It closes with this code.
    Close(CloseCode),
    /// This many of its bytes reach the other.
    Transfer(usize),
}

impl Operation {
    /// What the next bytes say: which operation, then its arguments.
    pub fn read(script: &mut Script<'_>) -> Self {
        let choice = script.byte();
        let kind = payload::kind(choice >> 4);
        match choice % 16 {
            0..=3 => Self::Send(kind, payload::size(script)),
            4 | 5 => Self::Write(kind, payload::size(script)),
            6 | 7 => Self::Finish(kind, payload::size(script)),
            8 | 9 => Self::Ping(script.byte()),
            10 => {
                let number = u16::from_be_bytes([script.byte(), script.byte()]);
                Self::Close(CloseCode::new(number).unwrap_or(CloseCode::NORMAL))
            }
            _ => Self::Transfer(payload::size(script)),
        }
    }
}

/// Each does what it is told, then the client closes unless one of them has; in the end
///
/// - every message that was accepted has arrived, as it was and in order, and every Ping;
/// - the closing handshake is complete, and both know the same about it;
/// - the server is to close the transport and the client to wait for it.
pub fn two_peers(setup: Setup, operations: &[(Role, Operation)]) {
    let mut client = Peer::new(setup.with_role(Role::Client));
    let mut server = Peer::new(setup.with_role(Role::Server));
    for (salt, (by, operation)) in operations.iter().enumerate() {
        let (peer, other) = match by {
            Role::Client => (&mut client, &mut server),
            Role::Server => (&mut server, &mut client),
        };
        match operation {
            Operation::Transfer(count) => {
                peer.transfer(*count, other);
            }
            operation => peer.perform(operation, salt),
        }
    }
    client.perform(&Operation::Close(CloseCode::GOING_AWAY), 0);
    while client.transfer(usize::MAX, &mut server) + server.transfer(usize::MAX, &mut client) > 0 {}

    assert_eq!(server.events.whole_messages(), client.expected(&server), "client to server");
    assert_eq!(client.events.whole_messages(), server.expected(&client), "server to client");
    assert_same_end(&client.connection, &server.connection);
    for (peer, transport) in [(&mut client, Transport::AwaitPeer), (&mut server, Transport::Close)]
    {
        assert_eq!(peer.connection.state(), ConnectionState::Closing);
        assert_eq!(peer.connection.transport(), transport);
        let status = peer.connection.close_status();
        peer.connection.receive_eof();
        assert_eq!(peer.connection.state(), ConnectionState::Closed);
        assert_eq!(peer.connection.transport(), Transport::Close);
        assert_eq!(peer.connection.close_status(), status, "the end changes nothing about it");
    }
}

/// More than this only takes more time.
const MOST_OPERATIONS: usize = 64;

/// One end, and what the other has to see of it.
struct Peer {
    connection: Connection,
    events: Events,
    /// The messages that were accepted.
    messages: Vec<Seen>,
    /// The Pings that were accepted.
    pings: Vec<Seen>,
    /// What was sent of a message in fragments.
    open: Option<(MessageKind, Vec<u8>)>,
    /// The body of its Close frame, if it was the application that closed.
    close: Option<(u16, String)>,
}

impl Peer {
    fn new(setup: Setup) -> Self {
        let setup = Setup { max_frame_size: u64::MAX, max_message_size: u64::MAX, ..setup };
        Self {
            connection: setup.connection(),
            events: Events::default(),
            messages: Vec::new(),
            pings: Vec::new(),
            open: None,
            close: None,
        }
    }

    fn perform(&mut self, operation: &Operation, salt: usize) {
        match operation {
            Operation::Send(kind, size) => {
                let message = payload::message(*kind, *size, salt);
                if self.connection.send(message.clone()).is_ok() {
                    self.messages.push(Seen::message(&message));
                }
            }
            Operation::Write(kind, size) => {
                let piece = payload::message(*kind, *size, salt);
                if self.connection.fragments().write(piece.clone()).is_ok() {
                    let (_, bytes) = self.open.get_or_insert((*kind, Vec::new()));
                    bytes.extend_from_slice(piece.as_bytes());
                }
            }
            Operation::Finish(kind, size) => {
                let piece = payload::message(*kind, *size, salt);
                if self.connection.fragments().finish(piece.clone()).is_ok() {
                    let (kind, mut bytes) = self.open.take().unwrap_or((*kind, Vec::new()));
                    bytes.extend_from_slice(piece.as_bytes());
                    self.messages.push(Seen::Message(kind, bytes));
                }
            }
            Operation::Ping(byte) => {
                let payload = vec![*byte; usize::from(*byte) % 126];
                if self.connection.ping(ControlPayload::new(payload.clone()).unwrap()).is_ok() {
                    self.pings.push(Seen::Ping(payload));
                }
            }
            Operation::Close(code) => {
                if self.connection.state() == ConnectionState::Open {
                    self.close = Some((code.get(), "over".to_owned()));
                }
                self.connection.close(Some(CloseFrame::new(*code, "over").unwrap()));
            }
            Operation::Transfer(_) => {}
        }
    }

    /// Moves bytes to the other end; returns how many.
    fn transfer(&mut self, count: usize, other: &mut Self) -> usize {
        let bytes = write(&mut self.connection, count);
        let outcome = other.events.take(&mut other.connection, &bytes);
        outcome.expect("the other keeps to the protocol");
        bytes.len()
    }

    /// What the `other` has to have seen in the end.
    fn expected(&self, other: &Self) -> Expected {
        Expected {
            messages: self.messages.clone(),
            pings: self.pings.clone(),
            // 5.5.1: the end that did not begin answers with the code it got, and no reason.
            close: self
                .close
                .clone()
                .or_else(|| other.close.clone().map(|(code, _)| (code, String::new()))),
        }
    }
}

/// What was to arrive; compared with what did, kind by kind.
#[derive(Debug)]
struct Expected {
    messages: Vec<Seen>,
    pings: Vec<Seen>,
    close: Option<(u16, String)>,
}

impl PartialEq<Expected> for Vec<Seen> {
    fn eq(&self, expected: &Expected) -> bool {
        let only = |keep: fn(&Seen) -> bool| self.iter().filter(move |&seen| keep(seen));
        only(|seen| matches!(seen, Seen::Message(..))).eq(&expected.messages)
            && only(|seen| matches!(seen, Seen::Ping(_))).eq(&expected.pings)
            && self.last() == Some(&Seen::Close(expected.close.clone()))
    }
}

fn assert_same_end(client: &Connection, server: &Connection) {
    let statuses = (client.close_status(), server.close_status());
    let (Some(client), Some(server)) = statuses else { panic!("one is open: {statuses:?}") };
    assert!(client.is_clean() && server.is_clean());
    assert_eq!((client.local, client.remote), (server.remote, server.local));
    let began = [client.closed_by, server.closed_by];
    assert!(began.contains(&ClosedBy::Local), "one of them, or both at once: {began:?}");
}
