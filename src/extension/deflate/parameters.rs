use core::fmt;

use crate::extension::deflate::window_bits::WindowBits;
use crate::role::Role;

/// The name under which the extension is registered (section 7).
pub(super) const NAME: &str = "permessage-deflate";

/// The names of its parameters (section 7.1).
pub(super) const SERVER_NO_CONTEXT_TAKEOVER: &str = "server_no_context_takeover";
pub(super) const CLIENT_NO_CONTEXT_TAKEOVER: &str = "client_no_context_takeover";
pub(super) const SERVER_MAX_WINDOW_BITS: &str = "server_max_window_bits";
pub(super) const CLIENT_MAX_WINDOW_BITS: &str = "client_max_window_bits";

/// The parameters of permessage-deflate on one connection (RFC 7692, section 7.1).
///
/// Their `Display` is the element of `Sec-WebSocket-Extensions` that states them in a response.
///
/// ```
/// use sansocket::extension::{ContextTakeover, DeflateParameters, WindowBits};
///
/// let mut parameters = DeflateParameters::default();
/// parameters.server.context_takeover = ContextTakeover::No;
/// parameters.client.max_window_bits = WindowBits::new(12);
/// assert_eq!(
///     parameters.to_string(),
///     "permessage-deflate; server_no_context_takeover; client_max_window_bits=12",
/// );
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct DeflateParameters {
    /// How the server compresses what it sends.
    pub server: SenderParameters,
    /// How the client compresses what it sends.
    pub client: SenderParameters,
}

/// How one end compresses what it sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct SenderParameters {
    /// Whether a message may refer back to those before it.
    pub context_takeover: ContextTakeover,
    /// How far back it may refer at most. `None`, if nothing was said, means [`WindowBits::MAX`].
    pub max_window_bits: Option<WindowBits>,
}

/// Whether a message may refer back to those before it (section 7.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ContextTakeover {
    /// It may: similar messages become smaller, and both ends keep the connection's window between
    /// messages.
    #[default]
    Yes,
    /// It may not: each message stands alone, and nothing is kept between them.
    No,
}

impl DeflateParameters {
    /// Returns how this end compresses what it sends.
    pub const fn sender(&self, sender: Role) -> SenderParameters {
        match sender {
            Role::Server => self.server,
            Role::Client => self.client,
        }
    }
}

impl SenderParameters {
    /// How far back a message may refer.
    pub(super) fn window(self) -> WindowBits {
        self.max_window_bits.unwrap_or(WindowBits::MAX)
    }
}

impl ContextTakeover {
    /// `Yes` only if both are.
    pub(super) const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::No,
        }
    }
}

impl fmt::Display for DeflateParameters {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, client } = self;
        formatter.write_str(NAME)?;
        for (sender, name) in
            [(server, SERVER_NO_CONTEXT_TAKEOVER), (client, CLIENT_NO_CONTEXT_TAKEOVER)]
        {
            if sender.context_takeover == ContextTakeover::No {
                write!(formatter, "; {name}")?;
            }
        }
        for (sender, name) in [(server, SERVER_MAX_WINDOW_BITS), (client, CLIENT_MAX_WINDOW_BITS)] {
            if let Some(bits) = sender.max_window_bits {
                write!(formatter, "; {name}={bits}")?;
            }
        }
        Ok(())
    }
}
