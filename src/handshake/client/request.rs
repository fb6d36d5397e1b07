use bytes::Bytes;
use http::header::{
    AUTHORIZATION, COOKIE, HOST, HeaderName, HeaderValue, ORIGIN, PROXY_AUTHORIZATION,
};

#[cfg(feature = "deflate")]
use crate::extension::Deflate;
use crate::extension::{Supported, is_token};
use crate::handshake::accept_key::SecWebSocketKey;
use crate::handshake::client::error::OptionError;
use crate::handshake::encode;
use crate::handshake::field::OWNED;
use crate::handshake::head::HeadLimits;
use crate::handshake::origin::Origin;
use crate::handshake::uri::WebSocketUri;

/// What a client asks for, and the limits within which it accepts the answer.
///
/// It can be used for any number of handshakes; each has its own key.
///
/// ```
/// use sansocket::http::header::{AUTHORIZATION, HeaderValue};
/// use sansocket::handshake::ClientRequest;
///
/// let request = ClientRequest::new("ws://example.com/chat".parse()?)
///     .subprotocol("chat")?
///     .origin("https://example.com".parse()?)
///     .header(AUTHORIZATION, HeaderValue::from_static("Bearer abc"))?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct ClientRequest {
    uri: WebSocketUri,
    origin: Option<Origin>,
    subprotocols: Vec<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) extensions: Supported,
    pub(super) head_limits: HeadLimits,
    pub(super) max_body_size: usize,
}

impl ClientRequest {
    /// Creates a request for this URI, without subprotocols, an origin or further headers.
    pub fn new(uri: WebSocketUri) -> Self {
        Self {
            uri,
            origin: None,
            subprotocols: Vec::new(),
            headers: Vec::new(),
            extensions: Supported::default(),
            head_limits: HeadLimits::default(),
            max_body_size: 64 * 1024,
        }
    }

    /// Offers a subprotocol, after those already offered: the first one is preferred (section 4.1).
    ///
    /// # Errors
    ///
    /// [`OptionError`] if the name isn't a token or is already offered.
    pub fn subprotocol(mut self, name: &str) -> Result<Self, OptionError> {
        // §4.1 (10): tokens, and all of them different.
        if !is_token(name) {
            return Err(OptionError::InvalidSubprotocol(name.to_owned()));
        }
        if self.subprotocols.iter().any(|offered| offered == name) {
            return Err(OptionError::RepeatedSubprotocol(name.to_owned()));
        }
        self.subprotocols.push(name.to_owned());
        Ok(self)
    }

    /// Names the web page on whose behalf the connection is opened (section 4.1). Only browsers need
    /// to.
    #[must_use]
    pub fn origin(mut self, origin: Origin) -> Self {
        self.origin = Some(origin);
        self
    }

    /// Offers to compress messages (RFC 7692).
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn deflate(mut self, deflate: &Deflate) -> Self {
        self.extensions.deflate = Some(deflate.clone());
        self
    }

    /// Adds a header, such as `Authorization` or `Cookie`.
    ///
    /// # Errors
    ///
    /// [`OptionError`] for the headers that make up the handshake (`Host`, `Upgrade`, `Connection`,
    /// `Origin`, and `Sec-WebSocket-` followed by `Accept`, `Extensions`, `Key`, `Protocol` or `Version`),
    /// for those that announce a body (`Content-Length`, `Transfer-Encoding`), and for a value that isn't
    /// ASCII.
    pub fn header(mut self, name: HeaderName, mut value: HeaderValue) -> Result<Self, OptionError> {
        if [HOST, ORIGIN].contains(&name) || OWNED.contains(&name) {
            return Err(OptionError::OwnedHeader(name));
        }
        if !encode::is_ascii(&value) {
            return Err(OptionError::NonAsciiHeader(name));
        }
        if SECRET.contains(&name) {
            value.set_sensitive(true);
        }
        self.headers.push((name, value));
        Ok(self)
    }

    /// Adds a header given as text.
    ///
    /// # Errors
    ///
    /// As for [`header`](Self::header), and also [`OptionError`] for a name that isn't a token or a value
    /// that contains a control character.
    pub fn header_line(self, name: &str, value: &str) -> Result<Self, OptionError> {
        let parsed_name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| OptionError::InvalidHeaderName(name.to_owned()))?;
        let parsed_value = HeaderValue::from_str(value)
            .map_err(|_| OptionError::InvalidHeaderValue(parsed_name.clone()))?;
        self.header(parsed_name, parsed_value)
    }

    /// Sets the limits for the response's head.
    #[must_use]
    pub const fn head_limits(mut self, limits: HeadLimits) -> Self {
        self.head_limits = limits;
        self
    }

    /// Sets how many bytes of the body are kept if the response rejects the handshake; 64 KiB by
    /// default.
    #[must_use]
    pub const fn max_body_size(mut self, bytes: usize) -> Self {
        self.max_body_size = bytes;
        self
    }

    /// Returns where to connect to.
    pub const fn uri(&self) -> &WebSocketUri {
        &self.uri
    }

    /// Returns the same request for another URI; if that has another origin, without the headers that
    /// prove the client's identity (RFC 9110, section 15.4).
    pub(super) fn redirected_to(&self, uri: WebSocketUri) -> Self {
        let mut request = Self { uri, ..self.clone() };
        if !request.uri.has_same_origin(&self.uri) {
            request.headers.retain(|(_, value)| !value.is_sensitive());
        }
        request
    }

    /// Returns the subprotocols that are offered.
    pub(super) fn subprotocols(&self) -> &[String] {
        &self.subprotocols
    }

    /// Returns the request's bytes (section 4.1).
    pub(super) fn encode(&self, key: SecWebSocketKey) -> Bytes {
        let origin = self.origin.as_ref().map(Origin::to_string);
        let subprotocols = self.subprotocols.join(", ");
        let subprotocols = Some(&subprotocols[..]).filter(|offered| !offered.is_empty());
        // §9.1: in the order of preference.
        let extensions = self.extensions.offer();
        let fields = [
            ("Host", self.uri.host_field()),
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Key", key.as_str()),
            ("Sec-WebSocket-Version", "13"),
        ];
        let fields = fields
            .into_iter()
            .chain(origin.as_deref().map(|value| ("Origin", value)))
            .chain(subprotocols.map(|value| ("Sec-WebSocket-Protocol", value)))
            .chain(extensions.as_deref().map(|value| ("Sec-WebSocket-Extensions", value)))
            .map(|(name, value)| (name, value.as_bytes()))
            .chain(self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
        encode::get(self.uri.resource_name(), fields)
    }
}

/// Headers that prove the client's identity: they are not sent to anyone else or shown in logs.
const SECRET: [HeaderName; 3] = [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION];
