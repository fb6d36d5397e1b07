//! A client reads a response the same however it is cut, and takes nothing for a WebSocket but what
//! section 4.1 describes.

use http::{HeaderMap, StatusCode};
use sansocket::Entropy;
#[cfg(feature = "deflate")]
use sansocket::extension::Deflate;
use sansocket::handshake::{
    ClientHandshake, ClientRequest, HeadLimits, Outcome, ResponseError, SecWebSocketKey,
};

use super::http_head::Head;
use super::script::{Script, pieces};

/// The nonce of section 1.3.
const NONCE: [u8; 16] = *b"the sample nonce";

/// How many bytes of a body are kept.
const MAX_BODY_SIZE: usize = 64;

/// The input is a byte of choices, the sizes of the pieces, and what the server sends.
pub fn law(data: &[u8]) {
    let mut script = Script(data);
    let choice = script.byte();
    let limits = match choice & 1 {
        0 => HeadLimits::default(),
        _ => HeadLimits::default().max_size(400).max_headers(8),
    };
    let sizes = script.cuts();
    any_cut_is_the_same(&offer(limits, choice & 2 != 0), script.0, &sizes);
}

/// What the client asks for: two subprotocols, and compression if it is there and wanted.
pub fn offer(limits: HeadLimits, compresses: bool) -> ClientRequest {
    let request = ClientRequest::new("ws://server.example.com/chat".parse().unwrap())
        .subprotocol("chat")
        .and_then(|request| request.subprotocol("superchat"))
        .unwrap()
        .head_limits(limits)
        .max_body_size(MAX_BODY_SIZE);
    #[cfg(feature = "deflate")]
    if compresses {
        return request.deflate(&Deflate::default());
    }
    let _ = compresses;
    request
}

/// Cut in any way, the bytes are the same response with the same rest, or the same error; and what is
/// accepted proves that it answers this handshake.
pub fn any_cut_is_the_same(offer: &ClientRequest, bytes: &[u8], sizes: &[usize]) {
    let whole = Received::of(offer, &[bytes]);
    for sizes in [sizes, &[1]] {
        assert_eq!(Received::of(offer, &pieces(bytes, sizes)), whole);
    }
    match whole {
        Received::Established { rest, subprotocol, extension, .. } => {
            let head = &bytes[..bytes.len() - rest.len()];
            assert_established(head, subprotocol.as_deref(), extension.as_deref());
        }
        Received::Rejected { status, body, .. } => {
            assert!(!status.is_informational());
            assert!(body.len() <= MAX_BODY_SIZE);
        }
        Received::Incomplete | Received::Error(_) => {}
    }
}

/// What came of the bytes.
#[derive(Debug, PartialEq)]
enum Received {
    Incomplete,
    Established {
        headers: HeaderMap,
        subprotocol: Option<String>,
        extension: Option<String>,
        rest: Vec<u8>,
    },
    Rejected {
        status: StatusCode,
        headers: HeaderMap,
        body: Vec<u8>,
        complete: bool,
    },
    Error(ResponseError),
}

impl Received {
    fn of(offer: &ClientRequest, pieces: &[&[u8]]) -> Self {
        let mut handshake = begin(offer);
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
            let behind = &pieces[index + 1..];
            let mut rest = input.to_vec();
            let mut rejection = match outcome {
                Outcome::Established(established) => {
                    rest.extend(behind.concat());
                    let headers = established.response().headers().clone();
                    let subprotocol = established.subprotocol().map(str::to_owned);
                    #[cfg(feature = "deflate")]
                    let extension = established.deflate().map(ToString::to_string);
                    #[cfg(not(feature = "deflate"))]
                    let extension = None;
                    return Self::Established { headers, subprotocol, extension, rest };
                }
                Outcome::Rejected(rejection) => rejection,
            };
            for piece in [&rest[..]].iter().chain(behind) {
                let mut buffer = piece.to_vec();
                let mut input = &mut buffer[..];
                rejection.receive(&mut input);
                assert!(input.is_empty() || rejection.is_complete());
            }
            let complete = rejection.is_complete();
            let response = rejection.into_response();
            return Self::Rejected {
                status: response.status(),
                headers: response.headers().clone(),
                body: response.into_body(),
                complete,
            };
        }
        assert_eq!(handshake.receive_eof(), ResponseError::Truncated);
        Self::Incomplete
    }
}

/// A handshake whose request is written, and is what section 4.1 asks for.
fn begin(offer: &ClientRequest) -> ClientHandshake {
    let entropy = Entropy::from_fn(|bytes| {
        for (byte, nonce) in bytes.iter_mut().zip(NONCE) {
            *byte = nonce;
        }
    });
    let mut handshake = ClientHandshake::with_entropy(offer, entropy);
    let bytes = std::mem::take(handshake.outgoing());
    let head = Head::read(&bytes);
    assert!(head.rest.is_empty());
    assert_eq!(head.start, b"GET /chat HTTP/1.1");
    assert_eq!(head.value("host"), b"server.example.com");
    assert_eq!(head.value("sec-websocket-key"), b"dGhlIHNhbXBsZSBub25jZQ==");
    handshake
}

/// 4.1, seen in the bytes.
fn assert_established(bytes: &[u8], subprotocol: Option<&str>, extension: Option<&str>) {
    // 1xx responses may precede the one that counts.
    let mut head = Head::read(bytes);
    while !head.rest.is_empty() {
        assert!(head.start.starts_with(b"HTTP/1.") && head.start[9] == b'1');
        head = Head::read(head.rest);
    }
    assert!(head.start.starts_with(b"HTTP/1.1 101"));
    assert!(head.value("upgrade").eq_ignore_ascii_case(b"websocket"));
    assert!(head.list_has("connection", "upgrade"));
    let accept = SecWebSocketKey::from_nonce(NONCE).accept();
    assert_eq!(head.value("sec-websocket-accept"), accept.as_str().as_bytes());
    // 9.1: one element or none, and that names the extension that was offered.
    let extensions = head.values("sec-websocket-extensions").join(&b","[..]);
    assert_eq!(extensions.is_empty(), extension.is_none());
    if extension.is_some() {
        let elements = extensions.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        let mut elements = elements.filter(|element| !element.is_empty());
        assert!(elements.next().is_some_and(|one| one.starts_with(b"permessage-deflate")));
        assert_eq!(elements.next(), None);
    }
    match head.values("sec-websocket-protocol")[..] {
        [] => assert_eq!(subprotocol, None),
        [chosen @ (b"chat" | b"superchat")] => {
            assert_eq!(subprotocol.map(str::as_bytes), Some(chosen));
        }
        ref others => panic!("{others:?}"),
    }
}
