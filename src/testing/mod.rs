//! Connections in memory, without ports, for testing a protocol that is spoken over a WebSocket.
//!
//! [`pair()`] opens a connection between two ends in this process, with the opening handshake of a
//! [`Client`](crate::blocking::Client) and a [`Server`](crate::blocking::Server); [`pair_with`] takes
//! your own, with all their options. Each end is a [`WebSocket`](crate::blocking::WebSocket), as in
//! production, so code that is generic over its stream can't tell the difference.
//!
//! ```
//! use sansocket::Message;
//! use sansocket::blocking::{Error, Socket, WebSocket};
//! use sansocket::testing::pair;
//!
//! /// The server to be tested: it greets the client, and then sends back what it gets.
//! fn greeter<S: Socket>(mut socket: WebSocket<S>) -> Result<(), Error> {
//!     socket.write("Who is there?")?;
//!     socket.serve(|message, outbox| outbox.send(message))
//! }
//!
//! let (mut client, server) = pair();
//! let serving = std::thread::spawn(|| greeter(server));
//! assert_eq!(client.read()?, Some(Message::from("Who is there?")));
//! client.send("It's me")?;
//! assert_eq!(client.read()?, Some(Message::from("It's me")));
//! client.close(sansocket::CloseCode::NORMAL, "")?;
//! serving.join().unwrap()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! One thread may drive both ends as long as neither has to wait for the other: what was sent, up to
//! 64 KiB in each direction, stays in the pipe until it is read.
//! [`close`](crate::blocking::WebSocket::close) waits for the other end, which then needs a thread
//! of its own.
//!
//! # What else can be tested
//!
//! | to test | use |
//! |---|---|
//! | options, subprotocols, refusals | [`pair_with`] |
//! | a peer that vanishes | dropping its end |
//! | a connection that is reset | [`MemorySocket::reset`], on [`WebSocket::stream`](crate::blocking::WebSocket::stream) |
//! | a peer that is silent, or takes nothing | [`Timeouts`](crate::blocking::Timeouts), and a peer that does nothing |
//! | bytes that arrive one by one, writes that are cut short | [`MemorySocket::pair_with_capacity`] and [`pair_over`] |
//! | the bytes on the wire, or a peer that breaks the protocol | [`fixed_entropy`], and [`WebSocket::into_stream`](crate::blocking::WebSocket::into_stream) at the other end |
#![expect(clippy::disallowed_types, reason = "a socket in memory is read and written as any other")]

mod entropy;
mod memory_socket;
mod pair;
mod pipe;

pub use entropy::fixed_entropy;
pub use memory_socket::MemorySocket;
pub use pair::{Opened, pair, pair_over, pair_with};
