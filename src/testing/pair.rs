use std::panic::resume_unwind;
use std::thread;

use crate::blocking::{AcceptError, Client, ConnectError, Server, Socket, WebSocket};
use crate::testing::memory_socket::MemorySocket;

/// The outcome of an opening handshake, for the client and for the server.
pub type Opened<S> = (Result<WebSocket<S>, ConnectError>, Result<WebSocket<S>, AcceptError>);

/// Opens a connection in memory, and returns the client's and the server's end.
///
/// ```
/// use sansocket::Message;
///
/// let (mut client, mut server) = sansocket::testing::pair();
/// client.send("Hello")?;
/// assert_eq!(server.read()?, Some(Message::from("Hello")));
/// # Ok::<(), sansocket::blocking::Error>(())
/// ```
///
/// # Panics
///
/// If no thread can be started for the handshake.
pub fn pair() -> (WebSocket<MemorySocket>, WebSocket<MemorySocket>) {
    match Client::new("ws://memory/").map(|client| pair_with(&client, &Server::new())) {
        Ok((Ok(client), Ok(server))) => (client, server),
        failed => unreachable!("the defaults agree with each other: {failed:?}"),
    }
}

/// Connects this client to this server over a connection in memory, and returns both outcomes.
///
/// The server, and so its [`on_request`](Server::on_request), runs on the caller's thread.
///
/// ```
/// use sansocket::blocking::{Client, ConnectError, Server};
/// use sansocket::testing::pair_with;
///
/// let server = Server::new().subprotocols(["chat.v2"]);
/// let client = Client::new("ws://memory/")?.subprotocol("chat.v1")?.subprotocol("chat.v2")?;
/// let (client, server) = pair_with(&client, &server);
/// assert_eq!(client?.subprotocol(), Some("chat.v2"));
/// assert_eq!(server?.subprotocol(), Some("chat.v2"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Panics
///
/// If no thread can be started for the handshake, or if [`on_request`](Server::on_request) panics.
pub fn pair_with(client: &Client, server: &Server) -> Opened<MemorySocket> {
    pair_over(MemorySocket::pair(), client, server)
}

/// Does the same over two connected sockets, the client's and the server's.
///
/// ```
/// use sansocket::Message;
/// use sansocket::blocking::{Client, Server};
/// use sansocket::testing::{MemorySocket, pair_over};
///
/// let one_by_one = MemorySocket::pair_with_capacity(1);
/// let (client, server) = pair_over(one_by_one, &Client::new("ws://memory/")?, &Server::new());
/// let (mut client, mut server) = (client?, server?);
/// let sending = std::thread::spawn(move || client.send("Hello"));
/// assert_eq!(server.read()?, Some(Message::from("Hello")));
/// sending.join().unwrap()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Panics
///
/// As [`pair_with`].
pub fn pair_over<S: Socket + Send>(
    (near, far): (S, S),
    client: &Client,
    server: &Server,
) -> Opened<S> {
    thread::scope(|scope| {
        let connecting = scope.spawn(|| client.connect_on(near));
        let accepted = server.accept(far);
        (connecting.join().unwrap_or_else(|panic| resume_unwind(panic)), accepted)
    })
}
