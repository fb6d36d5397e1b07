//! RFC 6455 WebSocket.
#![cfg_attr(not(feature = "std"), no_std)]
extern crate alloc;

#[cfg(feature = "blocking")]
pub mod blocking;
mod close_code;
mod config;
mod connection;
mod entropy;
mod error;
pub mod frame;
#[cfg(feature = "handshake")]
pub mod handshake;
mod message;
mod role;

pub use close_code::CloseCode;
pub use config::{Config, Delivery};
pub use connection::{
    CloseFrame, CloseSignal, CloseStatus, ClosedBy, Connection, ConnectionState, ControlPayload,
    Event, FragmentWriter, Outgoing, PreparedMessage, SendError, Transport, UsageError,
};
pub use entropy::Entropy;
pub use error::ProtocolError;
pub use message::{Chunk, Message, MessageKind, Payload, Text};
pub use role::Role;
