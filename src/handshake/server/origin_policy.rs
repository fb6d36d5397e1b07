//! Which web pages may open a connection (RFC 6455, sections 4.2.2 and 10.2).

use crate::handshake::field::{Field, text};
use crate::handshake::origin::Origin;
use crate::handshake::server::error::RequestError;
use crate::handshake::server::upgrade_request::UpgradeRequest;

/// Which web pages may open a connection.
///
/// Browsers let a page open a WebSocket to any server, cookies included; they tell the server where
/// the page comes from, in `Origin`, and the server decides. A server that identifies its users by
/// cookies needs a policy other than [`any`](Self::any).
///
/// A client that sends no `Origin` is not a browser, and could write whatever it likes there; it is
/// let in unless [`required`](Self::required) is set.
///
/// ```
/// # use sansocket::http::Request;
/// # use sansocket::handshake::UpgradeRequest;
/// # let request = Request::get("/").header("Host", "a").header("Upgrade", "websocket")
/// #     .header("Connection", "Upgrade").header("Sec-WebSocket-Version", "13")
/// #     .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
/// #     .header("Origin", "https://evil.example").body(()).unwrap();
/// # let upgrade = UpgradeRequest::parse(&request)?;
/// use sansocket::handshake::{OriginPolicy, RequestError};
///
/// let policy = OriginPolicy::list(["https://example.com".parse()?]);
/// assert_eq!(policy.check(&upgrade), Err(RequestError::Origin));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct OriginPolicy {
    allowed: Allowed,
    absent: Absent,
}

#[derive(Debug, Clone)]
enum Allowed {
    Any,
    Same,
    List(Vec<Origin>),
}

#[derive(Debug, Clone, Copy)]
enum Absent {
    Accepted,
    Refused,
}

impl OriginPolicy {
    /// Allows all pages.
    pub const fn any() -> Self {
        Self { allowed: Allowed::Any, absent: Absent::Accepted }
    }

    /// Allows pages that come from the host and port that the request is addressed to.
    ///
    /// The scheme is not compared, as a server behind a proxy doesn't know its own; so where no port is
    /// named, the default ports of `http` and `https` count as the same. A server that is reached only by
    /// `wss` and trusts cookies should use a [`list`](Self::list), to keep out plain `http` pages, which
    /// anybody on the network path can change.
    pub const fn same_origin() -> Self {
        Self { allowed: Allowed::Same, absent: Absent::Accepted }
    }

    /// Allows pages from these origins.
    pub fn list(origins: impl IntoIterator<Item = Origin>) -> Self {
        let allowed = Allowed::List(origins.into_iter().collect());
        Self { allowed, absent: Absent::Accepted }
    }

    /// Refuses clients without an `Origin` as well.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.absent = Absent::Refused;
        self
    }

    /// Checks that the page that sent this request, if one did, may open a connection.
    ///
    /// # Errors
    ///
    /// [`RequestError::Origin`], which is a 403, if not. Only [`any`](Self::any) lets in an `Origin`
    /// that is repeated or malformed.
    pub fn check(&self, upgrade: &UpgradeRequest<'_>) -> Result<(), RequestError> {
        let allowed = match upgrade.origin() {
            Field::Absent => matches!(self.absent, Absent::Accepted),
            Field::Once(origin) => self.allowed.contains(text(origin).unwrap_or_default(), upgrade),
            Field::Repeated(_) => matches!(self.allowed, Allowed::Any),
        };
        if allowed { Ok(()) } else { Err(RequestError::Origin) }
    }
}

impl Allowed {
    fn contains(&self, origin: &str, upgrade: &UpgradeRequest<'_>) -> bool {
        match (self, origin.parse::<Origin>()) {
            (Self::Any, _) => true,
            (Self::Same, Ok(origin)) => origin.is_served_by(upgrade.authority()),
            (Self::List(list), Ok(origin)) => list.contains(&origin),
            (Self::Same | Self::List(_), Err(_)) => false,
        }
    }
}
