//! Clients and servers that block, over [`std::net`] or any `Read + Write`.
//!
//! All decisions are made by the sans-IO core; here is one loop around it: hand out the next event, write
//! what is outgoing, read. Everything that is queued is written before a read blocks, so that the replies to
//! all that arrived in one read leave in one write.
//!
//! ```
//! use std::net::TcpListener;
//! use sansocket::blocking::{Error, accept, connect};
//! use sansocket::{CloseCode, Message};
//!
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! let url = format!("ws://{}/", listener.local_addr()?);
//!
//! let server = std::thread::spawn(move || -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//!     let (stream, _) = listener.accept()?;
//!     let mut socket = accept(stream)?;
//!     while let Some(message) = socket.read()? {
//!         socket.write(message)?;
//!     }
//!     Ok(())
//! });
//!
//! let mut socket = connect(&url)?;
//! socket.send("Hello")?;
//! assert_eq!(socket.read()?, Some(Message::from("Hello")));
//! socket.close(CloseCode::NORMAL, "")?;
//! server.join().unwrap().unwrap();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | to | use |
//! |---|---|
//! | connect, with options, through a proxy, to a Unix socket | [`Client`] |
//! | accept, with options | [`Server`]; for a whole server with a graceful shutdown, [`AcceptLoop`] |
//! | read and write in turn | [`WebSocket`] |
//! | read in one thread and write in others | [`WebSocket::split`]: a [`Reader`], [`Writer`]s |
//! | send or receive a message piece by piece | [`WebSocket::message`], [`WebSocket::next_message`] |
//! | carry another protocol's bytes | [`ByteStream`] |
//! | detect that a peer is gone | [`Timeouts::keepalive`] |
//! | speak over TLS | `TlsConnector` and `TlsAcceptor`, with the feature `rustls` |
//!
//! Use [`write`](WebSocket::write) in loops that read and reply: `read` flushes.
//! [`send`](WebSocket::send) is for a message after which nothing is read.
#![expect(clippy::disallowed_types, reason = "the adapters are where I/O and the clock are")]

mod accept_loop;
mod bound;
mod budget;
mod buffered;
mod byte_reader;
mod byte_stream;
mod byte_writer;
mod client;
mod client_stream;
mod client_tls;
mod connect;
mod deadline;
mod driver;
mod error;
mod incoming;
mod joining;
mod listener;
mod lock;
mod message_reader;
mod message_writer;
mod messages;
mod opening;
mod outbound;
mod outbox;
mod outlet;
mod pending;
mod read_buffer;
mod reader;
mod received;
mod route;
mod server;
mod shared;
mod shutdown;
mod sink;
mod socket;
mod stream;
mod timeouts;
#[cfg(feature = "rustls")]
mod tls;
mod unsplit;
mod websocket;
mod writer;

pub use accept_loop::AcceptLoop;
pub use byte_reader::ByteReader;
pub use byte_stream::ByteStream;
pub use byte_writer::ByteWriter;
pub use client::Client;
pub use client_stream::ClientStream;
pub use connect::connect;
pub use error::{AcceptError, ConnectError, Error};
pub use listener::Listener;
pub use message_reader::MessageReader;
pub use message_writer::MessageWriter;
pub use messages::Messages;
pub use outbox::Outbox;
pub use pending::Pending;
pub use reader::{Reader, ReuniteError};
pub use received::ByteStreamError;
pub use route::TcpOptions;
pub use server::{Server, accept};
pub use shutdown::ShutdownHandle;
pub use socket::{CloneSocket, Socket};
pub use timeouts::Timeouts;
#[cfg(feature = "rustls")]
pub use tls::{TlsAcceptor, TlsConfigError, TlsConnector, TlsError, TlsStream};
pub use websocket::WebSocket;
pub use writer::Writer;
