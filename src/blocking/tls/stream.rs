use std::fmt;
use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::Connection;
use rustls::pki_types::CertificateDer;

use crate::blocking::deadline::{Calls, Deadline};
use crate::blocking::lock::{lock, try_lock};
use crate::blocking::socket::{CloneSocket, Socket};
use crate::blocking::tls::ciphertext::{Incoming, Outgoing};
use crate::blocking::tls::error::TlsError;
use crate::blocking::tls::session::Session;

/// The longest that the end of writing may wait for the peer to take the `close_notify`.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The same for an end that shouldn't wait for the peer.
const AT_ONCE: Duration = Duration::from_millis(1);

/// A TLS connection over a socket, of a client or a server.
///
/// [`TlsConnector`](super::TlsConnector) and [`TlsAcceptor`](super::TlsAcceptor) make one, without
/// any I/O: the handshake takes place with the first read or write, or with
/// [`handshake`](Self::handshake).
///
/// - **Written bytes are on their way after a flush**, as with a [`BufWriter`](std::io::BufWriter): a write
///   of up to 64 KiB is only encrypted, and slices that are written together share a record.
/// - **Timeouts are those of this stream**, not of the socket below: a read or write is bounded as a whole,
///   however slowly the bytes of a record trickle in. A call that timed out or was interrupted has lost
///   nothing, and can be repeated.
/// - **Handles** that [`try_clone`](CloneSocket::try_clone) makes are for two threads: one that reads and one
///   that writes. A reader that waits doesn't keep the writer from writing, and a writer that waits for the
///   peer doesn't keep the reader from reading. What the protocol has to send because of something that was
///   read, such as a `KeyUpdate`, goes out with the next write (RFC 8446, section 4.6.3).
/// - **The end**: a peer's `close_notify` is the end of the stream, 0 bytes. The end of the transport without
///   one is [`UnexpectedEof`](io::ErrorKind::UnexpectedEof). A WebSocket's closing handshake tells whether
///   everything has arrived, so for a WebSocket both are the same. [`shutdown`](Socket::shutdown) for writing
///   sends a `close_notify`; dropping the stream doesn't.
pub struct TlsStream<S = TcpStream> {
    socket: S,
    shared: Arc<Shared>,
}

/// What all handles of a connection share. Locks are taken in this order.
struct Shared {
    /// Held while a handle performs the handshake: the others wait for that.
    handshake: Mutex<Handshake>,
    /// Held while a handle waits to read.
    incoming: Mutex<Incoming>,
    /// Held while a handle waits to write.
    outgoing: Mutex<Outgoing>,
    /// Never held during I/O.
    session: Mutex<Session>,
    timeouts: Mutex<Timeouts>,
}

#[derive(PartialEq, Eq)]
enum Handshake {
    Underway,
    /// It is over, and everything that belongs to it was sent.
    Complete,
}

#[derive(Default, Clone, Copy)]
struct Timeouts {
    read: Option<Duration>,
    write: Option<Duration>,
}

impl<S: Socket> TlsStream<S> {
    pub(super) fn new(socket: S, connection: Connection) -> io::Result<Self> {
        socket.set_blocking()?;
        // From now on the socket's timeouts follow those of this stream.
        socket.set_read_timeout(None)?;
        socket.set_write_timeout(None)?;
        let shared = Shared {
            handshake: Mutex::new(Handshake::Underway),
            incoming: Mutex::default(),
            outgoing: Mutex::default(),
            session: Mutex::new(Session::new(connection)),
            timeouts: Mutex::default(),
        };
        Ok(Self { socket, shared: Arc::new(shared) })
    }

    /// Performs the handshake now, within the read timeout, unless that has been done already.
    ///
    /// # Errors
    ///
    /// Those of the socket, and what is wrong with the peer; see [`TlsError::from_io`].
    pub fn handshake(&mut self) -> io::Result<()> {
        let mut calls = self.shared.read_calls();
        self.handshake_within(&mut calls)
    }

    fn handshake_within(&mut self, calls: &mut Calls) -> io::Result<()> {
        let shared = &*self.shared;
        let mut handshake = lock(&shared.handshake);
        if *handshake == Handshake::Complete {
            return Ok(());
        }
        let mut incoming = lock(&shared.incoming);
        let mut outgoing = lock(&shared.outgoing);
        loop {
            let received = {
                let mut session = lock(&shared.session);
                let received = session.receive(&mut incoming);
                session.transmit(&mut outgoing);
                received
            };
            let sent = outgoing.send(&mut self.socket, calls).and_then(|()| self.socket.flush());
            // If this failed, what was sent is an alert.
            received?;
            sent?;
            {
                let session = lock(&shared.session);
                if !session.is_handshaking() {
                    *handshake = Handshake::Complete;
                    return Ok(());
                }
                if !session.wants_read() {
                    return Err(TlsError::Truncated.into());
                }
            }
            if incoming.is_empty() && incoming.fill(&mut self.socket, 0, calls)? == 0 {
                return Err(TlsError::Truncated.into());
            }
        }
    }

    /// Tells the peer what it did wrong, if that can be done at once.
    fn send_alert(&mut self) {
        if let Some(mut outgoing) = try_lock(&self.shared.outgoing) {
            lock(&self.shared.session).transmit(&mut outgoing);
            let _ = outgoing.send(&mut self.socket, &mut Calls::before(Deadline::after(AT_ONCE)));
        }
    }
}

impl<S> TlsStream<S> {
    /// The socket. Reading from it, writing to it or setting its timeouts would break the
    /// connection.
    pub const fn socket(&self) -> &S {
        &self.socket
    }

    /// The protocol on which both ends agreed in the handshake, such as `http/1.1` (RFC 7301).
    pub fn alpn_protocol(&self) -> Option<Vec<u8>> {
        self.inspect(|connection| connection.alpn_protocol().map(<[u8]>::to_vec))
    }

    /// The certificates that the peer presented in the handshake, its own first.
    pub fn peer_certificates(&self) -> Option<Vec<CertificateDer<'static>>> {
        self.inspect(|connection| connection.peer_certificates().map(<[_]>::to_vec))
    }

    /// Looks at what else there is to know: the version, the cipher suite, the name that a client asked for.
    /// Don't block inside `look`: other handles wait meanwhile.
    pub fn inspect<T>(&self, look: impl FnOnce(&Connection) -> T) -> T {
        look(lock(&self.shared.session).connection())
    }
}

impl<S: Socket> Read for TlsStream<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut calls = self.shared.read_calls();
        self.handshake_within(&mut calls)?;
        let shared = Arc::clone(&self.shared);
        let mut incoming = lock(&shared.incoming);
        loop {
            let read = lock(&shared.session).read(&mut incoming, buffer);
            match read {
                Ok(Some(count)) => return Ok(count),
                Ok(None) => {}
                Err(error) => {
                    self.send_alert();
                    return Err(error);
                }
            }
            match incoming.fill(&mut self.socket, buffer.len(), &mut calls) {
                Ok(0) => lock(&shared.session).receive_eof(),
                Ok(_) => {}
                Err(error) => {
                    incoming.release();
                    return Err(error);
                }
            }
        }
    }
}

impl<S: Socket> Write for TlsStream<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut calls = self.shared.write_calls();
        self.handshake_within(&mut calls)?;
        let mut outgoing = lock(&self.shared.outgoing);
        // Nothing is encrypted before there is room, because it could not be taken back.
        outgoing.send(&mut self.socket, &mut calls)?;
        let mut session = lock(&self.shared.session);
        let count = session.encrypt(slices)?;
        session.transmit(&mut outgoing);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut calls = self.shared.write_calls();
        self.handshake_within(&mut calls)?;
        let mut outgoing = lock(&self.shared.outgoing);
        lock(&self.shared.session).transmit(&mut outgoing);
        outgoing.send(&mut self.socket, &mut calls)?;
        self.socket.flush()
    }
}

impl<S: CloneSocket> Socket for TlsStream<S> {
    fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        lock(&self.shared.timeouts).read = not_zero(timeout)?;
        Ok(())
    }

    fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        lock(&self.shared.timeouts).write = not_zero(timeout)?;
        Ok(())
    }

    /// Sends what was written and a `close_notify` before it ends the direction for writing. It waits for that
    /// up to the write timeout, but no longer than a second; for a moment if both directions are ended; and never
    /// for a write that is waiting: this ends that write.
    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        match how {
            Shutdown::Read => {}
            Shutdown::Write => {
                let write_timeout = lock(&self.shared.timeouts).write;
                self.send_close_notify(LAST_WORDS.min(write_timeout.unwrap_or(LAST_WORDS)));
            }
            Shutdown::Both => self.send_close_notify(AT_ONCE),
        }
        self.socket.shutdown(how)
    }

    fn set_nodelay(&self) -> io::Result<()> {
        self.socket.set_nodelay()
    }
}

impl<S: CloneSocket> TlsStream<S> {
    fn send_close_notify(&self, patience: Duration) {
        let (Some(mut outgoing), Ok(mut socket)) =
            (try_lock(&self.shared.outgoing), self.socket.try_clone())
        else {
            return;
        };
        {
            let mut session = lock(&self.shared.session);
            session.close();
            session.transmit(&mut outgoing);
        }
        let mut calls = Calls::before(Deadline::after(patience));
        let _ = outgoing.send(&mut socket, &mut calls).and_then(|()| socket.flush());
    }
}

impl<S: CloneSocket> CloneSocket for TlsStream<S> {
    fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { socket: self.socket.try_clone()?, shared: Arc::clone(&self.shared) })
    }
}

impl<S: fmt::Debug> fmt::Debug for TlsStream<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("TlsStream").field(&self.socket).finish()
    }
}

impl Shared {
    fn read_calls(&self) -> Calls {
        Calls::before(Deadline::within(lock(&self.timeouts).read))
    }

    fn write_calls(&self) -> Calls {
        Calls::before(Deadline::within(lock(&self.timeouts).write))
    }
}

fn not_zero(timeout: Option<Duration>) -> io::Result<Option<Duration>> {
    match timeout {
        Some(Duration::ZERO) => Err(io::ErrorKind::InvalidInput.into()),
        timeout => Ok(timeout),
    }
}
