//! Two halves make up the connection they were split from, wherever they are.

use bytes::Buf;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use sansocket::{
    CloseCode, Connection, MessageKind, ProtocolError, ReceivingHalf, SendingHalf, UsageError,
};

use crate::laws::payload;
use crate::laws::script::pieces;
use crate::laws::setup::Setup;
use crate::strategies::{Fault, conversation, input, kind, payload_size, setup, sizes};

/// What the application and the transport do between two reads.
#[derive(Debug, Clone)]
enum Operation {
    Send(MessageKind, usize),
    Write(MessageKind, usize),
    Finish(MessageKind, usize),
    Ping,
    Close,
    Drain(usize),
    WriteError,
    /// The halves become one connection, and halves again.
    Reunite,
}

fn operation() -> impl Strategy<Value = Operation> {
    use Operation::{Close, Drain, Finish, Ping, Reunite, Send, Write, WriteError};
    prop_oneof![
        6 => (kind(), payload_size()).prop_map(|(kind, size)| Send(kind, size)),
        3 => (kind(), payload_size()).prop_map(|(kind, size)| Write(kind, size)),
        3 => (kind(), payload_size()).prop_map(|(kind, size)| Finish(kind, size)),
        2 => Just(Ping),
        1 => Just(Close),
        6 => (0..300_usize).prop_map(Drain),
        1 => Just(WriteError),
        2 => Just(Reunite),
    ]
}

/// What happens to a connection, whole or in halves.
trait Whole {
    fn receive(&mut self, bytes: &[u8]) -> (Vec<String>, Option<ProtocolError>);
    fn receive_eof(&mut self);
    fn sending(&mut self, operation: &Operation, salt: usize) -> Result<(), UsageError>;
    fn drain(&mut self, count: usize) -> Vec<u8>;
    fn reunite(&mut self);
    fn look(&self) -> String;
}

struct Halves(Option<(ReceivingHalf, SendingHalf)>);

/// Everything that is the same for `Connection` and for `SendingHalf`.
macro_rules! perform {
    ($sending:expr, $operation:expr, $salt:expr) => {{
        let sending = $sending;
        let refusal = |error| match error {
            sansocket::SendError::Refused(error) => error,
            _ => UsageError::BacklogFull,
        };
        match $operation {
            Operation::Send(kind, size) => {
                sending.send(payload::message(*kind, *size, $salt)).map_err(refusal)
            }
            Operation::Write(kind, size) => {
                sending.fragments().write(payload::message(*kind, *size, $salt)).map_err(refusal)
            }
            Operation::Finish(kind, size) => {
                sending.fragments().finish(payload::message(*kind, *size, $salt)).map_err(refusal)
            }
            Operation::Ping => sending.ping(b"hello"),
            Operation::Close => Ok(sending.close(Some(CloseCode::NORMAL.into()))),
            Operation::WriteError => Ok(sending.receive_write_error()),
            Operation::Drain(_) | Operation::Reunite => Ok(()),
        }
    }};
}

fn drain(outgoing: &mut impl Buf, count: usize) -> Vec<u8> {
    outgoing.copy_to_bytes(count.min(outgoing.remaining())).to_vec()
}

impl Whole for Connection {
    fn receive(&mut self, bytes: &[u8]) -> (Vec<String>, Option<ProtocolError>) {
        let mut bytes = bytes.to_vec();
        let (mut input, mut seen) = (&mut bytes[..], Vec::new());
        loop {
            match self.next_event(&mut input) {
                Ok(Some(event)) => seen.push(format!("{event:?}")),
                Ok(None) => return (seen, None),
                Err(error) => return (seen, Some(error)),
            }
        }
    }

    fn receive_eof(&mut self) {
        self.receive_eof();
    }

    fn sending(&mut self, operation: &Operation, salt: usize) -> Result<(), UsageError> {
        perform!(self, operation, salt)
    }

    fn drain(&mut self, count: usize) -> Vec<u8> {
        drain(self.outgoing(), count)
    }

    fn reunite(&mut self) {}

    fn look(&self) -> String {
        format!("{:?} {:?} {:?}", self.state(), self.transport(), self.close_status())
    }
}

impl Halves {
    fn both(&mut self) -> (&mut ReceivingHalf, &mut SendingHalf) {
        let (receiving, sending) = self.0.as_mut().unwrap();
        (receiving, sending)
    }
}

impl Whole for Halves {
    fn receive(&mut self, bytes: &[u8]) -> (Vec<String>, Option<ProtocolError>) {
        let (receiving, sending) = self.both();
        let mut bytes = bytes.to_vec();
        let (mut input, mut seen) = (&mut bytes[..], Vec::new());
        loop {
            match receiving.next_event(&mut input) {
                Ok(Some(event)) => {
                    sending.answer(&event);
                    seen.push(format!("{event:?}"));
                }
                Ok(None) => return (seen, None),
                Err(error) => {
                    sending.fail(error);
                    return (seen, Some(error));
                }
            }
        }
    }

    fn receive_eof(&mut self) {
        let (receiving, sending) = self.both();
        receiving.receive_eof();
        sending.receive_eof();
    }

    fn sending(&mut self, operation: &Operation, salt: usize) -> Result<(), UsageError> {
        let (_, sending) = self.both();
        perform!(sending, operation, salt)
    }

    fn drain(&mut self, count: usize) -> Vec<u8> {
        drain(self.both().1.outgoing(), count)
    }

    fn reunite(&mut self) {
        let (receiving, sending) = self.0.take().unwrap();
        self.0 = Some(Connection::reunite(receiving, sending).split());
    }

    fn look(&self) -> String {
        let (_, sending) = self.0.as_ref().unwrap();
        format!("{:?} {:?} {:?}", sending.state(), sending.transport(), sending.close_status())
    }
}

/// All that can be seen of it, step by step.
fn run(whole: &mut dyn Whole, reads: &[&[u8]], operations: &[Vec<Operation>]) -> Vec<String> {
    let mut seen = Vec::new();
    let mut operations = operations.iter();
    for (index, read) in reads.iter().enumerate() {
        seen.push(format!("{:?}", whole.receive(read)));
        for (salt, operation) in operations.next().into_iter().flatten().enumerate() {
            seen.push(format!("{:?}", whole.sending(operation, index + salt)));
            if let Operation::Drain(count) = operation {
                seen.push(format!("{:?}", whole.drain(*count)));
            }
            if let Operation::Reunite = operation {
                whole.reunite();
            }
            seen.push(whole.look());
        }
    }
    whole.receive_eof();
    seen.push(format!("{:?} {}", whole.receive(b"late"), whole.look()));
    seen.push(format!("{:?}", whole.drain(usize::MAX)));
    seen
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn halves_do_and_say_what_the_whole_does(
        setup in setup(), frames in conversation(), fault in option::of(Fault::any()),
        sizes in sizes(), operations in vec(vec(operation(), 0..6), 0..20),
        max_outgoing_size in prop_oneof![Just(1 << 20), Just(0_usize), Just(1000)],
    ) {
        let setup = Setup { max_outgoing_size, ..setup };
        let bytes = match fault {
            Some(fault) => fault.input(frames, setup.role),
            None => input(&frames, setup.role),
        };
        let reads = pieces(&bytes, &sizes);
        let whole = run(&mut setup.connection(), &reads, &operations);
        let halves = run(&mut Halves(Some(setup.connection().split())), &reads, &operations);
        prop_assert_eq!(whole, halves);
    }
}
