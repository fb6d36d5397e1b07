use std::io::Write;

use sansocket::blocking::{ClientStream, Error, MessageWriter, WebSocket};
use sansocket::{CloseCode, CloseStatus, Message, MessageKind, PreparedMessage};

use crate::conversation::Fault;
use crate::conversation::{Conversation, Manner, Reading};
use crate::ledger::Ledger;
use crate::world::Tally;

/// This much may be under way of several messages together. A connection in one piece does not read
/// while it writes: as much as the buffers of both directions hold would be too much.
const MOST_UNDER_WAY: u64 = 48 * 1024;

/// A client that has its connection in one piece.
pub(crate) struct Whole<'world> {
    socket: WebSocket<ClientStream>,
    reading: Reading,
    ledger: Ledger,
    tally: &'world Tally,
}

impl<'world> Whole<'world> {
    pub(crate) fn new(
        socket: WebSocket<ClientStream>,
        reading: Reading,
        tally: &'world Tally,
    ) -> Self {
        Self { socket, reading, ledger: Ledger::default(), tally }
    }

    /// Waits for the message that is to come back next.
    fn receive(&mut self) -> Result<(), Fault> {
        match self.reading.receive(&mut self.socket)? {
            Some(received) => {
                self.ledger.settle(received)?;
                self.tally.messages.add(1);
                self.tally.bytes.add(received.len());
                Ok(())
            }
            None => Err(match self.socket.close_status() {
                Some(status) => Fault::Closed { status, missing: self.ledger.outstanding() },
                None => Fault::NotClosed,
            }),
        }
    }
}

impl Conversation for Whole<'_> {
    fn announce(&mut self, message: &Message<'_>) -> Result<(), Fault> {
        let most = MOST_UNDER_WAY.saturating_sub(message.len() as u64);
        while !self.ledger.is_settled() && self.ledger.outstanding_bytes() > most {
            self.receive()?;
        }
        self.ledger.enter(message);
        Ok(())
    }

    fn write(&mut self, message: Message<'_>) -> Result<(), Error> {
        self.socket.write(message)
    }

    fn write_prepared(&mut self, message: &PreparedMessage) -> Result<(), Error> {
        self.socket.write_prepared(message)
    }

    fn message(&mut self, kind: MessageKind) -> MessageWriter<'_> {
        self.socket.message(kind)
    }

    fn ping(&mut self, payload: [u8; 4]) -> Result<(), Error> {
        self.socket.ping(&payload)
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.socket.flush()
    }

    fn catch_up(&mut self) -> Result<(), Fault> {
        self.settle()
    }

    fn settle(&mut self) -> Result<(), Fault> {
        while !self.ledger.is_settled() {
            self.receive()?;
        }
        Ok(())
    }

    fn close(mut self) -> Result<(), Fault> {
        self.settle()?;
        if self.socket.round_trip_time().is_some() {
            self.tally.measured.add(1);
        }
        let status = self.socket.close(CloseCode::NORMAL, "")?;
        expect(status, CloseCode::NORMAL)
    }

    fn break_off(mut self) -> Result<(), Fault> {
        self.settle()?;
        self.socket
            .message(MessageKind::Text)
            .write_all(b"unfinished")
            .map_err(Fault::Streaming)?;
        let status = self.farewell()?;
        expect(status, CloseCode::INTERNAL_ERROR)
    }

    fn abandon(self, manner: Manner) -> Result<(), Fault> {
        self.tally.given_up.add(self.ledger.outstanding() as u64);
        manner.prepare(self.socket.stream().tcp())
    }

    fn farewell(mut self) -> Result<CloseStatus, Fault> {
        loop {
            match self.receive() {
                Ok(()) => {}
                Err(Fault::Closed { status, missing }) => {
                    self.tally.given_up.add(missing as u64);
                    return Ok(status);
                }
                Err(fault) => return Err(fault),
            }
        }
    }
}

/// Checks that the server has answered, or said, this.
pub(crate) fn expect(status: CloseStatus, code: CloseCode) -> Result<(), Fault> {
    if status.is_clean() && status.remote.number() == code.get() {
        Ok(())
    } else {
        Err(Fault::CloseCode { status, expected: code.get() })
    }
}
