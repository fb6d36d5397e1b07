//! From the bytes of a head to its parts, and to the types of the `http` crate.
//!
//! This is the only file that names the HTTP parser.

use core::mem::MaybeUninit;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode, Uri, Version};
use httparse::{Error, Header, ParserConfig, Status};

use crate::handshake::client::ResponseHead;
use crate::handshake::field::HandshakeFields;
use crate::handshake::head::{Head, HeadError, HeadReader};
use crate::handshake::server::{RequestError, RequestHead};

/// How many header lines there is room for on the stack. Few heads have more.
const ON_THE_STACK: usize = 64;

/// The length of the longest target that the URI type can hold.
const MAX_TARGET: usize = 65_534;

/// The header lines of a head, where they arrived.
#[derive(Debug, Clone, Copy)]
pub(super) struct HeaderLines<'head> {
    head: &'head [u8],
    lines: &'head [Header<'head>],
}

impl<'head> HeaderLines<'head> {
    /// Returns the fields that the rules of the handshake are about.
    pub(super) fn of_the_handshake(self) -> HandshakeFields<'head> {
        HandshakeFields::among(self.lines.iter().map(|line| (line.name, line.value)))
    }

    /// Returns the values of the lines with this name, in order.
    pub(super) fn named(self, name: &HeaderName) -> impl Iterator<Item = &'head [u8]> {
        let named = self.lines.iter().filter(|line| line.name.eq_ignore_ascii_case(name.as_str()));
        named.map(|line| line.value)
    }

    /// Returns the lines as a map. The values share one copy of the head.
    pub(super) fn to_map(self) -> Result<HeaderMap, HeadError> {
        // The map has a limit of its own, far above any sensible one.
        let too_many = |_| HeadError::TooManyHeaders { limit: self.lines.len() };
        let mut headers = HeaderMap::try_with_capacity(self.lines.len()).map_err(too_many)?;
        let head = Bytes::copy_from_slice(self.head);
        for line in self.lines {
            let name =
                HeaderName::from_bytes(line.name.as_bytes()).map_err(|_| HeadError::HeaderName)?;
            let start = offset(self.head, line.value);
            let value = head.slice(start..start + line.value.len());
            let value =
                HeaderValue::from_maybe_shared(value).map_err(|_| HeadError::HeaderValue)?;
            headers.try_append(name, value).map_err(too_many)?;
        }
        Ok(headers)
    }
}

/// Takes the head of a request off the input, and passes it to `take` once it is complete.
///
/// It is inlined, and has the error of its caller, so that a large `T` is not moved while the head is
/// incomplete.
#[inline(always)]
pub(super) fn request<T>(
    reader: &mut HeadReader,
    input: &mut &mut [u8],
    take: impl FnOnce(RequestHead<'_>) -> T,
) -> Result<Option<T>, RequestError> {
    if let Some(bytes) = reader.first_bytes(input) {
        let mut room = [const { MaybeUninit::uninit() }; ON_THE_STACK];
        let mut parsed = httparse::Request::new(&mut []);
        let outcome = parsed.parse_with_uninit_headers(bytes, &mut room);
        if let Some(head) = strict_head(reader, bytes, &outcome, parsed.headers) {
            let (taken, size) = (request_head(&parsed, head).map(take), head.len());
            reader.take(input, size);
            return Ok(Some(taken?));
        }
    }
    match reader.read(input) {
        Ok(Some(head)) => Ok(Some(request_of(&head, take)?)),
        Ok(None) => Ok(None),
        // RFC 9112, §3: a target that is longer than any has a status of its own.
        Err(HeadError::TooLarge { .. }) if reader.is_within_first_line() => {
            Err(RequestError::TargetTooLong)
        }
        Err(error) => Err(error.into()),
    }
}

/// Never a part of its caller: most heads arrive whole and don't come here.
#[inline(never)]
fn request_of<T>(
    head: &Head<'_>,
    take: impl FnOnce(RequestHead<'_>) -> T,
) -> Result<T, RequestError> {
    with_room_for_lines(head, |lines| {
        let mut parsed = httparse::Request::new(&mut []);
        completed(parsed.parse_with_uninit_headers(&head.bytes, lines), head)?;
        request_head(&parsed, &head.bytes).map(take)
    })
}

/// Takes the head of a response off the input, and passes it to `take` once it is complete.
///
/// Its reason phrase means nothing and is not kept.
pub(super) fn response<T>(
    reader: &mut HeadReader,
    input: &mut &mut [u8],
    take: impl FnOnce(ResponseHead<'_>) -> T,
) -> Result<Option<T>, HeadError> {
    if let Some(bytes) = reader.first_bytes(input) {
        let mut room = [const { MaybeUninit::uninit() }; ON_THE_STACK];
        let mut parsed = httparse::Response::new(&mut []);
        let outcome = ParserConfig::default().parse_response_with_uninit_headers(
            &mut parsed,
            bytes,
            &mut room,
        );
        if let Some(head) = strict_head(reader, bytes, &outcome, parsed.headers) {
            let (taken, size) = (response_head(&parsed, head).map(take), head.len());
            reader.take(input, size);
            return taken.map(Some);
        }
    }
    // A server of another protocol may say something else and then wait: that is no response.
    reader.check_response(input)?;
    match reader.read(input)? {
        Some(head) => response_of(&head, take).map(Some),
        None => Ok(None),
    }
}

/// Never a part of its caller, which most calls leave without it.
#[inline(never)]
fn response_of<T>(
    head: &Head<'_>,
    take: impl FnOnce(ResponseHead<'_>) -> T,
) -> Result<T, HeadError> {
    with_room_for_lines(head, |lines| {
        let mut parsed = httparse::Response::new(&mut []);
        let outcome = ParserConfig::default().parse_response_with_uninit_headers(
            &mut parsed,
            &head.bytes,
            lines,
        );
        completed(outcome, head)?;
        response_head(&parsed, &head.bytes).map(take)
    })
}

/// Returns the head at the front of these bytes, if the parser has found a complete one that the reader
/// would accept. In every other case the reader knows what to do.
///
/// RFC 9112, §2.2: the parser skips empty lines before a head, and takes a bare line feed for the end of
/// a line. Nor does it know how many lines there may be. In all else httparse, from 1.10 on, is as
/// strict as the reader, which checks every such head if debug assertions are on.
fn strict_head<'input>(
    reader: &HeadReader,
    bytes: &'input [u8],
    outcome: &httparse::Result<usize>,
    lines: &[Header<'_>],
) -> Option<&'input [u8]> {
    let Ok(Status::Complete(end)) = *outcome else { return None };
    let head = bytes.get(..end)?;
    let begins_a_line = |line: &Header<'_>| {
        head.get(..offset(head, line.name.as_bytes()))
            .is_some_and(|before| before.ends_with(b"\r\n"))
    };
    let is_strict = !matches!(head, [b'\r' | b'\n', ..])
        && lines.iter().all(begins_a_line)
        && head.ends_with(b"\r\n\r\n");
    let passes = is_strict && reader.admits(lines.len());
    debug_assert!(!passes || reader.passes(head), "the reader is stricter than we know");
    passes.then_some(head)
}

/// Returns where in the head a part of it begins.
fn offset(head: &[u8], part: &[u8]) -> usize {
    part.as_ptr().addr() - head.as_ptr().addr()
}

fn request_head<'head>(
    parsed: &'head httparse::Request<'_, '_>,
    head: &'head [u8],
) -> Result<RequestHead<'head>, RequestError> {
    const MALFORMED: RequestError = RequestError::Head(HeadError::StartLine);
    let (Some(method), Some(target), Some(minor)) = (parsed.method, parsed.path, parsed.version)
    else {
        return Err(MALFORMED);
    };
    // The URI type would accept letters outside ASCII, and silently drop a fragment. Neither may
    // appear in a request line (RFC 9112, §3.2).
    if !target.is_ascii() || target.contains('#') {
        return Err(MALFORMED);
    }
    if target.len() > MAX_TARGET {
        return Err(RequestError::TargetTooLong);
    }
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| MALFORMED)?;
    let target = Uri::try_from(target).map_err(|_| MALFORMED)?;
    let fields = HeaderLines { head, lines: parsed.headers };
    Ok(RequestHead::new(method, target, version(minor), fields))
}

fn response_head<'head>(
    parsed: &'head httparse::Response<'_, '_>,
    head: &'head [u8],
) -> Result<ResponseHead<'head>, HeadError> {
    let (Some(code), Some(minor)) = (parsed.code, parsed.version) else {
        return Err(HeadError::StartLine);
    };
    let status = StatusCode::from_u16(code).map_err(|_| HeadError::StartLine)?;
    let fields = HeaderLines { head, lines: parsed.headers };
    Ok(ResponseHead { status, version: version(minor), fields })
}

fn with_room_for_lines<'head, T>(
    head: &'head Head<'_>,
    parse: impl FnOnce(&mut [MaybeUninit<Header<'head>>]) -> T,
) -> T {
    match head.headers {
        0..=ON_THE_STACK => parse(&mut [const { MaybeUninit::uninit() }; ON_THE_STACK]),
        more => parse(&mut vec![MaybeUninit::uninit(); more]),
    }
}

/// Checks that the parser saw the head end where we did.
fn completed(outcome: httparse::Result<usize>, head: &Head<'_>) -> Result<(), HeadError> {
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

/// Returns whether the first line is well-formed but names another version of HTTP, which has an answer
/// of its own. The version is the last of three words in a request, and the first in a response.
fn names_another_version(head: &[u8]) -> bool {
    // Deviation: RFC 6455, §4.2.1, allows HTTP/1.2 and up. There is no such version, and the parser knows none.
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
