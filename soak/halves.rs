use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use sansocket::blocking::{ClientStream, Error, MessageWriter, Reader, WebSocket, Writer};
use sansocket::{CloseCode, CloseStatus, Message, MessageKind, PreparedMessage};

use crate::client::PATIENCE;
use crate::conversation::Fault;
use crate::conversation::{Conversation, Manner, Reading};
use crate::ledger::Ledger;
use crate::whole::expect;
use crate::world::World;

/// This much may be under way. Nobody has to wait for it, but it must be held somewhere.
const MOST_UNDER_WAY: u64 = 1 << 20;

/// A client that reads in a thread of its own.
pub(crate) struct Halves {
    writer: Writer<ClientStream>,
    account: Arc<Account>,
    /// Until it is waited for.
    reader: Option<JoinHandle<Result<CloseStatus, Fault>>>,
    tcp: TcpStream,
    world: Arc<World>,
}

/// What the two threads share.
#[derive(Default)]
struct Account {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    ledger: Ledger,
    reader: ReaderState,
}

#[derive(Default, PartialEq, Eq)]
enum ReaderState {
    #[default]
    Reading,
    Ended,
}

impl Halves {
    pub(crate) fn new(
        socket: WebSocket<ClientStream>,
        reading: Reading,
        world: &Arc<World>,
    ) -> Result<Self, Fault> {
        let tcp = socket.stream().tcp().try_clone().map_err(Fault::Tcp)?;
        let (reader, writer) = socket.split().map_err(Fault::Tcp)?;
        let account = Arc::new(Account::default());
        let world = Arc::clone(world);
        let thread = {
            let (account, world) = (Arc::clone(&account), Arc::clone(&world));
            move || {
                let outcome = read(reader, reading, &account, &world);
                account.lock().reader = ReaderState::Ended;
                account.changed.notify_all();
                outcome
            }
        };
        let reader = thread::Builder::new().spawn(thread).map_err(Fault::Tcp)?;
        Ok(Self { writer, account, reader: Some(reader), tcp, world })
    }

    /// Waits until no more than this is under way.
    fn wait_for(&self, most: u64) -> Result<(), Fault> {
        let too_much = |state: &mut State| {
            let ledger = &state.ledger;
            let is_too_much = !ledger.is_settled() && ledger.outstanding_bytes() >= most;
            is_too_much && state.reader == ReaderState::Reading
        };
        let state = self.account.lock();
        let waited = self.account.changed.wait_timeout_while(state, PATIENCE, too_much);
        let (state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        match state.reader {
            ReaderState::Ended => Err(Fault::ReaderEnded),
            ReaderState::Reading if timeout.timed_out() => {
                Err(Fault::Stuck { missing: state.ledger.outstanding() })
            }
            ReaderState::Reading => Ok(()),
        }
    }

    fn join(&mut self) -> Result<CloseStatus, Fault> {
        let reader = self.reader.take().ok_or(Fault::ReaderEnded)?;
        reader.join().unwrap_or(Err(Fault::Panicked))
    }

    fn give_up(&self) {
        self.world.tally.given_up.add(self.account.lock().ledger.outstanding() as u64);
    }
}

/// Reads to the end of the connection.
fn read(
    mut reader: Reader<ClientStream>,
    mut reading: Reading,
    account: &Account,
    world: &World,
) -> Result<CloseStatus, Fault> {
    while let Some(received) = reading.receive(&mut reader)? {
        account.lock().ledger.settle(received)?;
        account.changed.notify_all();
        world.tally.messages.add(1);
        world.tally.bytes.add(received.len());
    }
    if reader.round_trip_time().is_some() {
        world.tally.measured.add(1);
    }
    reader.close_status().ok_or(Fault::NotClosed)
}

impl Conversation for Halves {
    fn announce(&mut self, message: &Message<'_>) -> Result<(), Fault> {
        self.wait_for(MOST_UNDER_WAY.saturating_sub(message.len() as u64))?;
        self.account.lock().ledger.enter(message);
        Ok(())
    }

    fn write(&mut self, message: Message<'_>) -> Result<(), Error> {
        self.writer.write(message)
    }

    fn write_prepared(&mut self, message: &PreparedMessage) -> Result<(), Error> {
        self.writer.write_prepared(message)
    }

    fn message(&mut self, kind: MessageKind) -> MessageWriter<'_> {
        self.writer.message(kind)
    }

    fn ping(&mut self, payload: [u8; 4]) -> Result<(), Error> {
        self.writer.ping(&payload)
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.writer.flush()
    }

    fn catch_up(&mut self) -> Result<(), Fault> {
        Ok(()) // that is the other thread's
    }

    fn settle(&mut self) -> Result<(), Fault> {
        self.wait_for(0)
    }

    fn close(mut self) -> Result<(), Fault> {
        self.settle()?;
        self.writer.close(CloseCode::NORMAL, "")?;
        expect(self.join()?, CloseCode::NORMAL)
    }

    fn break_off(mut self) -> Result<(), Fault> {
        self.settle()?;
        self.writer
            .message(MessageKind::Text)
            .write_all(b"unfinished")
            .map_err(Fault::Streaming)?;
        expect(self.join()?, CloseCode::INTERNAL_ERROR)
    }

    fn abandon(mut self, manner: Manner) -> Result<(), Fault> {
        manner.prepare(&self.tcp)?;
        // The other thread can't be woken otherwise.
        self.tcp.shutdown(Shutdown::Both).map_err(Fault::Tcp)?;
        match self.join() {
            Ok(_) | Err(Fault::Socket(_) | Fault::Streaming(_)) => {}
            Err(fault) => return Err(fault),
        }
        self.give_up();
        Ok(())
    }

    fn farewell(mut self) -> Result<CloseStatus, Fault> {
        let outcome = self.join();
        self.give_up();
        outcome
    }
}

impl Drop for Halves {
    fn drop(&mut self) {
        if self.reader.is_some() {
            let _ = self.tcp.shutdown(Shutdown::Both);
            let _ = self.join();
        }
    }
}

impl Account {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
