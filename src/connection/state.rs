/// Where a connection is in its life (RFC 6455, sections 4.1 and 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConnectionState {
    /// Messages may be sent and received.
    Open,
    /// A Close frame was queued or received, the connection has failed, or its transport takes no more
    /// bytes; but the transport has not ended.
    Closing,
    /// The transport has ended.
    Closed,
}

/// What to do with the transport now.
///
/// ```
/// use sansocket::bytes::Buf;
/// use sansocket::{CloseCode, Config, Connection, Role, Transport};
///
/// let mut server = Connection::new(Role::Server, Config::default());
/// server.close(Some(CloseCode::NORMAL.into()));
/// assert_eq!(server.transport(), Transport::KeepOpen);
///
/// // Written, and answered by the client.
/// server.outgoing().advance(4);
/// assert_eq!(server.transport(), Transport::KeepOpen);
/// let mut answer = *b"\x88\x82\x00\x00\x00\x00\x03\xe8";
/// server.next_event(&mut &mut answer[..])?;
/// assert_eq!(server.transport(), Transport::Close);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Carry on: read, and write the outgoing bytes.
    KeepOpen,
    /// Everything is said and written, and it is up to the peer to close the transport: read until its
    /// end, but close it yourself after a reasonable time (section 7.1.1).
    AwaitPeer,
    /// Everything is said and written: close it. Where unread input could make the operating system
    /// discard what was written, shut down writing first and read for a bounded time.
    Close,
}
