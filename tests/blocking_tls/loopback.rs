//! Connections over TLS over TCP on this machine.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

use sansocket::blocking::{
    AcceptError, Client, ClientStream, Error, Server, Socket, TlsStream, WebSocket,
};

use crate::authority::{AUTHORITY, Identity, LOCALHOST};

pub(crate) type ServerSocket = WebSocket<TlsStream>;
pub(crate) type ClientSocket = WebSocket<ClientStream>;

/// A listener on a free port.
pub(crate) fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// A client for this address that trusts the authority of the tests.
pub(crate) fn client(address: SocketAddr) -> Client {
    Client::new(&format!("wss://{address}/chat")).unwrap().tls(AUTHORITY.connector())
}

/// A thread that accepts one TCP connection and has `server` accept a WebSocket over TLS on it.
pub(crate) fn accepting<T: Send + 'static>(
    server: Server,
    identity: &Identity,
    body: impl FnOnce(Result<ServerSocket, AcceptError>) -> T + Send + 'static,
) -> (SocketAddr, JoinHandle<T>) {
    let (listener, address) = listen();
    let tls = identity.acceptor();
    let thread = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        body(server.accept(tls.stream(stream).unwrap()))
    });
    (address, thread)
}

/// A thread that runs one connection of a server.
pub(crate) fn serving<T: Send + 'static>(
    server: Server,
    body: impl FnOnce(ServerSocket) -> T + Send + 'static,
) -> (SocketAddr, JoinHandle<T>) {
    accepting(server, &LOCALHOST, |socket| body(socket.unwrap()))
}

/// Both ends of a WebSocket, in this thread.
pub(crate) fn pair(
    server: Server,
    configure: impl FnOnce(Client) -> Client,
) -> (ClientSocket, ServerSocket) {
    let (address, server) = serving(server, |socket| socket);
    let client = configure(client(address)).connect().unwrap();
    (client, server.join().unwrap())
}

/// Both ends of a TLS connection, in this thread, with the handshake done.
pub(crate) fn streams() -> (TlsStream, TlsStream) {
    let (listener, address) = listen();
    let accepting = thread::spawn(move || {
        let mut stream = LOCALHOST.acceptor().stream(listener.accept().unwrap().0).unwrap();
        stream.handshake().unwrap();
        stream
    });
    let tcp = TcpStream::connect(address).unwrap();
    let mut client = AUTHORITY.connector().stream("localhost", tcp).unwrap();
    client.handshake().unwrap();
    let server = accepting.join().unwrap();
    client.set_nodelay().unwrap();
    server.set_nodelay().unwrap();
    (client, server)
}

/// The echo server of the documentation.
pub(crate) fn echo(mut socket: ServerSocket) -> Result<ServerSocket, Error> {
    while let Some(message) = socket.read()? {
        socket.write(message)?;
    }
    Ok(socket)
}
