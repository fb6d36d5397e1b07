//! The whole closing handshake (RFC 6455, section 7).
//!
//! ```text
//!            send_close              receive_close
//!     Open ─────────────▶ CloseSent ───────────────▶ Done(Complete)
//!      │ │                    │                            ▲
//!      │ └────────────────────│──── receive_close ─────────┘   answered at once
//!      │                      │
//!      └───────────────────── ┴──── fail ───────────▶ Done(Failed)
//!
//!     Open, CloseSent ──── receive_write_error ───▶ Unwritable ─── receive_close, fail ──▶ Done
//!
//!     any state ──── receive_eof ───▶ Ended(what there was, or Lost)
//! ```
//!
//! What follows from the state:
//!
//! | state | messages out | pongs out | input | transport, once all is written |
//! |---|---|---|---|---|
//! | Open | yes | yes | processed | keep open |
//! | CloseSent | no, §5.5.1 | yes, §5.5.2 | processed | keep open |
//! | Unwritable | no | no | processed | keep open |
//! | Done | no | no, §5.5.2 | discarded, §7.1.7 | server: close; client: await the server, §7.1.1 |
//! | Ended | no | no | discarded | close |

use alloc::boxed::Box;

use crate::close_code::CloseCode;
use crate::connection::close_frame::CloseFrame;
use crate::connection::close_status::{CloseSignal, CloseStatus, ClosedBy};
use crate::connection::state::{ConnectionState, Transport};
use crate::message::Text;
use crate::role::Role;

#[derive(Debug)]
pub(crate) enum ClosingHandshake {
    /// Neither end has sent a Close frame.
    Open,
    /// This end has sent its Close frame and waits for the peer's.
    CloseSent(CloseSignal),
    /// The transport takes no more bytes, after this Close frame or before any. What the peer said
    /// before that, often why it closed, is still read.
    Unwritable(CloseSignal),
    /// There is nothing more to say; the transport is still there.
    Done(Box<Outcome>),
    /// The transport has ended.
    Ended(Box<Outcome>),
}

/// How the connection ended.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    /// Both ends have sent their Close frames.
    Complete { begun_by: ClosedBy, local: CloseSignal, received: Option<CloseFrame<'static>> },
    /// This end has failed the connection.
    Failed { local: CloseSignal },
    /// The transport ended before the peer's Close frame.
    Lost { local: CloseSignal },
}

/// Whether a Close frame is to be sent now.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    SendClose,
    Nothing,
}

impl ClosingHandshake {
    /// The application closes the connection.
    pub(crate) fn send_close(&mut self, frame: Option<&CloseFrame<'_>>) -> Answer {
        match self {
            Self::Open => {
                *self = Self::CloseSent(CloseSignal::of(frame));
                Answer::SendClose
            }
            // §5.5.1: one Close frame is all that an endpoint sends.
            Self::CloseSent(_) | Self::Unwritable(_) | Self::Done(_) | Self::Ended(_) => {
                Answer::Nothing
            }
        }
    }

    /// The peer's Close frame has arrived.
    pub(crate) fn receive_close(&mut self, frame: Option<&CloseFrame<'_>>) -> Answer {
        let (begun_by, local, answer) = match self {
            // §5.5.1: a Close frame is answered with its own code.
            Self::Open => (ClosedBy::Remote, CloseSignal::of(frame), Answer::SendClose),
            Self::Unwritable(CloseSignal::Missing) => {
                (ClosedBy::Remote, CloseSignal::Missing, Answer::Nothing)
            }
            Self::CloseSent(local) | Self::Unwritable(local) => {
                (ClosedBy::Local, *local, Answer::Nothing)
            }
            Self::Done(_) | Self::Ended(_) => return Answer::Nothing,
        };
        let received = frame.map(|frame| frame.clone().into_owned());
        *self = Self::Done(Box::new(Outcome::Complete { begun_by, local, received }));
        answer
    }

    /// _Fail the WebSocket Connection_ (§7.1.7).
    pub(crate) fn fail(&mut self, code: CloseCode) -> Answer {
        let (local, answer) = match self {
            Self::Open => (CloseSignal::Code(code), Answer::SendClose),
            Self::CloseSent(local) | Self::Unwritable(local) => (*local, Answer::Nothing),
            Self::Done(_) | Self::Ended(_) => return Answer::Nothing,
        };
        *self = Self::Done(Box::new(Outcome::Failed { local }));
        answer
    }

    /// The transport takes no more bytes.
    pub(crate) fn receive_write_error(&mut self) {
        match self {
            Self::Open => *self = Self::Unwritable(CloseSignal::Missing),
            Self::CloseSent(local) => *self = Self::Unwritable(*local),
            Self::Unwritable(_) | Self::Done(_) | Self::Ended(_) => {}
        }
    }

    /// The transport has ended.
    pub(crate) fn receive_eof(&mut self) {
        *self = Self::Ended(match self {
            Self::Open => Box::new(Outcome::Lost { local: CloseSignal::Missing }),
            Self::CloseSent(local) | Self::Unwritable(local) => {
                Box::new(Outcome::Lost { local: *local })
            }
            Self::Done(outcome) | Self::Ended(outcome) => outcome.clone(),
        });
    }

    /// Whether messages and Pings may be sent.
    #[inline]
    pub(crate) const fn may_send(&self) -> bool {
        matches!(self, Self::Open)
    }

    /// Whether Pings are answered: until a Close frame is received (§5.5.2), as long as they can be.
    #[inline]
    pub(crate) const fn owes_pongs(&self) -> bool {
        matches!(self, Self::Open | Self::CloseSent(_))
    }

    /// Whether the peer may still say something: until its Close frame is received.
    #[cfg(feature = "std")]
    pub(crate) const fn is_listening(&self) -> bool {
        matches!(self, Self::Open | Self::CloseSent(_) | Self::Unwritable(_))
    }

    pub(crate) const fn state(&self) -> ConnectionState {
        match self {
            Self::Open => ConnectionState::Open,
            Self::CloseSent(_) | Self::Unwritable(_) | Self::Done(_) => ConnectionState::Closing,
            Self::Ended(_) => ConnectionState::Closed,
        }
    }

    /// What to do with the transport once everything is written.
    pub(crate) const fn transport(&self, role: Role) -> Transport {
        match (self, role) {
            (Self::Open | Self::CloseSent(_) | Self::Unwritable(_), _) => Transport::KeepOpen,
            // §7.1.1: the server closes first, so that the client holds no port in TIME_WAIT.
            (Self::Done(_), Role::Client) => Transport::AwaitPeer,
            (Self::Done(_), Role::Server) | (Self::Ended(_), _) => Transport::Close,
        }
    }

    pub(crate) fn status(&self) -> Option<CloseStatus> {
        match self {
            Self::Open => None,
            Self::CloseSent(local) | Self::Unwritable(local) => {
                Some(Outcome::Lost { local: *local }.status())
            }
            Self::Done(outcome) | Self::Ended(outcome) => Some(outcome.status()),
        }
    }
}

impl Outcome {
    fn status(&self) -> CloseStatus {
        let (closed_by, local, remote, reason) = match self {
            Self::Complete { begun_by, local, received } => {
                let received = received.as_ref();
                let reason = received.map_or("", CloseFrame::reason);
                (*begun_by, *local, CloseSignal::of(received), Text::from(reason).into_owned())
            }
            Self::Lost { local: CloseSignal::Missing } => {
                (ClosedBy::Transport, CloseSignal::Missing, CloseSignal::Missing, Text::default())
            }
            Self::Failed { local } | Self::Lost { local } => {
                (ClosedBy::Local, *local, CloseSignal::Missing, Text::default())
            }
        };
        CloseStatus { closed_by, local, remote, reason }
    }
}
