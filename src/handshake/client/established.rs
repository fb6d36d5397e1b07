//! What makes a response the end of a successful handshake (RFC 6455, section 4.1).

use http::{
    HeaderMap, Response, Version,
    header::{
        CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_PROTOCOL, UPGRADE,
    },
};

use super::error::ResponseError;
use crate::{
    config::Config,
    connection::Connection,
    entropy::Entropy,
    handshake::{
        accept_key::SecWebSocketAccept, extension_offer::ExtensionOffer, field::Field, token,
    },
    role::Role,
};

/// A successful handshake, seen from the client: the response, and the connection that begins
/// behind it.
#[derive(Debug)]
pub struct Established {
    response: Response<()>,
    subprotocol: Option<String>,
    entropy: Entropy,
}

impl Established {
    pub(super) const fn new(
        response: Response<()>,
        subprotocol: Option<String>,
        entropy: Entropy,
    ) -> Self {
        Self { response, subprotocol, entropy }
    }

    /// The server's response, for the headers it added, such as `Set-Cookie`.
    pub const fn response(&self) -> &Response<()> {
        &self.response
    }

    /// The subprotocol that the server chose among those offered, if it did.
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// The connection that begins behind the response.
    ///
    /// Its first input is what the handshake left in the cursor behind the response.
    pub fn into_connection(self, config: Config) -> Connection {
        Connection::with_entropy(Role::Client, config, self.entropy)
    }
}

/// What a response has to correspond to.
#[derive(Debug)]
pub(super) struct Expectation {
    accept: SecWebSocketAccept,
    subprotocols: Vec<String>,
}

impl Expectation {
    pub(super) const fn new(accept: SecWebSocketAccept, subprotocols: Vec<String>) -> Self {
        Self { accept, subprotocols }
    }

    /// Checks a 101; the subprotocol that it chose.
    ///
    /// `Content-Length` and `Transfer-Encoding` have no place in it, but RFC 9112, section 6.3, has
    /// it end at the blank line whatever they say, so they are passed over.
    pub(super) fn check(&self, response: &Response<()>) -> Result<Option<String>, ResponseError> {
        let headers = response.headers();
        // RFC 9110, §7.8: an upgrade is an affair of HTTP/1.1.
        if response.version() != Version::HTTP_11 {
            return Err(ResponseError::Version);
        }
        upgrade(headers)?;
        // §4.1 (3) A list that contains the token, among others.
        if !token::list_contains(headers, &CONNECTION, "upgrade") {
            return Err(ResponseError::Connection);
        }
        self.accept(headers)?;
        no_extension(headers)?;
        self.subprotocol(headers)
    }

    /// §4.1 (4) Only a server that speaks WebSocket, and to this client, knows the value. §11.3.3:
    /// at most one in a response.
    fn accept(&self, headers: &HeaderMap) -> Result<(), ResponseError> {
        match Field::of(headers, &SEC_WEBSOCKET_ACCEPT) {
            Field::Absent => Err(ResponseError::MissingAccept),
            Field::Repeated => Err(ResponseError::RepeatedAccept),
            Field::Once(accept) if accept == self.accept.as_str() => Ok(()),
            Field::Once(_) => Err(ResponseError::WrongAccept),
        }
    }

    /// §4.1 (6) One of those offered, compared with case, or none. §11.3.4: at most one in a
    /// response.
    fn subprotocol(&self, headers: &HeaderMap) -> Result<Option<String>, ResponseError> {
        let chosen = match Field::of(headers, &SEC_WEBSOCKET_PROTOCOL) {
            Field::Absent => return Ok(None),
            Field::Repeated => return Err(ResponseError::RepeatedSubprotocol),
            Field::Once(chosen) => chosen.to_str().ok().filter(|chosen| token::is_token(chosen)),
        };
        let chosen = chosen.ok_or(ResponseError::InvalidSubprotocol)?.to_owned();
        if self.subprotocols.contains(&chosen) {
            Ok(Some(chosen))
        } else {
            Err(ResponseError::UnrequestedSubprotocol(chosen))
        }
    }
}

/// §4.1 (2) The field's value is the one word; unlike in a request it is no list to choose from.
fn upgrade(headers: &HeaderMap) -> Result<(), ResponseError> {
    match Field::of(headers, &UPGRADE) {
        Field::Once(value) if value.as_bytes().eq_ignore_ascii_case(b"websocket") => Ok(()),
        _ => Err(ResponseError::Upgrade),
    }
}

/// §4.1 (5) and §9.1. This is where what the server answered is compared with what was offered,
/// once anything is.
fn no_extension(headers: &HeaderMap) -> Result<(), ResponseError> {
    let lines = headers.get_all(SEC_WEBSOCKET_EXTENSIONS);
    let extensions = ExtensionOffer::parse_all(lines).map_err(|_| ResponseError::Extensions)?;
    match extensions.first() {
        Some(extension) => Err(ResponseError::UnrequestedExtension(extension.name().to_owned())),
        None => Ok(()),
    }
}
