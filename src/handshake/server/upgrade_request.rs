//! What makes a request an opening handshake (RFC 6455, section 4.2.1).

use http::{Method, Request, Uri, Version};

use crate::extension::ExtensionOffer;
use crate::handshake::accept_key::{SecWebSocketAccept, SecWebSocketKey};
use crate::handshake::authority::Authority;
use crate::handshake::field::{Field, HandshakeFields, text};
use crate::handshake::server::error::RequestError;
use crate::handshake::token;

/// A request that is a valid opening handshake, and what it asks for.
///
/// ```
/// use sansocket::http::Request;
/// use sansocket::handshake::UpgradeRequest;
///
/// let request = Request::get("/chat")
///     .header("Host", "example.com")
///     .header("Upgrade", "websocket")
///     .header("Connection", "keep-alive, Upgrade")
///     .header("Sec-WebSocket-Version", "13")
///     .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
///     .header("Sec-WebSocket-Protocol", "superchat, chat")
///     .body(())
///     .unwrap();
/// let upgrade = UpgradeRequest::parse(&request)?;
/// assert_eq!(upgrade.subprotocols(), ["superchat", "chat"]);
/// assert_eq!(upgrade.accept().as_str(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
/// # Ok::<_, sansocket::handshake::RequestError>(())
/// ```
#[derive(Debug, Clone)]
pub struct UpgradeRequest<'request> {
    authority: Authority<'request>,
    origin: Field<'request>,
    accept: SecWebSocketAccept,
    subprotocols: Vec<&'request str>,
    extensions: Vec<ExtensionOffer<'request>>,
}

impl<'request> UpgradeRequest<'request> {
    /// Checks a request, whichever library parsed it.
    ///
    /// # Errors
    ///
    /// The [`RequestError`] for the first rule that is found broken.
    pub fn parse<B>(request: &'request Request<B>) -> Result<Self, RequestError> {
        Self::of(request.method(), request.uri(), request.version(), request.headers().into())
    }

    /// Checks the parts of a request.
    pub(super) fn of(
        method: &Method,
        target: &'request Uri,
        version: Version,
        fields: HandshakeFields<'request>,
    ) -> Result<Self, RequestError> {
        // §4.2.1 (1): a GET of HTTP/1.1 or higher. Of the versions that the type can hold, only
        // HTTP/1.1 qualifies, as later versions have no upgrade.
        if version != Version::HTTP_11 {
            return Err(RequestError::Version);
        }
        // RFC 9112, §3.2: without its one Host no request is right, whatever its method.
        let host = host(&fields.host)?;
        if method != Method::GET {
            return Err(RequestError::Method);
        }
        let authority = authority(target, host)?;
        no_body(&fields)?;
        // §4.2.1 (3): checked before (4), as a request without it isn't a failed handshake but a
        // request for something else.
        if !token::list_contains(&fields.upgrade, b"websocket") {
            return Err(RequestError::Upgrade);
        }
        // §4.2.1 (4): among others, such as keep-alive.
        if !token::list_contains(&fields.connection, b"upgrade") {
            return Err(RequestError::Connection);
        }
        websocket_version(&fields.sec_websocket_version)?;
        let key = key(&fields.sec_websocket_key)?;
        // §4.2.1 (8): may be absent, but not without a name.
        let subprotocols = match &fields.sec_websocket_protocol {
            Field::Absent => Vec::new(),
            list => token::elements(list).ok_or(RequestError::Subprotocols)?,
        };
        // §4.2.1 (9): what is unknown is ignored, but not what is malformed.
        let extensions = ExtensionOffer::parse_all(fields.sec_websocket_extensions.lines())
            .map_err(|_| RequestError::Extensions)?;
        let origin = fields.origin;
        Ok(Self { authority, origin, accept: key.accept(), subprotocols, extensions })
    }

    /// Returns the subprotocols that the client offers, the one it prefers first.
    pub fn subprotocols(&self) -> &[&'request str] {
        &self.subprotocols
    }

    /// Returns the first of these subprotocols that the client offers (section 4.2.2).
    ///
    /// They are in the server's order of preference. The comparison is case-sensitive.
    pub fn select_subprotocol<'s>(&self, supported: &[&'s str]) -> Option<&'s str> {
        supported.iter().find(|name| self.subprotocols.contains(name)).copied()
    }

    /// Returns the extensions that the client offers, the one it prefers first (section 9.1).
    pub fn extensions(&self) -> &[ExtensionOffer<'request>] {
        &self.extensions
    }

    /// Returns the value of `Sec-WebSocket-Accept` that answers the client's key.
    pub const fn accept(&self) -> SecWebSocketAccept {
        self.accept
    }

    /// Returns the origin of the page that opens the connection, if a page does (section 10.2).
    pub(super) const fn origin(&self) -> &Field<'request> {
        &self.origin
    }

    /// Returns the host that the client wants to talk to.
    pub(super) const fn authority(&self) -> &Authority<'request> {
        &self.authority
    }
}

/// §4.2.1 (2): exactly one `Host`. RFC 9112, §3.2: two of them can smuggle a request past a proxy.
fn host<'a>(host: &Field<'a>) -> Result<Authority<'a>, RequestError> {
    match host {
        Field::Absent => Err(RequestError::MissingHost),
        Field::Repeated(_) => Err(RequestError::RepeatedHost),
        Field::Once(host) => {
            text(host).and_then(|host| Authority::parse(host).ok()).ok_or(RequestError::InvalidHost)
        }
    }
}

/// §4.2.1 (1): the target is a resource name or an absolute URI that has one. RFC 9112, §3.2.2: the
/// host of an absolute URI takes precedence over the `Host` field.
fn authority<'a>(target: &'a Uri, host: Authority<'a>) -> Result<Authority<'a>, RequestError> {
    match (target.scheme_str(), target.authority()) {
        (None, None) if target.path().starts_with('/') => Ok(host),
        (Some(scheme), Some(authority))
            if scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https") =>
        {
            Authority::parse(authority.as_str()).map_err(|_| RequestError::Target)
        }
        _ => Err(RequestError::Target),
    }
}

/// RFC 9112, §6.3: a body would have to be read as one, and not as frames. A server that disagrees
/// about this with a proxy in between can be made to see another request.
fn no_body(fields: &HandshakeFields<'_>) -> Result<(), RequestError> {
    match (&fields.transfer_encoding, &fields.content_length) {
        (Field::Absent, Field::Absent | Field::Once(b"0")) => Ok(()),
        (Field::Absent, _) => Err(RequestError::ContentLength),
        _ => Err(RequestError::TransferEncoding),
    }
}

/// §4.2.1 (6): a single 13, written in exactly that way.
fn websocket_version(version: &Field<'_>) -> Result<(), RequestError> {
    match version {
        Field::Once(b"13") => Ok(()),
        _ => Err(RequestError::WebSocketVersion),
    }
}

/// §4.2.1 (5): a single key that decodes to 16 bytes. §11.3.1: at most one in a request.
fn key(key: &Field<'_>) -> Result<SecWebSocketKey, RequestError> {
    match key {
        Field::Absent => Err(RequestError::MissingKey),
        Field::Repeated(_) => Err(RequestError::RepeatedKey),
        Field::Once(key) => SecWebSocketKey::parse(key).ok_or(RequestError::InvalidKey),
    }
}
