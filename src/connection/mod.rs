//! Connections: events in, frames out, and the closing handshake (RFC 6455, sections 5.5 and 7).

mod close_frame;
mod close_status;
mod closing;
#[expect(clippy::module_inception, reason = "the file of `Connection` is named for it")]
mod connection;
mod control;
mod control_buffer;
mod decoding;
mod encoding;
mod error;
mod event;
mod fragments;
mod framing;
mod lent;
mod long_frame;
mod outgoing;
mod pong_backlog;
mod prepared;
mod receiving;
#[cfg(feature = "std")]
mod running_timers;
mod segments;
mod sending;
#[cfg(feature = "std")]
mod sending_by_clock;
mod state;
#[cfg(feature = "std")]
mod timers;
mod whole_frame;

pub use close_frame::CloseFrame;
pub use close_status::{CloseSignal, CloseStatus, ClosedBy};
pub use connection::Connection;
pub use control::ControlPayload;
pub use error::{SendError, UsageError};
pub use event::Event;
pub use fragments::FragmentWriter;
#[cfg(feature = "blocking")]
pub(crate) use framing::Fragment;
pub use lent::Lent;
pub use outgoing::Outgoing;
pub use prepared::PreparedMessage;
pub use receiving::ReceivingHalf;
pub use sending::SendingHalf;
pub use state::{ConnectionState, Transport};
#[cfg(feature = "std")]
pub use timers::{Keepalive, TimeoutError, Timers};
