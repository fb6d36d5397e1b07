use core::fmt;

use http::{Method, Request, Uri, Version};

use super::{
    decision::{self, Answer, Decision, DecisionError},
    error::RequestError,
    upgrade_request::UpgradeRequest,
};
use crate::handshake::parse::HeaderLines;

/// A request whose header lines still lie where they arrived.
///
/// [`ServerHandshake::receive_head`](super::ServerHandshake::receive_head) lends it, for as long as it
/// takes to answer it. Nothing but the target was copied.
pub struct RequestHead<'head> {
    method: Method,
    uri: Uri,
    version: Version,
    fields: HeaderLines<'head>,
}

impl<'head> RequestHead<'head> {
    pub(in crate::handshake) const fn new(
        method: Method,
        uri: Uri,
        version: Version,
        fields: HeaderLines<'head>,
    ) -> Self {
        Self { method, uri, version, fields }
    }

    /// The method.
    pub const fn method(&self) -> &Method {
        &self.method
    }

    /// The target.
    pub const fn uri(&self) -> &Uri {
        &self.uri
    }

    /// HTTP/1.0 or HTTP/1.1.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The opening handshake that this is, as [`UpgradeRequest::parse`] checks it.
    ///
    /// # Errors
    ///
    /// One [`RequestError`] for each rule of section 4.2.1 that the request breaks.
    pub fn upgrade(&self) -> Result<UpgradeRequest<'_>, RequestError> {
        UpgradeRequest::of(&self.method, &self.uri, self.version, &self.fields)
    }

    /// Answers it, as [`negotiate`](super::negotiate) answers a request.
    ///
    /// # Errors
    ///
    /// [`DecisionError`] if the decision can't be carried out. `Refusal::from` makes a 500 of it.
    pub fn negotiate(
        &self,
        decide: impl FnOnce(Result<&UpgradeRequest<'_>, &RequestError>) -> Decision,
    ) -> Result<Answer, DecisionError> {
        decision::answer(&self.method, self.upgrade(), decide)
    }

    /// The request as a value, with all of its headers.
    ///
    /// # Errors
    ///
    /// [`RequestError::Head`] if it has a header that a `HeaderMap` can't hold: one whose name is
    /// longer than 65,535 bytes.
    pub fn to_request(&self) -> Result<Request<()>, RequestError> {
        let mut request = Request::new(());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.version_mut() = self.version;
        *request.headers_mut() = self.fields.to_map()?;
        Ok(request)
    }
}

impl fmt::Debug for RequestHead<'_> {
    /// Without the headers, in which there may be secrets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RequestHead")
            .field("method", &self.method)
            .field("uri", &self.uri)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}
