//! The other end of a connection, in memory, driven by what is said to it.

use bytes::Buf;
use sansocket::handshake::{
    Answer, ClientHandshake, ClientRequest, Decision, Outcome, ServerHandshake, negotiate,
};
use sansocket::{CloseCode, CloseFrame, Config, Connection, Event, Message, Role};

/// What a peer has heard after the opening handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard {
    Message(Message<'static>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<(CloseCode, String)>),
}

/// A peer that answers at once.
pub(crate) struct MemoryPeer {
    stage: Stage,
    /// What it says in the opening handshake.
    head: Vec<u8>,
    /// What it says right after that, unprompted.
    trailer: &'static [u8],
    behaviour: Behaviour,
    pub(crate) heard: Vec<Heard>,
}

enum Stage {
    ClientOpening(ClientHandshake),
    ServerOpening(ServerHandshake),
    Open(Connection),
}

enum Behaviour {
    /// Says all this as soon as the connection is open.
    Script(fn(&mut Connection)),
    /// Sends back what it hears, in fragments with Pings around and between them.
    Echo,
}

impl MemoryPeer {
    /// A client that says all this as soon as the connection is open.
    pub(crate) fn client(script: fn(&mut Connection)) -> Self {
        let request = ClientRequest::new("ws://memory/".parse().unwrap());
        let mut handshake = ClientHandshake::new(&request);
        let head = handshake.outgoing().to_vec();
        let stage = Stage::ClientOpening(handshake);
        let behaviour = Behaviour::Script(script);
        Self { stage, head, trailer: b"", behaviour, heard: Vec::new() }
    }

    /// A server that sends back what it hears, in fragments with Pings around and between them.
    pub(crate) fn echo_server() -> Self {
        let stage = Stage::ServerOpening(ServerHandshake::default());
        let behaviour = Behaviour::Echo;
        Self { stage, head: Vec::new(), trailer: b"", behaviour, heard: Vec::new() }
    }

    /// A server that accepts and, in the same segment, says these bytes.
    pub(crate) fn server_that_says(trailer: &'static [u8]) -> Self {
        Self { trailer, ..Self::echo_server() }
    }

    /// Whether its part of the opening handshake is done, and was heard.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Open(_)) && self.head.is_empty()
    }

    /// Whether it has nothing more to say, ever.
    pub(crate) fn is_done(&self) -> bool {
        match &self.stage {
            Stage::Open(connection) => connection.close_status().is_some_and(|s| s.is_clean()),
            Stage::ClientOpening(_) | Stage::ServerOpening(_) => false,
        }
    }

    pub(crate) fn messages(&self) -> Vec<Message<'static>> {
        let messages = self.heard.iter().filter_map(|heard| match heard {
            Heard::Message(message) => Some(message.clone()),
            _ => None,
        });
        messages.collect()
    }

    /// What it says, as much as there is room for.
    pub(crate) fn say(&mut self, room: &mut [u8]) -> usize {
        if self.head.is_empty() {
            let Stage::Open(connection) = &mut self.stage else {
                return 0;
            };
            let count = room.len().min(connection.outgoing().remaining());
            connection.outgoing().copy_to_slice(&mut room[..count]);
            return count;
        }
        let count = room.len().min(self.head.len());
        room[..count].copy_from_slice(&self.head[..count]);
        self.head.drain(..count);
        count
    }

    /// Hears these bytes.
    pub(crate) fn hear(&mut self, bytes: &[u8]) {
        let mut bytes = bytes.to_vec();
        let mut input = &mut bytes[..];
        if let Some(mut connection) = self.open(&mut input) {
            if let Behaviour::Script(script) = self.behaviour {
                script(&mut connection);
            }
            self.stage = Stage::Open(connection);
        }
        let Stage::Open(connection) = &mut self.stage else {
            return;
        };
        while let Some(event) = connection.next_event(&mut input).unwrap() {
            let heard = match event {
                Event::Message(message) => Heard::Message(message.into_owned()),
                Event::Ping(payload) => Heard::Ping(payload.to_vec()),
                Event::Pong(payload) => Heard::Pong(payload.to_vec()),
                Event::Close(frame) => {
                    Heard::Close(frame.map(|frame| (frame.code(), frame.reason().to_owned())))
                }
                _ => panic!("an event that this peer doesn't know"),
            };
            if let (Behaviour::Echo, Heard::Message(message)) = (&self.behaviour, &heard) {
                echo_in_fragments(connection, message);
            }
            self.heard.push(heard);
        }
    }

    /// Continues the opening handshake; returns the connection when that is done.
    fn open(&mut self, input: &mut &mut [u8]) -> Option<Connection> {
        match &mut self.stage {
            Stage::ClientOpening(handshake) => match handshake.receive(input).unwrap()? {
                Outcome::Established(done) => Some(done.into_connection(Config::default())),
                Outcome::Rejected(rejection) => panic!("{:?}", rejection.response()),
            },
            Stage::ServerOpening(handshake) => {
                let request = handshake.receive(input).unwrap()?;
                match negotiate(&request, |_, _| Decision::accept()).unwrap() {
                    Answer::Accepted(mut accepted) => {
                        self.head = [accepted.outgoing(), self.trailer].concat();
                        Some(accepted.into_connection(Config::default()))
                    }
                    Answer::Refused(refusal) => panic!("{:?}", refusal.response()),
                }
            }
            Stage::Open(_) => None,
        }
    }
}

fn echo_in_fragments(connection: &mut Connection, message: &Message<'_>) {
    assert_eq!(connection.role(), Role::Server);
    connection.ping(b"before").unwrap();
    if let Some(text) = message.as_text() {
        let middle = (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at)).unwrap();
        let (head, tail) = text.split_at(middle);
        connection.fragments().write(head).unwrap();
        connection.ping(b"between").unwrap();
        connection.fragments().finish(tail).unwrap();
    } else {
        let (head, tail) = message.as_bytes().split_at(message.len() / 2);
        connection.fragments().write(head).unwrap();
        connection.ping(b"between").unwrap();
        connection.fragments().finish(tail).unwrap();
    }
}

/// Closes with 1000 and a reason.
pub(crate) fn goodbye(connection: &mut Connection) {
    connection.close(Some(CloseFrame::new(CloseCode::NORMAL, "goodbye").unwrap()));
}
