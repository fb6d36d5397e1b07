//! A server reads a request the same however it is cut, accepts what section 4.2.1 describes, and
//! refuses the rest in HTTP.

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, Version};
#[cfg(feature = "deflate")]
use sansocket::extension::{Deflate, ExtensionOffer, WindowBits};
use sansocket::handshake::{
    Acceptance, Answer, Decision, HeadLimits, Refusal, RequestError, SecWebSocketKey,
    ServerHandshake, UpgradeRequest, negotiate,
};

use super::http_head::{Head, is_token};
use super::script::{Script, pieces};

/// The input is a byte of choices, the sizes of the pieces, and what the client sends.
pub fn law(data: &[u8]) {
    let mut script = Script(data);
    let choice = script.byte();
    let limits = match choice & 1 {
        0 => HeadLimits::default(),
        _ => HeadLimits::default().max_size(400).max_headers(8),
    };
    let sizes = script.cuts();
    any_cut_is_the_same(limits, script.0, &sizes);
    the_answer_is_http(limits, script.0, choice >> 1);
}

/// Cut in any way, the bytes are the same request with the same rest, or the same error.
pub fn any_cut_is_the_same(limits: HeadLimits, bytes: &[u8], sizes: &[usize]) {
    let whole = Received::of(limits, &[bytes]);
    for sizes in [sizes, &[1]] {
        assert_eq!(Received::of(limits, &pieces(bytes, sizes)), whole);
    }
}

/// Whatever arrives is answered, and rightly: with a 101 if it is an opening handshake, else with a
/// complete response that ends the connection.
pub fn the_answer_is_http(limits: HeadLimits, bytes: &[u8], choice: u8) {
    let mut buffer = bytes.to_vec();
    let mut input = &mut buffer[..];
    let received = ServerHandshake::new(limits).receive(&mut input);
    let taken = bytes.len() - input.len();
    let request = match received {
        Ok(Some(request)) => request,
        Ok(None) => return,
        Err(error) => return assert_refusal(Refusal::from(error), &Method::GET),
    };
    let decide = |upgrade: Result<&UpgradeRequest<'_>, &RequestError>| {
        decide(choice, upgrade.ok().and_then(|upgrade| upgrade.subprotocols().first().copied()))
    };
    let answer = negotiate(&request, |_, upgrade| decide(upgrade));
    // It is the same where it lies.
    let mut buffer = bytes.to_vec();
    let in_place = ServerHandshake::new(limits)
        .receive_head(&mut &mut buffer[..], |request| request.negotiate(decide));
    assert_eq!(format!("{in_place:?}"), format!("{:?}", Ok::<_, RequestError>(Some(&answer))));
    match answer {
        Ok(Answer::Accepted(mut accepted)) => {
            let response = std::mem::take(accepted.outgoing());
            assert_accepted(&bytes[..taken], &response, choice >> 2 & 3 != 0);
        }
        Ok(Answer::Refused(refusal)) => assert_refusal(refusal, request.method()),
        Err(error) => assert_refusal(Refusal::from(error), request.method()),
    }
}

/// What an application might decide about a request, given the first subprotocol on offer.
fn decide(choice: u8, offered: Option<&str>) -> Decision {
    let acceptance = Acceptance::new();
    #[cfg(feature = "deflate")]
    let acceptance = match choice >> 2 & 3 {
        0 => acceptance,
        1 => acceptance.deflate(&Deflate::default()),
        2 => acceptance.deflate(&Deflate::default().client_no_context_takeover()),
        _ => acceptance.deflate(&Deflate::default().client_max_window_bits(WindowBits::MIN)),
    };
    match choice % 4 {
        0 => acceptance.into(),
        1 => acceptance.subprotocol(offered).into(),
        2 => acceptance.subprotocol(Some("never-offered")).into(),
        _ => {
            let mut response = Response::new(Bytes::from_static(b"not here"));
            *response.status_mut() = StatusCode::NOT_FOUND;
            Decision::Respond(response)
        }
    }
}

/// What came of the bytes.
#[derive(Debug, PartialEq)]
enum Received {
    Incomplete,
    Request(Box<Parts>),
    Error(RequestError),
}

/// What a request consists of, and what follows.
#[derive(Debug, PartialEq)]
struct Parts {
    method: Method,
    target: Uri,
    version: Version,
    headers: HeaderMap,
    rest: Vec<u8>,
}

impl Received {
    fn of(limits: HeadLimits, pieces: &[&[u8]]) -> Self {
        let mut handshake = ServerHandshake::new(limits);
        for (index, piece) in pieces.iter().enumerate() {
            let mut buffer = piece.to_vec();
            let mut input = &mut buffer[..];
            match handshake.receive(&mut input) {
                Ok(None) => assert!(input.is_empty(), "an incomplete head takes all input"),
                Ok(Some(request)) => {
                    let mut rest = input.to_vec();
                    rest.extend(pieces[index + 1..].concat());
                    return Self::request(&request, rest);
                }
                Err(error) => return Self::Error(error),
            }
        }
        assert_eq!(handshake.receive_eof(), RequestError::Truncated);
        Self::Incomplete
    }

    fn request(request: &Request<()>, rest: Vec<u8>) -> Self {
        Self::Request(Box::new(Parts {
            method: request.method().clone(),
            target: request.uri().clone(),
            version: request.version(),
            headers: request.headers().clone(),
            rest,
        }))
    }
}

/// 4.2.1, seen in the bytes; and 4.2.2.
fn assert_accepted(request: &[u8], response: &[u8], compresses: bool) {
    let request = Head::read(request);
    assert!(request.rest.is_empty(), "what follows the head is left in the input");
    assert!(request.start.starts_with(b"GET ") && request.start.ends_with(b" HTTP/1.1"));
    assert!(!request.value("host").is_empty());
    assert!(request.list_has("upgrade", "websocket"));
    assert!(request.list_has("connection", "upgrade"));
    assert_eq!(request.value("sec-websocket-version"), b"13");
    let key = request.value("sec-websocket-key");
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/".contains(byte);
    // 16 bytes are 22 characters, the last of which has four meaningless bits, and the padding.
    assert!(key.len() == 24 && key.ends_with(b"==") && key[..22].iter().all(is_base64));
    assert!(request.values("transfer-encoding").is_empty());
    assert!(request.values("content-length").iter().all(|length| *length == b"0"));

    let response = Head::read(response);
    assert!(response.rest.is_empty(), "a 101 has no body");
    assert_eq!(response.start, b"HTTP/1.1 101 Switching Protocols");
    assert_eq!(response.value("upgrade"), b"websocket");
    assert_eq!(response.value("connection"), b"Upgrade");
    let accept = SecWebSocketKey::parse(key).expect("a key").accept();
    assert_eq!(response.value("sec-websocket-accept"), accept.as_str().as_bytes());
    assert!(response.values("content-length").is_empty());
    assert!(response.values("transfer-encoding").is_empty());
    match response.values("sec-websocket-extensions")[..] {
        [] => {}
        // 9.1: out of the offer, and nothing but what was decided.
        [answer] => {
            assert!(compresses && answer.starts_with(b"permessage-deflate"));
            assert!(request.list_names("sec-websocket-extensions", "permessage-deflate"));
            #[cfg(feature = "deflate")]
            {
                let answer = ExtensionOffer::parse_all([answer]).expect("an answer of its own");
                assert!(Deflate::default().check(&answer[0]).is_ok());
            }
        }
        ref several => panic!("{several:?}"),
    }
    if !response.values("sec-websocket-protocol").is_empty() {
        let chosen = response.value("sec-websocket-protocol");
        assert!(is_token(chosen));
        let offers = request.values("sec-websocket-protocol").join(&b","[..]);
        assert!(offers.split(|byte| *byte == b',').any(|offer| offer.trim_ascii() == chosen));
    }
}

/// RFC 9112: a response with a length, after which the connection ends; and what its status demands.
fn assert_refusal(mut refusal: Refusal, method: &Method) {
    let bytes = std::mem::take(refusal.outgoing());
    let head = Head::read(&bytes);
    let status = std::str::from_utf8(&head.start[9..12]).unwrap().to_owned();
    assert!(head.start.starts_with(b"HTTP/1.1 ") && head.start[12] == b' ');
    assert_eq!(status, refusal.response().status().as_str());
    assert!(head.list_has("connection", "close"));
    assert!(head.values("transfer-encoding").is_empty());
    let length = std::str::from_utf8(head.value("content-length")).unwrap().parse().unwrap();
    let has_body = *method != Method::HEAD;
    assert_eq!(head.rest.len(), if has_body { length } else { 0 });
    match &status[..] {
        "405" => assert!(head.list_has("allow", "GET")),
        // 4.4, and RFC 9110, section 15.5.22.
        "426" => {
            assert_eq!(head.value("sec-websocket-version"), b"13");
            assert!(head.list_has("upgrade", "websocket"));
            assert!(head.list_has("connection", "upgrade"));
        }
        "400" | "404" | "414" | "431" | "500" | "505" => {}
        status => panic!("a refusal with {status}"),
    }
}
