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
