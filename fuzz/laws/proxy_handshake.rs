//! A client reads a proxy's answer the same however it is cut, takes nothing for a tunnel but a
//! success, and leaves to the tunnel every byte after the head (RFC 9110, section 9.3.6).

use http::{HeaderMap, StatusCode};
use sansocket::handshake::{
    ClientRequest, HeadLimits, Proxy, ProxyHandshake, ProxyOutcome, ProxyResponseError,
};

use super::http_head::Head;
use super::script::{Script, pieces};

/// How many bytes of a body are kept.
const MAX_BODY_SIZE: usize = 64;

/// The input is a byte of choices, the sizes of the pieces, and what the proxy sends.
pub fn law(data: &[u8]) {
    let mut script = Script(data);
    let limits = match script.byte() & 1 {
        0 => HeadLimits::default(),
        _ => HeadLimits::default().max_size(400).max_headers(8),
    };
    let sizes = script.cuts();
    any_cut_is_the_same(limits, script.0, &sizes);
}

/// Cut in any way, the bytes are the same answer with the same rest, or the same error.
pub fn any_cut_is_the_same(limits: HeadLimits, bytes: &[u8], sizes: &[usize]) {
    let whole = Received::of(limits, &[bytes]);
    for sizes in [sizes, &[1]] {
        assert_eq!(Received::of(limits, &pieces(bytes, sizes)), whole);
    }
    match whole {
        Received::Tunnel { status, rest, .. } => {
            assert!(status.is_success());
            assert_final_head(bytes, b'2', &rest);
        }
        Received::Refused { status, body, .. } => {
            assert!(!status.is_success() && !status.is_informational());
            assert!(body.len() <= MAX_BODY_SIZE);
        }
        Received::Incomplete | Received::Error(_) => {}
    }
}

/// What came of the bytes.
#[derive(Debug, PartialEq)]
enum Received {
    Incomplete,
    Tunnel { status: StatusCode, headers: HeaderMap, rest: Vec<u8> },
    Refused { status: StatusCode, headers: HeaderMap, body: Vec<u8>, complete: bool },
    Error(ProxyResponseError),
}

impl Received {
    fn of(limits: HeadLimits, pieces: &[&[u8]]) -> Self {
        let mut handshake = begin(limits);
        for (index, piece) in pieces.iter().enumerate() {
            let mut buffer = piece.to_vec();
            let mut input = &mut buffer[..];
            let outcome = match handshake.receive(&mut input) {
                Ok(None) => {
                    assert!(input.is_empty(), "an incomplete head takes all input");
                    continue;
                }
                Ok(Some(outcome)) => outcome,
                Err(error) => return Self::Error(error),
            };
            let mut rest = [&*input, &pieces[index + 1..].concat()].concat();
            let mut rejection = match outcome {
                ProxyOutcome::Tunnel(response) => {
                    let headers = response.headers().clone();
                    return Self::Tunnel { status: response.status(), headers, rest };
                }
                ProxyOutcome::Refused(rejection) => rejection,
            };
            let mut input = &mut rest[..];
            rejection.receive(&mut input);
            assert!(input.is_empty() || rejection.is_complete());
            let complete = rejection.is_complete();
            let response = rejection.into_response();
            return Self::Refused {
                status: response.status(),
                headers: response.headers().clone(),
                body: response.into_body(),
                complete,
            };
        }
        assert_eq!(handshake.receive_eof(), ProxyResponseError::Truncated);
        Self::Incomplete
    }
}

/// A handshake whose request is written, and is what RFC 9110 asks for.
fn begin(limits: HeadLimits) -> ProxyHandshake {
    let proxy: Proxy = "http://Aladdin:open%20sesame@proxy.example.com".parse().unwrap();
    let request = ClientRequest::new("ws://server.example.com/chat".parse().unwrap())
        .head_limits(limits)
        .max_body_size(MAX_BODY_SIZE);
    let mut handshake = ProxyHandshake::new(&proxy, &request);
    let bytes = std::mem::take(handshake.outgoing());
    let head = Head::read(&bytes);
    assert!(head.rest.is_empty());
    assert_eq!(head.start, b"CONNECT server.example.com:80 HTTP/1.1");
    assert_eq!(head.value("host"), b"server.example.com:80");
    assert_eq!(head.value("proxy-authorization"), b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    handshake
}

/// Asserts that the first head that isn't interim has this class, and that `rest` follows it.
fn assert_final_head(bytes: &[u8], class: u8, rest: &[u8]) {
    let mut head = Head::read(bytes);
    while head.start[9] == b'1' {
        head = Head::read(head.rest);
    }
    assert!(head.start.starts_with(b"HTTP/1.") && head.start[9] == class);
    assert_eq!(head.rest, rest);
}
