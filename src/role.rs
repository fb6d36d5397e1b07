/// Which end of the connection this is (RFC 6455, section 1.5).
///
/// The two differ in masking (a client masks every frame, a server none, section 5.1) and in who
/// closes TCP first (the server, section 7.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The end that opened the connection.
    Client,
    /// The end that accepted it.
    Server,
}

impl Role {
    /// Returns the role of the other end.
    ///
    /// ```
    /// # use sansocket::Role;
    /// assert_eq!(Role::Client.peer(), Role::Server);
    /// ```
    #[must_use]
    pub const fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}
