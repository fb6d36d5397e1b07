//! Connections over TCP on this machine.

use std::net::{SocketAddr, TcpListener};
use std::thread::{self, JoinHandle};

use sansocket::blocking::{AcceptError, Client, ClientStream, Error, Server, WebSocket};

/// Either end: a server gets the type of a client's stream, so that one test can cover both.
pub(crate) type Socket = WebSocket<ClientStream>;

/// A listener on a free port.
pub(crate) fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// A client for this address.
pub(crate) fn client(address: SocketAddr) -> Client {
    Client::new(&format!("ws://{address}/chat")).unwrap()
}

/// A thread that accepts one TCP connection and has `server` accept a WebSocket on it.
pub(crate) fn accepting<T: Send + 'static>(
    server: Server,
    body: impl FnOnce(Result<Socket, AcceptError>) -> T + Send + 'static,
) -> (SocketAddr, JoinHandle<T>) {
    let (listener, address) = listen();
    let thread = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        body(server.accept(ClientStream::from(stream)))
    });
    (address, thread)
}

/// A thread that runs one connection of a server.
pub(crate) fn serving<T: Send + 'static>(
    server: Server,
    body: impl FnOnce(Socket) -> T + Send + 'static,
) -> (SocketAddr, JoinHandle<T>) {
    accepting(server, |socket| body(socket.unwrap()))
}

/// Both ends of a connection, in this thread.
pub(crate) fn pair(server: Server, configure: impl FnOnce(Client) -> Client) -> (Socket, Socket) {
    let (address, server) = serving(server, |socket| socket);
    let client = configure(client(address)).connect().unwrap();
    (client, server.join().unwrap())
}

/// Both ends of a connection over both ends of a transport.
pub(crate) fn pair_on<S: sansocket::blocking::Socket + Send + 'static>(
    (one, other): (S, S),
    server: Server,
    client: &Client,
) -> (WebSocket<S>, WebSocket<S>) {
    let server = thread::spawn(move || server.accept(one).unwrap());
    let client = client.connect_on(other).unwrap();
    (client, server.join().unwrap())
}

/// The echo server of the documentation.
pub(crate) fn echo(mut socket: Socket) -> Result<Socket, Error> {
    while let Some(message) = socket.read()? {
        socket.write(message)?;
    }
    Ok(socket)
}
