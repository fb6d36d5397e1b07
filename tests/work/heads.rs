//! The opening handshake: a head that arrives byte by byte, and the lists in it.

use sansocket::handshake::{
    Answer, ClientHandshake, ClientRequest, Decision, ExtensionOffer, HeadLimits, Outcome,
    ProxyHandshake, ProxyOutcome, ServerHandshake, UpgradeRequest, negotiate,
};
use sansocket::{Entropy, handshake};

use crate::size;

/// Ends a head at this size, with lines the last of which is as long as needed.
fn padded(head: &str, size: usize) -> Vec<u8> {
    let used = head.len() + "X: \r\n\r\n".len();
    format!("{head}X: {}\r\n\r\n", "x".repeat(size.saturating_sub(used))).into_bytes()
}

fn limits() -> HeadLimits {
    HeadLimits::default().max_size(usize::MAX).max_headers(usize::MAX)
}

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

const RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

/// The request in these bytes, which arrive one by one.
fn serve(bytes: &mut [u8]) -> http::Request<()> {
    let mut server = ServerHandshake::new(limits());
    let mut bytes = bytes.iter_mut().map(std::slice::from_mut);
    let request = bytes.find_map(|mut byte| server.receive(&mut byte).unwrap());
    assert!(bytes.next().is_none());
    request.expect("a whole head")
}

/// A client that waits for a response.
fn client() -> ClientHandshake {
    let request = ClientRequest::new("ws://a/".parse().unwrap())
        .head_limits(limits())
        .max_body_size(usize::MAX);
    let sample = Entropy::from_fn(|bytes| bytes.copy_from_slice(b"the sample nonce"));
    ClientHandshake::with_entropy(&request, sample)
}

/// The outcome of these bytes, which arrive one by one.
fn connect(bytes: &mut [u8]) -> Outcome {
    let mut client = client();
    let mut bytes = bytes.iter_mut().map(std::slice::from_mut);
    let outcome = bytes.find_map(|mut byte| client.receive(&mut byte).unwrap());
    let mut outcome = outcome.expect("a whole head");
    if let Outcome::Rejected(rejection) = &mut outcome {
        bytes.for_each(|mut byte| rejection.receive(&mut byte));
    }
    outcome
}

/// The outcome of these bytes, which arrive one by one from a proxy.
fn ask_proxy(bytes: &mut [u8]) -> ProxyOutcome {
    let request = ClientRequest::new("ws://a/".parse().unwrap()).head_limits(limits());
    let mut handshake = ProxyHandshake::new(&"http://b".parse().unwrap(), &request);
    let mut bytes = bytes.iter_mut().map(std::slice::from_mut);
    let outcome = bytes.find_map(|mut byte| handshake.receive(&mut byte).unwrap());
    let mut outcome = outcome.expect("a whole head");
    if let ProxyOutcome::Refused(rejection) = &mut outcome {
        bytes.for_each(|mut byte| rejection.receive(&mut byte));
    }
    outcome
}

#[test]
fn a_request_that_arrives_byte_by_byte() {
    let request = serve(&mut padded(REQUEST, size()));
    assert!(UpgradeRequest::parse(&request).is_ok());
}

#[test]
fn a_response_that_arrives_byte_by_byte() {
    let outcome = connect(&mut padded(RESPONSE, size()));
    assert!(matches!(outcome, Outcome::Established(_)));
}

#[test]
fn a_proxys_answer_that_arrives_byte_by_byte() {
    let tunnel = "HTTP/1.1 200 \r\n";
    let outcome = ask_proxy(&mut padded(tunnel, size()));
    assert!(matches!(outcome, ProxyOutcome::Tunnel(_)));

    let refusal = "HTTP/1.1 407 \r\nContent-Length: 5\r\n";
    let mut bytes = padded(refusal, size());
    bytes.extend(b"body!");
    let ProxyOutcome::Refused(rejection) = ask_proxy(&mut bytes) else { panic!("a tunnel") };
    assert_eq!(rejection.into_response().body(), b"body!");
}

#[test]
fn many_interim_responses_of_a_proxy() {
    let interim = "HTTP/1.1 103 \r\n\r\n";
    let bytes = interim.repeat(size() / interim.len()) + "HTTP/1.1 200 \r\n\r\n";
    assert!(matches!(ask_proxy(bytes.into_bytes().as_mut()), ProxyOutcome::Tunnel(_)));
}

/// Heads that arrive whole are read in another way.
#[test]
fn heads_in_one_piece() {
    let mut bytes = padded(REQUEST, size());
    let mut server = ServerHandshake::new(limits());
    let (last, others) = bytes.split_last_mut().unwrap();
    assert!(server.receive(&mut &mut others[..]).unwrap().is_none());
    assert!(server.receive(&mut std::slice::from_mut(last)).unwrap().is_some());
    assert!(ServerHandshake::new(limits()).receive(&mut &mut bytes[..]).unwrap().is_some());

    let mut lines = "\n".repeat(size()).into_bytes();
    assert!(ServerHandshake::new(limits()).receive(&mut &mut lines[..]).is_err());
}

#[test]
fn many_interim_responses_in_one_piece() {
    let lines = "x:\r\n".repeat(65);
    for interim in ["HTTP/1.1 103 \r\n\r\n", &format!("HTTP/1.1 103 \r\n{lines}\r\n")] {
        let head = interim.repeat(size() / interim.len()) + RESPONSE + "\r\n";
        let outcome = client().receive(&mut &mut head.into_bytes()[..]).unwrap();
        assert!(matches!(outcome, Some(Outcome::Established(_))));
    }
}

/// A malformed head is found by its end, an oversized one before the rest of it has come.
#[test]
fn heads_that_are_refused_arrive_byte_by_byte() {
    let mut malformed = padded(&format!("{REQUEST}no colon\r\n"), size());
    let mut server = ServerHandshake::new(limits());
    let mut bytes = malformed.iter_mut().map(std::slice::from_mut);
    assert!(bytes.any(|mut byte| server.receive(&mut byte).is_err()));
    assert!(bytes.next().is_none());

    let mut endless = vec![b'x'; size()];
    let mut server = ServerHandshake::new(HeadLimits::default().max_size(size() / 2));
    let mut bytes = endless.iter_mut().map(std::slice::from_mut);
    assert!(bytes.any(|mut byte| server.receive(&mut byte).is_err()));
}

#[test]
fn a_head_of_many_lines() {
    let lines = (0..size() / 10).map(|number| format!("x{number:06}:\r\n"));
    let lines = lines.collect::<Vec<_>>().concat();
    let request = serve(format!("{REQUEST}{lines}\r\n").into_bytes().as_mut());
    assert!(UpgradeRequest::parse(&request).is_ok());
}

#[test]
fn many_lines_of_one_field() {
    let lines = "connection:\r\n".repeat(size() / 13);
    let request = serve(format!("{REQUEST}{lines}\r\n").into_bytes().as_mut());
    assert!(UpgradeRequest::parse(&request).is_ok());
}

#[test]
fn many_interim_responses() {
    let interim = "HTTP/1.1 103 \r\n\r\n";
    let bytes = interim.repeat(size() / interim.len()) + RESPONSE + "\r\n";
    assert!(matches!(connect(bytes.into_bytes().as_mut()), Outcome::Established(_)));
}

#[test]
fn the_body_of_a_rejection_in_small_chunks() {
    let chunks = "1\r\nx\r\n".repeat(size() / 6);
    let bytes = format!("HTTP/1.1 403 \r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n");
    let Outcome::Rejected(rejection) = connect(bytes.into_bytes().as_mut()) else { panic!() };
    assert_eq!(rejection.into_response().body().len(), size() / 6);
}

#[test]
fn lists_of_empty_elements() {
    let field = ", ".repeat(size() / 2);
    for name in ["Connection", "Upgrade"] {
        let head = format!("{REQUEST}{name}: {field}\r\n\r\n");
        let request = serve(head.into_bytes().as_mut());
        assert!(UpgradeRequest::parse(&request).is_ok());
    }
}

#[test]
fn many_subprotocols() {
    let field = "a,".repeat(size() / 2);
    let head = format!("{REQUEST}Sec-WebSocket-Protocol: {field}\r\n\r\n");
    let request = serve(head.into_bytes().as_mut());
    let upgrade = UpgradeRequest::parse(&request).unwrap();
    assert_eq!(upgrade.select_subprotocol(&["b", "c"]), None);
}

#[test]
fn many_extensions_parameters_and_escapes() {
    for piece in ["a,", "a;", ";a", "\"\\a", "a;b=\"\\c\",", " \t"] {
        let field = format!("x;y={}", piece.repeat(size() / piece.len()));
        let _ = ExtensionOffer::parse_all([field.as_bytes()]);
        let field = piece.repeat(size() / piece.len());
        let _ = ExtensionOffer::parse_all([field.as_bytes()]);
    }
}

#[test]
fn an_answer_to_many_offers() {
    let field = "permessage-deflate; unknown, ".repeat(size() / 29);
    let head = format!("{REQUEST}Sec-WebSocket-Extensions: {field}\r\n\r\n");
    let request = serve(head.into_bytes().as_mut());
    let decide = |_: &_, _: Result<&UpgradeRequest<'_>, &handshake::RequestError>| {
        #[cfg(feature = "deflate")]
        return handshake::Acceptance::new().deflate(&sansocket::extension::Deflate::default());
        #[cfg(not(feature = "deflate"))]
        handshake::Acceptance::new()
    };
    let answer = negotiate(&request, |request, upgrade| Decision::from(decide(request, upgrade)));
    assert!(matches!(answer, Ok(Answer::Accepted(_))));
}
