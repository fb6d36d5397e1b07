//! RFC 6455 WebSocket.
#![cfg_attr(not(feature = "std"), no_std)]
extern crate alloc;

mod close_code;
mod config;
mod connection;
mod entropy;
mod error;
mod role;
#[cfg(feature = "handshake")]
pub mod handshake;

pub use close_code::CloseCode;
pub use config::{Config, Delivery};
pub use connection::Connection;
pub use entropy::Entropy;
pub use error::ProtocolError;
pub use role::Role;
