//! What was sent on a connection and has to come back, in this order.

use std::collections::VecDeque;
use std::fmt;
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Read};

use sansocket::{Message, MessageKind};

use crate::conversation::Fault;

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    outstanding: VecDeque<Entry>,
    bytes: u64,
}

/// A message, as far as it is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    kind: MessageKind,
    len: u64,
    checksum: u64,
}

impl Ledger {
    /// Enters a message that is going to be sent.
    pub(crate) fn enter(&mut self, message: &Message<'_>) {
        let entry = Entry::of(message);
        self.bytes += entry.len;
        self.outstanding.push_back(entry);
    }

    /// Strikes off a message that has come back.
    pub(crate) fn settle(&mut self, received: Entry) -> Result<(), Fault> {
        match self.outstanding.pop_front() {
            Some(sent) if sent == received => {
                self.bytes -= sent.len;
                Ok(())
            }
            Some(sent) => Err(Fault::Altered { sent, received }),
            None => Err(Fault::Unasked(received)),
        }
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.outstanding.is_empty()
    }

    /// How many messages have not come back.
    pub(crate) fn outstanding(&self) -> usize {
        self.outstanding.len()
    }

    /// And how many bytes those have.
    pub(crate) const fn outstanding_bytes(&self) -> u64 {
        self.bytes
    }
}

impl Entry {
    pub(crate) fn of(message: &Message<'_>) -> Self {
        let mut hasher = DefaultHasher::new();
        hasher.write(message.as_bytes());
        Self { kind: message.kind(), len: message.len() as u64, checksum: hasher.finish() }
    }

    /// The same for a message that arrives bit by bit.
    pub(crate) fn read(kind: MessageKind, mut message: impl Read) -> io::Result<Self> {
        let (mut hasher, mut len) = (DefaultHasher::new(), 0);
        let mut buffer = [0; 3000];
        loop {
            let count = message.read(&mut buffer)?;
            if count == 0 {
                return Ok(Self { kind, len, checksum: hasher.finish() });
            }
            hasher.write(buffer.get(..count).unwrap_or_default());
            len += count as u64;
        }
    }

    pub(crate) const fn len(&self) -> u64 {
        self.len
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, len, checksum } = self;
        write!(formatter, "{kind:?} of {len} bytes with checksum {checksum:016x}")
    }
}
