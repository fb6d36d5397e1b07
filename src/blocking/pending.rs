use std::fmt;
use std::net::Shutdown;
use std::sync::{Arc, Weak};

use http::Request;

use crate::blocking::error::AcceptError;
use crate::blocking::listener::Listener;
use crate::blocking::reader::Reader;
use crate::blocking::server::Server;
use crate::blocking::shared::Shared;
use crate::blocking::shutdown::{Ending, Slot};
use crate::blocking::socket::{CloneSocket, Socket};
use crate::blocking::writer::Writer;
use crate::connection::CloseFrame;
use crate::handshake::{Decision, RequestError, UpgradeRequest};

/// A connection that a client has opened, before its opening handshake; passed to the handler of an
/// [`AcceptLoop`](super::AcceptLoop).
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

    /// The client's address.
    pub const fn peer(&self) -> &L::Address {
        &self.peer
    }

    /// The socket, as it was accepted.
    pub const fn socket(&self) -> &L::Socket {
        &self.socket
    }

    /// Decides about this request, for a handler that has to know what was requested.
    ///
    /// It is asked once the loop's [`Server::on_request`], if there is one, has accepted the request. If it accepts
    /// it too, the headers of both are sent, and a subprotocol or a compression that it names counts more.
    ///
    /// ```
    /// use std::net::TcpListener;
    /// use std::sync::{Arc, OnceLock};
    /// use sansocket::blocking::{AcceptError, Pending};
    /// use sansocket::handshake::Decision;
    ///
    /// fn chat(pending: Pending<TcpListener>) -> Result<(), AcceptError> {
    ///     let room = Arc::new(OnceLock::new());
    ///     let asked_for = Arc::clone(&room);
    ///     let pending = pending.on_request(move |request, _| {
    ///         let _ = asked_for.set(request.uri().path().to_owned());
    ///         Decision::accept()
    ///     });
    ///     let (reader, writer) = pending.accept()?;
    ///     println!("somebody enters {:?}", room.get());
    ///     Ok(())
    /// }
    /// ```
    #[must_use]
    pub fn on_request(
        mut self,
        decide: impl Fn(&Request<()>, Result<&UpgradeRequest<'_>, &RequestError>) -> Decision
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.server = self.server.then_on_request(decide);
        self
    }

    /// Accepts a WebSocket on this connection, as the loop's [`Server`] says, and splits it, so that a
    /// shutdown can close it from outside. A WebSocket whose ends are [reunited](Reader::reunite) is left to
    /// its thread.
    ///
    /// # Errors
    ///
    /// [`AcceptError`] says why it failed. The client has been answered, unless it was too slow or is gone.
    pub fn accept(self) -> Result<Ends<L::Socket>, AcceptError> {
        self.accept_over(Ok)
    }

    /// Accepts a WebSocket on what `wrap` makes of the socket: a TLS stream, say.
    ///
    /// # Errors
    ///
    /// Those of `wrap` and of [`accept`](Self::accept).
    pub fn accept_over<S: CloneSocket + Send + 'static>(
        self,
        wrap: impl FnOnce(L::Socket) -> Result<S, AcceptError>,
    ) -> Result<Ends<S>, AcceptError> {
        let Self { socket, server, goodbye, slot, .. } = self;
        // Until there is a WebSocket, all that can be done from outside is to end the connection.
        let opening = Arc::new(Opening(socket.try_clone().map_err(AcceptError::Io)?));
        if !slot.set_ending(opening.clone()) {
            opening.close(&goodbye);
        }
        let opened = wrap(socket)
            .and_then(|stream| server.accept(stream))
            .and_then(|socket| socket.split().map_err(AcceptError::Io));
        // Another handle would keep a connection open that is over.
        let (reader, writer) = opened.inspect_err(|_| slot.forget_ending())?;
        let shared: Arc<dyn Ending> = Arc::new(Arc::downgrade(&writer.shared));
        if !slot.set_ending(Arc::clone(&shared)) {
            // This one opened when the others had already been closed.
            shared.close(&goodbye);
            shared.try_flush();
        }
        writer.shared.keep(slot);
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
        // A request that has arrived is still answered, and the WebSocket closed as soon as it is open. A
        // request that hasn't is not waited for.
        let _ = self.0.shutdown(Shutdown::Read);
    }

    fn try_flush(&self) {}

    fn abort(&self) {
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

impl<S: Socket + Send> Ending for Weak<Shared<S>> {
    fn close(&self, frame: &CloseFrame<'_>) {
        if let Some(shared) = self.upgrade() {
            shared.queue_close(frame.clone());
        }
    }

    fn try_flush(&self) {
        if let Some(shared) = self.upgrade() {
            let _ = shared.try_flush();
        }
    }

    fn abort(&self) {
        if let Some(shared) = self.upgrade() {
            shared.abort();
        }
    }
}
