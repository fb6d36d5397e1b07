use std::fmt;
use std::net::Shutdown;
use std::sync::{Arc, Weak};

use crate::blocking::error::AcceptError;
use crate::blocking::listener::Listener;
use crate::blocking::reader::Reader;
use crate::blocking::server::Server;
use crate::blocking::shared::Shared;
use crate::blocking::shutdown::{Ending, Slot};
use crate::blocking::socket::{CloneSocket, Socket};
use crate::blocking::writer::Writer;
use crate::connection::CloseFrame;

/// A connection that a client has opened, before its opening handshake; what the handler of an
/// [`AcceptLoop`](super::AcceptLoop) gets.
///
/// Dropping it closes the connection.
pub struct Pending<L: Listener> {
    socket: L::Socket,
    peer: L::Address,
    server: Server,
    goodbye: CloseFrame<'static>,
    slot: Arc<Slot>,
}

impl<L: Listener> Pending<L> {
    pub(super) fn new(
        (socket, peer): (L::Socket, L::Address),
        server: Server,
        goodbye: CloseFrame<'static>,
        slot: Arc<Slot>,
    ) -> Self {
        Self { socket, peer, server, goodbye, slot }
    }

    /// Where the client is.
    pub const fn peer(&self) -> &L::Address {
        &self.peer
    }

    /// The socket, as it was accepted.
    pub const fn socket(&self) -> &L::Socket {
        &self.socket
    }

    /// Accepts a WebSocket on it, as the loop's [`Server`] says, and splits it, so that a shutdown can close
    /// it from outside. One whose ends are [reunited](Reader::reunite) is left to its thread.
    ///
    /// # Errors
    ///
    /// [`AcceptError`] says why there is none. The client has been answered, unless it was too slow or is gone.
    pub fn accept(self) -> Result<Ends<L::Socket>, AcceptError> {
        self.accept_over(Ok)
    }

    /// Accepts a WebSocket on what `wrap` makes of the socket: a TLS stream, say.
    ///
    /// # Errors
    ///
    /// Those of `wrap`, and as [`accept`](Self::accept).
    pub fn accept_over<S: CloneSocket + Send + 'static>(
        self,
        wrap: impl FnOnce(L::Socket) -> Result<S, AcceptError>,
    ) -> Result<Ends<S>, AcceptError> {
        let Self { socket, server, goodbye, slot, .. } = self;
        // Until there is a WebSocket all that can be done about it from outside is to end it.
        let opening = Arc::new(Opening(socket.try_clone().map_err(AcceptError::Io)?));
        if !slot.set_ending(opening.clone()) {
            opening.close(&goodbye);
        }
        let (reader, writer) = server.accept(wrap(socket)?)?.split().map_err(AcceptError::Io)?;
        let shared = Arc::downgrade(&writer.shared);
        if !slot.set_ending(Arc::new(shared)) {
            // It came while the others were closed already.
            writer.shared.begin_close(&goodbye);
        }
        Ok((reader, writer))
    }
}

/// The two ends of a connection of a loop.
type Ends<S> = (Reader<S>, Writer<S>);

impl<L: Listener> fmt::Debug for Pending<L>
where
    L::Address: fmt::Debug,
{
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Pending").field("peer", &self.peer).finish_non_exhaustive()
    }
}

/// A connection in its opening handshake.
struct Opening<S>(S);

impl<S: Socket + Send + Sync> Ending for Opening<S> {
    fn close(&self, _: &CloseFrame<'_>) {
        // A request that has arrived is still answered, and the WebSocket closed as soon as it is open.
        // One that hasn't is not waited for.
        let _ = self.0.shutdown(Shutdown::Read);
    }

    fn cut(&self) {
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

impl<S: Socket + Send> Ending for Weak<Shared<S>> {
    fn close(&self, frame: &CloseFrame<'_>) {
        if let Some(shared) = self.upgrade() {
            shared.begin_close(frame);
        }
    }

    fn cut(&self) {
        if let Some(shared) = self.upgrade() {
            shared.cut();
        }
    }
}
