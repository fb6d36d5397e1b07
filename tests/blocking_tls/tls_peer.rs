//! The other end of a TLS connection, in memory: rustls alone.

use std::io::{ErrorKind, Read, Write};
use std::sync::Arc;

use sansocket::rustls::pki_types::ServerName;
use sansocket::rustls::{ClientConnection, Connection, ServerConnection, SupportedProtocolVersion};

use crate::authority::{AUTHORITY, LOCALHOST};

/// A peer that sends back what it hears.
pub(crate) struct TlsPeer {
    pub(crate) connection: Connection,
    /// What it has heard.
    pub(crate) heard: Vec<u8>,
    /// What it has heard and not sent back yet: there was no room.
    due: Vec<u8>,
    /// Whether it was told that nothing more comes, and has said so too.
    pub(crate) is_done: bool,
    /// After how many bytes it updates its keys, once, and asks the other end for the same.
    pub(crate) update_keys_after: Option<usize>,
    /// How many records it has received, and the beginning of the next.
    pub(crate) records: usize,
    record: Vec<u8>,
}

impl TlsPeer {
    pub(crate) fn client(version: &'static SupportedProtocolVersion) -> Self {
        let name = ServerName::try_from("localhost").unwrap();
        let config = Arc::new(AUTHORITY.client_config(version));
        Self::new(ClientConnection::new(config, name).unwrap())
    }

    pub(crate) fn server(version: &'static SupportedProtocolVersion) -> Self {
        let config = Arc::new(LOCALHOST.server_config(version));
        Self::new(ServerConnection::new(config).unwrap())
    }

    fn new(connection: impl Into<Connection>) -> Self {
        Self {
            connection: connection.into(),
            heard: Vec::new(),
            due: Vec::new(),
            is_done: false,
            update_keys_after: None,
            records: 0,
            record: Vec::new(),
        }
    }

    /// The same peer, but it says this unasked.
    pub(crate) fn greeting(mut self, words: &[u8]) -> Self {
        self.due = words.to_vec();
        self
    }

    /// What it says, as much as there is room for.
    pub(crate) fn say(&mut self, mut room: &mut [u8]) -> usize {
        let mut said = 0;
        while self.connection.wants_write() && !room.is_empty() {
            let written = self.connection.write_tls(&mut room).unwrap();
            said += written;
            self.echo();
        }
        said
    }

    /// Hears these bytes.
    pub(crate) fn hear(&mut self, mut bytes: &[u8]) {
        self.count_records(bytes);
        while !bytes.is_empty() {
            self.connection.read_tls(&mut bytes).unwrap();
            self.connection.process_new_packets().unwrap();
            let mut plaintext = Vec::new();
            let ended = match self.connection.reader().read_to_end(&mut plaintext) {
                // By a `close_notify`.
                Ok(_) => true,
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                    false
                }
            };
            self.heard.extend_from_slice(&plaintext);
            self.due.extend_from_slice(&plaintext);
            if self.update_keys_after.is_some_and(|count| self.heard.len() >= count) {
                self.update_keys_after = None;
                self.connection.refresh_traffic_keys().unwrap();
            }
            self.echo();
            if ended && !self.is_done {
                assert!(self.due.is_empty(), "there is more to send back than one write takes");
                self.is_done = true;
                self.connection.send_close_notify();
            }
            if ended {
                return;
            }
        }
    }

    fn echo(&mut self) {
        if self.connection.is_handshaking() || self.is_done {
            return;
        }
        while !self.due.is_empty() {
            let written = self.connection.writer().write(&self.due).unwrap();
            if written == 0 {
                return;
            }
            self.due.drain(..written);
        }
    }

    /// RFC 8446, §5.1: counts the records that are whole.
    fn count_records(&mut self, bytes: &[u8]) {
        self.record.extend_from_slice(bytes);
        while let [_, _, _, high, low, ..] = self.record[..] {
            let end = 5 + usize::from(u16::from_be_bytes([high, low]));
            if self.record.len() < end {
                return;
            }
            self.record.drain(..end);
            self.records += 1;
        }
    }
}
