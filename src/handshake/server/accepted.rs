use bytes::Bytes;
use http::header::{
    CONNECTION, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS,
    SEC_WEBSOCKET_PROTOCOL, UPGRADE,
};
use http::{Response, StatusCode};

use crate::config::Config;
use crate::connection::Connection;
use crate::extension::Agreed;
#[cfg(feature = "deflate")]
use crate::extension::{AgreedDeflate, DeflateParameters};
use crate::handshake::accept_key::SecWebSocketAccept;
use crate::handshake::encode;
use crate::role::Role;

/// A successful handshake, seen from the server: the response to send, and the connection that
/// begins after it.
///
/// ```
/// # use sansocket::http::Request;
/// # use sansocket::handshake::{Acceptance, UpgradeRequest};
/// # let request = Request::get("/").header("Host", "a").header("Upgrade", "websocket")
/// #     .header("Connection", "Upgrade").header("Sec-WebSocket-Version", "13")
/// #     .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==").body(()).unwrap();
/// use sansocket::bytes::Buf;
/// use sansocket::Config;
///
/// let mut accepted = UpgradeRequest::parse(&request)?.answer(Acceptance::new())?;
/// while accepted.outgoing().has_remaining() {
///     let written = accepted.outgoing().chunk().len(); // as much as a socket took
///     accepted.outgoing().advance(written);
/// }
/// let connection = accepted.into_connection(Config::default());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Accepted {
    accept: SecWebSocketAccept,
    subprotocol: Option<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
    agreed: Agreed,
    outgoing: Bytes,
}

impl Accepted {
    /// The headers must have been checked already.
    pub(super) fn new(
        accept: SecWebSocketAccept,
        subprotocol: Option<String>,
        headers: Vec<(HeaderName, HeaderValue)>,
        agreed: Agreed,
    ) -> Self {
        let extensions = agreed.response();
        let agreed_on = [
            subprotocol.as_deref().map(|name| ("Sec-WebSocket-Protocol", name.as_bytes())),
            extensions.as_deref().map(|value| ("Sec-WebSocket-Extensions", value.as_bytes())),
        ];
        let headers_to_add = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        // §4.2.2 (5): and no field that announces a body, because frames follow.
        let fields = agreed_on.into_iter().flatten().chain(headers_to_add);
        let outgoing = encode::switching_protocols(&accept, fields);
        Self { accept, subprotocol, headers, agreed, outgoing }
    }

    /// Returns the bytes of the response that are still to be sent; advance it past those written.
    pub const fn outgoing(&mut self) -> &mut Bytes {
        &mut self.outgoing
    }

    /// Returns the same response as a value, for a server that sends it with an HTTP library.
    pub fn response(&self) -> Response<()> {
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        if let Ok(accept) = HeaderValue::from_str(self.accept.as_str()) {
            headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
        }
        if let Some(Ok(name)) = self.subprotocol.as_deref().map(HeaderValue::from_str) {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, name);
        }
        if let Some(Ok(extensions)) = self.agreed.response().map(HeaderValue::try_from) {
            headers.insert(SEC_WEBSOCKET_EXTENSIONS, extensions);
        }
        for (name, value) in self.headers.iter().cloned() {
            // `append` would panic if the map were full, at tens of thousands of fields.
            let _ = headers.try_append(name, value);
        }
        response
    }

    /// Returns the subprotocol of the connection, if there is one.
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// Returns how messages are compressed, if they are (RFC 7692).
    #[cfg(feature = "deflate")]
    pub fn deflate(&self) -> Option<&DeflateParameters> {
        self.agreed.deflate.as_ref().map(AgreedDeflate::parameters)
    }

    /// Converts this into the connection that begins after the response.
    ///
    /// Nothing from it may be sent before the response. Its first input is whatever follows the
    /// request in the cursor that the handshake read from.
    pub fn into_connection(self, config: Config) -> Connection {
        Connection::new(Role::Server, config).with_extensions(&self.agreed)
    }
}
