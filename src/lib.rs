//! RFC 6455 WebSocket: a protocol core that never touches a socket, with thin blocking clients and
//! servers on top.
//!
//! # Which part to use
//!
//! | to | use |
//! |---|---|
//! | connect to a server, or be one, with a thread for each connection | [`blocking`] |
//! | carry another protocol's bytes through a WebSocket | [`blocking::ByteStream`] |
//! | drive connections from an event loop, an async runtime, or a test | [`Connection`] |
//! | open a WebSocket on a request that another HTTP library has parsed | [`handshake::negotiate`] |
//! | open one with I/O of your own | [`handshake::ClientHandshake`], [`handshake::ServerHandshake`] |
//! | test code built on it, without ports | `testing`, with the feature `testing` |
//! | compress messages | `extension::Deflate`, with the feature `deflate` |
//! | take frames apart, as a proxy or a dissector does | [`frame`] |
//!
//! # A client and a server
//!
//! ```
//! use sansocket::Message;
//! use sansocket::blocking::{accept, connect};
//!
//! let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
//! let url = format!("ws://{}/", listener.local_addr()?);
//!
//! let server = std::thread::spawn(move || {
//!     let (stream, _) = listener.accept().unwrap();
//!     accept(stream).unwrap().serve(|message, outbox| outbox.send(message))
//! });
//!
//! let mut socket = connect(&url)?;
//! socket.send("Hello")?;
//! assert_eq!(socket.read()?, Some(Message::from("Hello")));
//! socket.close(sansocket::CloseCode::NORMAL, "")?;
//! server.join().unwrap()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The core
//!
//! [`Connection`] takes the bytes that were read, hands out [`Event`]s that borrow from them, and
//! holds the bytes to be written as [`Outgoing`], a [`bytes::Buf`]. It does no I/O, reads no clock
//! and starts nothing; the caller owns the socket and the input buffer. It answers Pings and Close
//! frames, fails the connection of a peer that breaks the protocol, and sees to the order in which
//! the two ends close TCP.
//!
//! Errors are divided by who caused them: a [`ProtocolError`] is the peer's doing and maps to a close
//! code and a section of the RFC; a [`SendError`] or [`UsageError`] is the application's. What must
//! not be on the wire can't be constructed: a [`CloseCode`] is always one that may be sent, a
//! [`ControlPayload`] has at most 125 bytes, a [`Text`] is UTF-8, and a [`Message`] is never a
//! control frame.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `blocking` | yes | clients and servers over `std::net`; needs `handshake` |
//! | `handshake` | yes | the HTTP upgrade for both sides, still without I/O; needs `std` |
//! | `deflate` | no | compressed messages, permessage-deflate; needs `std` |
//! | `rustls` | no | `wss` for clients and servers, with rustls; needs `blocking` |
//! | `rustls-webpki-roots` | no | Mozilla's root certificates, where the platform has none; needs `rustls` |
//! | `testing` | no | connections in memory, for testing code built on it; needs `blocking` |
//! | `std` | yes | [`Connection::new`] with the thread's CSPRNG, vectored [`Outgoing`], SIMD chosen at run time |
//!
//! Without features the crate is `no_std` and needs `alloc`.
//!
//! [`bytes`] and [`http`] are part of the public API and re-exported; so is `rustls`, with its feature.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "blocking")]
pub mod blocking;
mod close_code;
mod config;
mod connection;
mod copying;
mod entropy;
mod error;
#[cfg(any(feature = "handshake", feature = "deflate"))]
pub mod extension;
pub mod frame;
#[cfg(feature = "handshake")]
pub mod handshake;
mod message;
mod role;
#[cfg(feature = "testing")]
pub mod testing;

pub use bytes;
pub use close_code::CloseCode;
pub use config::{Config, Delivery};
pub use connection::{
    CloseFrame, CloseSignal, CloseStatus, ClosedBy, Connection, ConnectionState, ControlPayload,
    Event, FragmentWriter, Lent, Outgoing, PreparedMessage, ReceivingHalf, SendError, SendingHalf,
    Transport, UsageError,
};
#[cfg(feature = "std")]
pub use connection::{Keepalive, TimeoutError, Timers};
pub use entropy::Entropy;
pub use error::ProtocolError;
#[cfg(feature = "handshake")]
pub use http;
pub use message::{Chunk, Message, MessageKind, Payload, Text};
pub use role::Role;
#[cfg(feature = "rustls")]
pub use rustls;

/// Runs the examples of the README.
#[cfg(all(doctest, feature = "blocking"))]
#[doc = include_str!("../README.md")]
mod readme {}
