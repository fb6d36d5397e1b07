//! From the bytes of a head to the types of the `http` crate.
//!
//! The one file that names the HTTP parser. The header values share the head's storage.

use bytes::Bytes;
use http::{
    HeaderMap, Method, Request, Response, StatusCode, Uri, Version,
    header::{HeaderName, HeaderValue},
};
use httparse::{EMPTY_HEADER, Error, Header, Status};

use super::head::{Head, HeadError};

/// The request of which this is the head.
pub(super) fn request(head: &Head) -> Result<Request<()>, HeadError> {
    let mut lines = vec![EMPTY_HEADER; head.headers];
    let mut parsed = httparse::Request::new(&mut lines);
    let outcome = parsed.parse(&head.bytes);
    completed(outcome, head)?;
    let (Some(method), Some(target), Some(minor)) = (parsed.method, parsed.path, parsed.version)
    else {
        return Err(HeadError::StartLine);
    };
    // The URI type would take letters outside ASCII, and drop a fragment without a word. Neither
    // may stand in a request line (RFC 9112, §3.2).
    if !target.is_ascii() || target.contains('#') {
        return Err(HeadError::StartLine);
    }
    let target = head.bytes.slice_ref(target.as_bytes());

    let mut request = Request::new(());
    *request.method_mut() =
        Method::from_bytes(method.as_bytes()).map_err(|_| HeadError::StartLine)?;
    *request.uri_mut() = Uri::from_maybe_shared(target).map_err(|_| HeadError::StartLine)?;
    *request.version_mut() = version(minor);
    *request.headers_mut() = headers(parsed.headers, &head.bytes)?;
    Ok(request)
}

/// The response of which this is the head. Its reason phrase means nothing and is not kept.
pub(super) fn response(head: &Head) -> Result<Response<()>, HeadError> {
    let mut lines = vec![EMPTY_HEADER; head.headers];
    let mut parsed = httparse::Response::new(&mut lines);
    let outcome = parsed.parse(&head.bytes);
    completed(outcome, head)?;
    let (Some(code), Some(minor)) = (parsed.code, parsed.version) else {
        return Err(HeadError::StartLine);
    };

    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_u16(code).map_err(|_| HeadError::StartLine)?;
    *response.version_mut() = version(minor);
    *response.headers_mut() = headers(parsed.headers, &head.bytes)?;
    Ok(response)
}

/// That the parser saw the head end where we did.
fn completed(outcome: httparse::Result<usize>, head: &Head) -> Result<(), HeadError> {
    match outcome {
        Ok(Status::Complete(end)) if end == head.bytes.len() => Ok(()),
        Err(Error::Version) if names_another_version(&head.bytes) => Err(HeadError::Version),
        Ok(_) | Err(Error::NewLine | Error::Status | Error::Token | Error::Version) => {
            Err(HeadError::StartLine)
        }
        Err(Error::HeaderName) => Err(HeadError::HeaderName),
        Err(Error::HeaderValue) => Err(HeadError::HeaderValue),
        Err(Error::TooManyHeaders) => Err(HeadError::TooManyHeaders { limit: head.headers }),
    }
}

/// Whether the first line is well-formed but of another version of HTTP: that has an answer of its
/// own. The version is the last of three words in a request, and the first in a response.
fn names_another_version(head: &[u8]) -> bool {
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let version = match words.as_slice() {
        [version @ [b'H', b'T', b'T', b'P', b'/', ..], ..] | [_, _, version] => version,
        _ => line,
    };
    match version {
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'0' | b'1'] => false,
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor] => {
            major.is_ascii_digit() && minor.is_ascii_digit()
        }
        _ => false,
    }
}

fn version(minor: u8) -> Version {
    if minor == 0 { Version::HTTP_10 } else { Version::HTTP_11 }
}

fn headers(lines: &[Header<'_>], head: &Bytes) -> Result<HeaderMap, HeadError> {
    // The map has a limit of its own, far over any sensible one.
    let too_many = |_| HeadError::TooManyHeaders { limit: lines.len() };
    let mut headers = HeaderMap::try_with_capacity(lines.len()).map_err(too_many)?;
    for line in lines {
        let name =
            HeaderName::from_bytes(line.name.as_bytes()).map_err(|_| HeadError::HeaderName)?;
        let value = HeaderValue::from_maybe_shared(head.slice_ref(line.value))
            .map_err(|_| HeadError::HeaderValue)?;
        headers.try_append(name, value).map_err(too_many)?;
    }
    Ok(headers)
}
