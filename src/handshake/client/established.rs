//! What makes a response the end of a successful handshake (RFC 6455, section 4.1).

use http::{Response, Version};

use crate::config::Config;
use crate::connection::Connection;
use crate::entropy::Entropy;
use crate::extension::{Agreed, ExtensionOffer, Supported, is_token};
#[cfg(feature = "deflate")]
use crate::extension::{AgreedDeflate, DeflateParameters};
use crate::handshake::accept_key::SecWebSocketAccept;
use crate::handshake::client::error::ResponseError;
use crate::handshake::client::response::ResponseHead;
use crate::handshake::field::{Field, eq_without_case, text};
use crate::handshake::token;
use crate::role::Role;

/// A successful handshake, seen from the client: the response, and the connection that begins
/// after it.
///
/// ```
/// use sansocket::handshake::Established;
/// use sansocket::http::header::SET_COOKIE;
/// use sansocket::{Config, Connection};
///
/// fn begin(established: Established) -> Connection {
///     println!("subprotocol: {:?}", established.subprotocol());
///     for cookie in established.response().headers().get_all(SET_COOKIE) {
///         println!("cookie: {cookie:?}");
///     }
///     established.into_connection(Config::default())
/// }
/// ```
#[derive(Debug)]
pub struct Established {
    response: Response<()>,
    terms: Terms,
    entropy: Entropy,
}

/// What a valid response settles.
#[derive(Debug)]
pub(super) struct Terms {
    subprotocol: Option<String>,
    extensions: Agreed,
}

impl Established {
    pub(super) const fn new(response: Response<()>, terms: Terms, entropy: Entropy) -> Self {
        Self { response, terms, entropy }
    }

    /// Returns the server's response, for the headers it added, such as `Set-Cookie`.
    pub const fn response(&self) -> &Response<()> {
        &self.response
    }

    /// Returns the subprotocol that the server chose from those offered, if it did.
    pub fn subprotocol(&self) -> Option<&str> {
        self.terms.subprotocol.as_deref()
    }

    /// Returns how messages are compressed, if they are (RFC 7692).
    #[cfg(feature = "deflate")]
    pub fn deflate(&self) -> Option<&DeflateParameters> {
        self.terms.extensions.deflate.as_ref().map(AgreedDeflate::parameters)
    }

    /// Converts this into the connection that begins after the response.
    ///
    /// Its first input is whatever follows the response in the cursor that the handshake read from.
    pub fn into_connection(self, config: Config) -> Connection {
        Connection::with_entropy(Role::Client, config, self.entropy)
            .with_extensions(&self.terms.extensions)
    }
}

/// What a response has to match.
#[derive(Debug)]
pub(super) struct Expectation {
    accept: SecWebSocketAccept,
    subprotocols: Vec<String>,
    extensions: Supported,
}

impl Expectation {
    pub(super) const fn new(
        accept: SecWebSocketAccept,
        subprotocols: Vec<String>,
        extensions: Supported,
    ) -> Self {
        Self { accept, subprotocols, extensions }
    }

    /// Checks a 101, and returns what it settles.
    ///
    /// `Content-Length` and `Transfer-Encoding` have no place in it, but by RFC 9112, section 6.3, it
    /// ends at the blank line whatever they say, so they are ignored.
    pub(super) fn check(&self, response: &ResponseHead<'_>) -> Result<Terms, ResponseError> {
        let fields = response.fields.of_the_handshake();
        // RFC 9110, §7.8: only HTTP/1.1 has an upgrade.
        if response.version != Version::HTTP_11 {
            return Err(ResponseError::Version);
        }
        upgrade(&fields.upgrade)?;
        // §4.1 (3): a list that contains the token, among others.
        if !token::list_contains(&fields.connection, b"upgrade") {
            return Err(ResponseError::Connection);
        }
        self.accept(&fields.sec_websocket_accept)?;
        let extensions = self.extensions(&fields.sec_websocket_extensions)?;
        Ok(Terms { subprotocol: self.subprotocol(&fields.sec_websocket_protocol)?, extensions })
    }

    /// §4.1 (5) and §9.1 The server's answers are compared with the offers. §11.3.2: at most one line in a
    /// response.
    fn extensions(&self, answers: &Field<'_>) -> Result<Agreed, ResponseError> {
        if let Field::Repeated(_) = answers {
            return Err(ResponseError::Extensions);
        }
        let answers =
            ExtensionOffer::parse_all(answers.lines()).map_err(|_| ResponseError::Extensions)?;
        Ok(self.extensions.check(&answers)?)
    }

    /// §4.1 (4): only a server that speaks WebSocket, and with this client, knows the value. §11.3.3:
    /// at most one in a response.
    fn accept(&self, accept: &Field<'_>) -> Result<(), ResponseError> {
        match accept {
            Field::Absent => Err(ResponseError::MissingAccept),
            Field::Repeated(_) => Err(ResponseError::RepeatedAccept),
            Field::Once(accept) if *accept == self.accept.as_bytes() => Ok(()),
            Field::Once(_) => Err(ResponseError::WrongAccept),
        }
    }

    /// §4.1 (6): one of those offered (the comparison is case-sensitive), or none. §11.3.4: at most one
    /// in a response.
    fn subprotocol(&self, chosen: &Field<'_>) -> Result<Option<String>, ResponseError> {
        let chosen = match chosen {
            Field::Absent => return Ok(None),
            Field::Repeated(_) => return Err(ResponseError::RepeatedSubprotocol),
            Field::Once(chosen) => text(chosen).filter(|chosen| is_token(chosen)),
        };
        let chosen = chosen.ok_or(ResponseError::InvalidSubprotocol)?.to_owned();
        if self.subprotocols.contains(&chosen) {
            Ok(Some(chosen))
        } else {
            Err(ResponseError::UnrequestedSubprotocol(chosen))
        }
    }
}

/// §4.1 (2): the field's value is a single word; unlike in a request, it is not a list to choose from.
fn upgrade(upgrade: &Field<'_>) -> Result<(), ResponseError> {
    match upgrade {
        Field::Once(value) if eq_without_case(value, b"websocket") => Ok(()),
        _ => Err(ResponseError::Upgrade),
    }
}
