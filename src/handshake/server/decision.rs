//! From a request to its answer: what the protocol demands, and what the application decides.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};

#[cfg(feature = "deflate")]
use crate::extension::Deflate;
use crate::extension::Supported;
use crate::handshake::encode;
use crate::handshake::field::OWNED;
use crate::handshake::server::accepted::Accepted;
use crate::handshake::server::error::RequestError;
use crate::handshake::server::refusal::Refusal;
use crate::handshake::server::upgrade_request::UpgradeRequest;

/// Answers a request from [`ServerHandshake`](super::ServerHandshake) or from another HTTP library.
///
/// The closure decides for the application. It sees the whole request, and the protocol's verdict: a
/// valid opening handshake, or what is wrong with it. It is called for every request, so that it can
/// answer a plain `GET` with a page; a request that is not a valid handshake is refused even if the
/// closure accepts it.
///
/// ```
/// use sansocket::http::{Request, Response};
/// use sansocket::handshake::{Acceptance, Answer, Decision, negotiate};
///
/// let request = Request::get("/").header("Host", "a").body(()).unwrap();
/// let answer = negotiate(&request, |request, upgrade| match upgrade {
///     Ok(upgrade) => Acceptance::new()
///         .subprotocol(upgrade.select_subprotocol(&["chat"]))
///         .into(),
///     Err(_) if request.uri().path() == "/" => Decision::Respond(Response::new("a page".into())),
///     Err(_) => Decision::accept(), // that is, refuse as the protocol says
/// })?;
/// let Answer::Refused(refusal) = answer else { unreachable!() };
/// assert_eq!(refusal.response().body(), "a page");
/// # Ok::<_, sansocket::handshake::DecisionError>(())
/// ```
///
/// # Errors
///
/// [`DecisionError`] if the decision can't be carried out. `Refusal::from` turns it into a 500.
pub fn negotiate<B>(
    request: &Request<B>,
    decide: impl FnOnce(&Request<B>, Result<&UpgradeRequest<'_>, &RequestError>) -> Decision,
) -> Result<Answer, DecisionError> {
    let decide = |upgrade: Result<&UpgradeRequest<'_>, &RequestError>| decide(request, upgrade);
    answer(request.method(), UpgradeRequest::parse(request), |upgrade| Ok(decide(upgrade)))
}

/// Answers a request with this method, given the protocol's verdict. `decide` may find one of its own.
pub(super) fn answer(
    method: &Method,
    upgrade: Result<UpgradeRequest<'_>, RequestError>,
    decide: impl FnOnce(Result<&UpgradeRequest<'_>, &RequestError>) -> Result<Decision, RequestError>,
) -> Result<Answer, DecisionError> {
    let refusal = match (decide(upgrade.as_ref()), upgrade) {
        (Ok(Decision::Accept(acceptance)), Ok(upgrade)) => {
            return upgrade.answer(acceptance).map(Answer::Accepted);
        }
        (Ok(Decision::Accept(_)), Err(error)) | (Err(error), _) => Refusal::from(error),
        // RFC 9110, §9.3.6: that would open a tunnel.
        (Ok(Decision::Respond(response)), _)
            if *method == Method::CONNECT && response.status().is_success() =>
        {
            Refusal::from(RequestError::Method)
        }
        (Ok(Decision::Respond(response)), _) => Refusal::new(response)?,
    };
    // RFC 9110, §9.3.2: the answer to HEAD has the fields of a body but not the body.
    Ok(Answer::Refused(match *method {
        Method::HEAD => refusal.without_content(),
        _ => refusal,
    }))
}

/// What the application decides about a request.
#[derive(Debug)]
pub enum Decision {
    /// Opens the WebSocket, if the request is a valid opening handshake.
    Accept(Acceptance),
    /// Answers with this response instead, whatever its status: an error, a redirection, a page. A
    /// CONNECT is answered with 405 if this would open a tunnel.
    ///
    /// The library sets `Connection`, `Content-Length` and whatever else frames a response.
    Respond(Response<Bytes>),
}

impl Decision {
    /// Opens the WebSocket, without a subprotocol or further headers.
    pub fn accept() -> Self {
        Self::Accept(Acceptance::new())
    }

    /// Answers with this status and body.
    ///
    /// ```
    /// use sansocket::http::{StatusCode, header::HeaderValue};
    /// use sansocket::handshake::Decision;
    ///
    /// let html = HeaderValue::from_static("text/html; charset=utf-8");
    /// let page = Decision::reply(StatusCode::OK, html, "<p>Hello</p>");
    /// ```
    pub fn reply(status: StatusCode, content_type: HeaderValue, body: impl Into<Bytes>) -> Self {
        let mut response = Response::new(body.into());
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, content_type);
        Self::Respond(response)
    }
}

impl From<RequestError> for Decision {
    /// Refuses the request as the library itself does for this error.
    fn from(error: RequestError) -> Self {
        Self::Respond(Refusal::from(error).into_response())
    }
}

impl From<Acceptance> for Decision {
    fn from(acceptance: Acceptance) -> Self {
        Self::Accept(acceptance)
    }
}

/// The terms on which the application accepts an opening handshake.
///
/// ```
/// use sansocket::http::header::{HeaderValue, SET_COOKIE};
/// use sansocket::handshake::Acceptance;
///
/// let acceptance = Acceptance::new()
///     .subprotocol(Some("chat"))
///     .header(SET_COOKIE, HeaderValue::from_static("seen=1"));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Acceptance {
    subprotocol: Option<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
    extensions: Supported,
}

impl Acceptance {
    /// Creates an acceptance without a subprotocol or further headers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the subprotocol, which has to be one that the client offered. With `None`, the default,
    /// there is none.
    #[must_use]
    pub fn subprotocol(mut self, name: Option<&str>) -> Self {
        self.subprotocol = name.map(str::to_owned);
        self
    }

    /// Sets the subprotocol if none is set.
    #[must_use]
    pub fn or_subprotocol(mut self, name: Option<&str>) -> Self {
        self.subprotocol = self.subprotocol.or_else(|| name.map(str::to_owned));
        self
    }

    /// Compresses messages, if the client makes an offer that can be accepted (RFC 7692).
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn deflate(mut self, deflate: &Deflate) -> Self {
        self.extensions.deflate = Some(deflate.clone());
        self
    }

    /// Supports these extensions if none is set.
    #[cfg(feature = "blocking")]
    #[must_use]
    #[cfg_attr(not(feature = "deflate"), expect(unused_variables, reason = "there is none"))]
    pub(crate) fn or_extensions(self, extensions: &Supported) -> Self {
        #[cfg(feature = "deflate")]
        if self.extensions.deflate.is_none() {
            return Self { extensions: extensions.clone(), ..self };
        }
        self
    }

    /// These terms in addition to earlier ones, which count less where only one can.
    #[cfg(feature = "blocking")]
    pub(crate) fn added_to(self, earlier: Self) -> Self {
        let mut terms = self.or_subprotocol(earlier.subprotocol.as_deref());
        terms = terms.or_extensions(&earlier.extensions);
        terms.headers.splice(..0, earlier.headers);
        terms
    }

    /// Adds a header to the response. Headers that make up the handshake or announce a body can't be set.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// The answer to a request.
#[derive(Debug)]
pub enum Answer {
    /// The handshake succeeds.
    Accepted(Accepted),
    /// The handshake fails, and this tells the client why.
    Refused(Refusal),
}

/// A decision of the application that can't be carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecisionError {
    /// The subprotocol is none of those that the client offered (section 4.2.2).
    #[error("the client did not offer the subprotocol {0:?}")]
    UnofferedSubprotocol(String),
    /// The header is part of the handshake, so the application may not set it.
    #[error("the header {0} is set by the handshake")]
    OwnedHeader(HeaderName),
    /// The value of the header contains characters outside ASCII.
    #[error("the value of the header {0} is not ASCII")]
    NonAsciiHeader(HeaderName),
    /// A response with a status from 100 to 199 doesn't end a request.
    #[error("a response with status {0} is not final")]
    InformationalStatus(StatusCode),
    /// A response with this status has no body (RFC 9110, section 6.4.1).
    #[error("a response with status {0} has no body")]
    BodyForbidden(StatusCode),
}

impl UpgradeRequest<'_> {
    /// Returns the response that opens the WebSocket (section 4.2.2).
    ///
    /// # Errors
    ///
    /// [`DecisionError`] if the subprotocol wasn't offered, or if a header may not be set.
    pub fn answer(&self, acceptance: Acceptance) -> Result<Accepted, DecisionError> {
        let Acceptance { subprotocol, headers, extensions } = acceptance;
        if let Some((name, _)) = headers.iter().find(|(name, _)| OWNED.contains(name)) {
            return Err(DecisionError::OwnedHeader(name.clone()));
        }
        all_ascii(headers.iter().map(|(name, value)| (name, value)))?;
        // §4.2.2 (5.5) One that the client offered, or the field is absent.
        match subprotocol {
            Some(name) if !self.subprotocols().contains(&name.as_str()) => {
                Err(DecisionError::UnofferedSubprotocol(name))
            }
            // §9.1: the offers become the extensions of the connection. Not mentioning an offer
            // declines it.
            subprotocol => {
                let agreed = extensions.accept(self.extensions());
                Ok(Accepted::new(self.accept(), subprotocol, headers, agreed))
            }
        }
    }
}

/// Checks that all the values can be written.
pub(super) fn all_ascii<'a>(
    mut headers: impl Iterator<Item = (&'a HeaderName, &'a HeaderValue)>,
) -> Result<(), DecisionError> {
    match headers.find(|(_, value)| !encode::is_ascii(value)) {
        Some((name, _)) => Err(DecisionError::NonAsciiHeader(name.clone())),
        None => Ok(()),
    }
}
