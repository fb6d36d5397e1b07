use std::io::{self, IoSlice, Read, Write};

use rustls::Connection;

use crate::blocking::tls::ciphertext::{Incoming, Outgoing};
use crate::blocking::tls::error::TlsError;

/// The state that rustls keeps of a connection. It does no I/O, so no lock around it is held for long.
pub(super) struct Session(Connection);

impl Session {
    pub(super) fn new(mut connection: Connection) -> Self {
        connection.set_buffer_limit(Some(BUFFER));
        Self(connection)
    }

    pub(super) const fn connection(&self) -> &Connection {
        &self.0
    }

    /// Whether the handshake is still going on.
    pub(super) fn is_handshaking(&self) -> bool {
        self.0.is_handshaking()
    }

    /// Whether anything that arrives could make a difference.
    pub(super) fn wants_read(&self) -> bool {
        self.0.wants_read()
    }

    /// Takes in what has arrived, until there is something to be read.
    pub(super) fn receive(&mut self, incoming: &mut Incoming) -> Result<(), TlsError> {
        // Reports again what has ended the connection.
        self.process()?;
        while self.0.wants_read() && !incoming.is_empty() {
            let taken = self
                .0
                .read_tls(&mut incoming.unread())
                .map_err(|error| TlsError::Protocol(error.to_string()))?;
            incoming.consume(taken);
            self.process()?;
        }
        Ok(())
    }

    fn process(&mut self) -> Result<(), TlsError> {
        match self.0.process_new_packets() {
            Ok(_) => Ok(()),
            Err(error) => Err(TlsError::from_rustls(error, &self.0)),
        }
    }

    /// Tells rustls that the socket has no more.
    pub(super) fn receive_eof(&mut self) {
        // An empty read does that, and can't fail.
        let _ = self.0.read_tls(&mut io::empty());
    }

    /// Decrypts what has arrived; returns `None` if that is too little.
    pub(super) fn read(
        &mut self,
        incoming: &mut Incoming,
        buffer: &mut [u8],
    ) -> io::Result<Option<usize>> {
        let received = self.receive(incoming);
        match self.0.reader().read(buffer) {
            // What was complete before something went wrong comes first.
            Ok(count) => Ok(Some(count)),
            Err(error) => {
                received?;
                match error.kind() {
                    io::ErrorKind::WouldBlock => Ok(None),
                    kind => Err(io::Error::new(kind, "the end came without a close_notify")),
                }
            }
        }
    }

    /// Encrypts as much as fits into the buffer, small slices together in one record.
    pub(super) fn encrypt(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.writer().write_vectored(slices)
    }

    /// Announces that nothing more will be written.
    pub(super) fn close(&mut self) {
        self.0.send_close_notify();
    }

    /// Hands over the records that are to be sent.
    pub(super) fn transmit(&mut self, outgoing: &mut Outgoing) {
        while self.0.wants_write() {
            // Writing to memory doesn't fail.
            let _ = self.0.write_tls(outgoing.end());
        }
    }
}

/// How many bytes one write takes.
const BUFFER: usize = 64 * 1024;
