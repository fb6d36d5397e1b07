use crate::message::Message;

/// Why a message was not taken.
///
/// ```
/// use sansocket::{Config, Connection, Message, Role, SendError};
///
/// let config = Config::default().max_outgoing_size(10);
/// let mut server = Connection::new(Role::Server, config);
/// server.send("ten bytes.")?;
/// match server.send("one more") {
///     Err(SendError::BufferFull(message)) => assert_eq!(message, Message::from("one more")),
///     other => panic!("{other:?}"),
/// }
/// # Ok::<(), SendError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// [`Config::max_outgoing_size`](crate::Config::max_outgoing_size) bytes are waiting to be
    /// written. This returns the message: write what is outgoing, then send it again.
    #[error("the outgoing queue is full")]
    BufferFull(Message<'static>),
    /// The message may not be sent at all in this state.
    #[error(transparent)]
    Refused(#[from] UsageError),
}

/// What the application asked for but the protocol does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UsageError {
    /// A Close frame was sent or received, the connection failed, or the transport ended or takes no more: nothing
    /// may be sent any more (RFC 6455, sections 5.5.1 and 7.1.7).
    #[error("the connection is closing or closed")]
    NotOpen,
    /// A fragmented message has to be finished before the next message (section 5.4).
    #[error("a fragmented message is not finished")]
    MessageUnfinished,
    /// The fragments of a message are all text or all binary (section 5.4).
    #[error("a fragment is not of the kind of its message")]
    OtherKind,
    /// Too much is waiting to be written for another Ping or Pong to be taken.
    #[error("the outgoing queue is full")]
    BacklogFull,
    /// The payload of a control frame has at most 125 bytes (section 5.5).
    #[error("a control payload of {0} bytes exceeds 125")]
    ControlPayloadTooLong(usize),
    /// The reason in a Close frame has at most 123 bytes (section 5.5.1).
    #[error("a close reason of {0} bytes exceeds 123")]
    CloseReasonTooLong(usize),
}
