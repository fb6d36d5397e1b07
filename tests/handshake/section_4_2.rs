//! What the server demands of the request, and what it answers.

use bytes::{Buf, Bytes};
use http::{
    Method, Request, Response, StatusCode, Version,
    header::{
        CONNECTION, CONTENT_LENGTH, COOKIE, HeaderValue, SEC_WEBSOCKET_ACCEPT,
        SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_PROTOCOL, SET_COOKIE, TRANSFER_ENCODING, UPGRADE,
    },
};
use sansocket::{
    Config, Event, ProtocolError,
    handshake::{
        Acceptance, Answer, Decision, DecisionError, HeadError, HeadLimits, Refusal, RequestError,
        ServerHandshake, UpgradeRequest, negotiate,
    },
};

use crate::peer::{ACCEPT, KEY, accepted, judge, read, read_head, refused, request, sent};

// The request

#[test]
fn a_request_that_is_on_its_way_keeps_its_secrets_from_a_log() {
    let mut handshake = ServerHandshake::default();
    let mut beginning = b"GET /chat HTTP/1.1\r\nCookie: secret".to_vec();
    assert_eq!(handshake.receive(&mut &mut beginning[..]).unwrap().map(drop), None);
    let shown = format!("{handshake:?}");
    assert!(shown.contains("arrived: 34"), "{shown}");
}

#[test]
fn a_valid_request_is_answered_with_exactly_a_101() {
    let mut accepted = accepted(request("", ""));
    let expected = "HTTP/1.1 101 Switching Protocols\r\n\
        Upgrade: websocket\r\n\
        Connection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    assert_eq!(accepted.outgoing(), expected);
    assert_eq!(accepted.subprotocol(), None);
    let _ = accepted.into_connection(Config::default());
}

#[test]
fn a_request_where_it_lies_is_the_same_as_one_that_was_taken_away() {
    let bytes = request("", "Cookie: a=1\r\nX-Empty:\r\nCookie: \u{fc}");
    let request = read(&bytes).unwrap();
    read_head(&bytes, |head| {
        assert_eq!((head.method(), head.uri()), (request.method(), request.uri()));
        assert_eq!(head.version(), request.version());
        let same = head.to_request().unwrap();
        assert_eq!(same.headers(), request.headers());
        let names = |request: &Request<()>| request.headers().keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&same), names(&request));
        for name in request.headers().keys().chain([&SET_COOKIE]) {
            let values = request.headers().get_all(name).iter().map(HeaderValue::as_bytes);
            assert!(head.header_values(name).eq(values), "{name}");
        }
        // There are secrets in headers.
        assert!(!format!("{head:?}").contains("a=1"));
    })
    .unwrap();
}

#[test]
fn what_a_header_map_can_not_hold_is_left_where_it_lies() {
    let name = "n".repeat(1 << 16);
    let limits = HeadLimits::default().max_size(1 << 20);
    let bytes = request("", &format!("{name}: value")).into_bytes();
    let error = RequestError::Head(HeadError::HeaderName);
    let received = ServerHandshake::new(limits).receive(&mut &mut bytes.clone()[..]);
    assert_eq!(received.unwrap_err(), error);
    let received = ServerHandshake::new(limits).receive_head(&mut &mut bytes.clone()[..], |head| {
        assert!(head.upgrade().is_ok());
        head.to_request().map(drop)
    });
    assert_eq!(received, Ok(Some(Err(error))));
}

#[test]
fn the_method_is_get() {
    for method in ["POST", "HEAD", "OPTIONS", "PUT", "CONNECT", "get", "GETS", "G!T"] {
        let bytes = request("", "").replace("GET ", &format!("{method} "));
        assert_eq!(judge(&bytes), Err(RequestError::Method), "{method}");
        let refusal = refused(&bytes);
        assert_eq!(refusal.response().status(), 405);
        assert_eq!(refusal.response().headers()["allow"], "GET");
        // RFC 9112, §3.2: without exactly one Host no request is valid, whatever it asks for.
        for (host, error) in [
            ("X: y", RequestError::MissingHost),
            ("Host: a\r\nHost: b", RequestError::RepeatedHost),
            ("Host: a b", RequestError::InvalidHost),
        ] {
            let bytes = request("Host", host).replace("GET ", &format!("{method} "));
            assert_eq!(judge(&bytes), Err(error), "{method}");
            assert_eq!(error.status(), 400);
        }
    }
}

#[test]
fn the_version_is_http_1_1() {
    let of = |version| judge(request("", "").replace("HTTP/1.1", version));
    assert_eq!(of("HTTP/1.0"), Err(RequestError::Version));
    for version in ["HTTP/0.9", "HTTP/1.2", "HTTP/2.0", "HTTP/3.0"] {
        assert_eq!(of(version), Err(RequestError::Head(HeadError::Version)), "{version}");
        assert_eq!(of(version).unwrap_err().status(), 505);
    }
    for version in ["http/1.1", "HTTP/1", "HTTP/1.11", "HTTP/01.1", "HTTP/1.1 ", "HTTPS/1.1", ""] {
        let error = of(version).unwrap_err();
        assert_eq!(error, RequestError::Head(HeadError::StartLine), "{version}");
        assert_eq!(error.status(), 400);
    }
}

#[test]
fn a_version_that_has_no_upgrade_is_refused_whoever_parsed_it() {
    for version in [Version::HTTP_09, Version::HTTP_10, Version::HTTP_2, Version::HTTP_3] {
        let mut request = read(request("", "")).unwrap();
        *request.version_mut() = version;
        let error = UpgradeRequest::parse(&request).unwrap_err();
        assert_eq!(error, RequestError::Version);
        assert_eq!(error.status(), 505);
    }
}

#[test]
fn the_target_is_in_origin_form_or_absolute_form() {
    let of = |target: &str| judge(request("", "").replace("/chat", target));
    for target in [
        "/",
        "/a?b",
        "//a",
        "/?",
        "http://example.com/chat",
        "http://other:81/",
        "HTTPS://a/b?c",
        "http://example.com",
        "http://[::1]/",
    ] {
        assert_eq!(of(target), Ok(()), "{target}");
    }
    for target in
        ["*", "example.com:80", "ws://example.com/", "ftp://a/", "http://user@a/", "http://a:0/"]
    {
        assert_eq!(of(target), Err(RequestError::Target), "{target}");
    }
    for target in ["", "/a#b", "/\u{fc}", "chat/x", "http://", "/a b"] {
        assert_eq!(of(target), Err(RequestError::Head(HeadError::StartLine)), "{target}");
    }
}

#[test]
fn host_stands_there_exactly_once_and_is_valid() {
    let of = |with: &str| judge(request("Host", with));
    assert_eq!(of("X: y"), Err(RequestError::MissingHost));
    assert_eq!(of("Host: a\r\nhost: a"), Err(RequestError::RepeatedHost));
    for host in [
        "", "a b", "a, b", "a/b", "http://a", "user@a", "a:x", "a:65536", "[::1", "::1", "\u{fc}",
        "a\u{a0}",
    ] {
        assert_eq!(of(&format!("Host: {host}")), Err(RequestError::InvalidHost), "{host}");
    }
    for host in ["a", "a:80", "a:", "A.b-c", "127.0.0.1:9001", "[::1]:9001", "xn--bcher-kva"] {
        assert_eq!(of(&format!("Host: {host}")), Ok(()), "{host}");
    }
}

#[test]
fn upgrade_and_connection_are_lists_of_tokens_without_case() {
    for (without, with) in [
        ("Upgrade", "upgrade: WebSocket"),
        ("Upgrade", "Upgrade: h2c, websocket"),
        ("Upgrade", "Upgrade: h2c\r\nUpgrade: ,, WEBSOCKET ,"),
        ("Connection", "Connection: keep-alive, Upgrade"),
        ("Connection", "Connection: upgrade"),
        ("Connection", "CONNECTION: keep-alive\r\nConnection: UPGRADE"),
        ("Connection", "Connection: a\r\nConnection: b\r\nConnection: Upgrade"),
        ("Connection", "Connection:,\t,Upgrade\t,"),
    ] {
        assert_eq!(judge(request(without, with)), Ok(()), "{with}");
    }
    for with in ["X: y", "Upgrade:", "Upgrade: websocket2", "Upgrade: web socket", "Upgrade: h2c"] {
        assert_eq!(judge(request("Upgrade", with)), Err(RequestError::Upgrade), "{with}");
    }
    for with in ["X: y", "Connection:", "Connection: NotUpgrade", "Connection: keep-alive;Upgrade"]
    {
        assert_eq!(judge(request("Connection", with)), Err(RequestError::Connection), "{with}");
    }
}

#[test]
fn the_key_stands_there_exactly_once_and_is_the_base64_of_16_bytes() {
    let of = |with: &str| judge(request("Sec-WebSocket-Key", with));
    assert_eq!(of("X: y"), Err(RequestError::MissingKey));
    let key = format!("Sec-WebSocket-Key: {KEY}");
    assert_eq!(of(&format!("{key}\r\n{key}")), Err(RequestError::RepeatedKey));
    assert_eq!(of(&format!("{key} \t")), Ok(()));
    assert_eq!(of("Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEC=="), Ok(()), "as section 4.1 has it");
    for value in [
        "",
        "dGhlIHNhbXBsZSBub25jZQ",
        "dGhlIHNhbXBsZSBub25j",
        "dGhlIHNhbXBsZSBub25jZSE=",
        "dGhlIHNhbXBsZSBub25jZQ==,",
        "dGhlIHNhbXBsZSB ub25jZQ=",
        "\"dGhlIHNhbXBsZSBub25jZQ\"",
        "dGhlIHNhbXBsZSBub25jZQ\u{fc}",
    ] {
        let error = of(&format!("Sec-WebSocket-Key: {value}"));
        assert_eq!(error, Err(RequestError::InvalidKey), "{value}");
    }
}

#[test]
fn the_version_of_the_protocol_is_exactly_one_13_and_the_refusal_says_so() {
    for with in [
        "X: y",
        "Sec-WebSocket-Version:",
        "Sec-WebSocket-Version: 8",
        "Sec-WebSocket-Version: 013",
        "Sec-WebSocket-Version: 13.0",
        "Sec-WebSocket-Version: +13",
        "Sec-WebSocket-Version: 14",
        "Sec-WebSocket-Version: 13, 8",
        "Sec-WebSocket-Version: \"13\"",
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 13",
    ] {
        let bytes = request("Sec-WebSocket-Version", with);
        assert_eq!(judge(&bytes), Err(RequestError::WebSocketVersion), "{with}");
        let refusal = refused(&bytes);
        let headers = refusal.response().headers();
        assert_eq!(refusal.response().status(), 426);
        assert_eq!(headers["sec-websocket-version"], "13");
        assert_eq!(headers["upgrade"], "websocket");
        assert_eq!(headers["connection"], "Upgrade, close");
    }
}

#[test]
fn a_plain_request_learns_which_protocol_to_upgrade_to() {
    let refusal = refused("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(refusal.response().status(), 426);
    assert_eq!(refusal.response().headers()["upgrade"], "websocket");
}

#[test]
fn a_request_with_a_body_is_refused_and_not_read_as_frames() {
    for length in ["1", "x", "-1", "+0", "", "0, 0", "0\r\nContent-Length: 0"] {
        let bytes = request("", &format!("Content-Length: {length}"));
        assert_eq!(judge(bytes), Err(RequestError::ContentLength), "{length}");
    }
    for coding in ["chunked", "identity", ""] {
        let bytes = request("", &format!("Transfer-Encoding: {coding}\r\nContent-Length: 0"));
        assert_eq!(judge(bytes), Err(RequestError::TransferEncoding), "{coding}");
    }
    assert_eq!(judge(request("", "Content-Length: 0")), Ok(()));
}

#[test]
fn subprotocols_are_a_list_of_tokens_that_is_not_empty() {
    for value in ["", ",", "a b", "a;b", "\"a\"", "a, \u{fc}"] {
        let bytes = request("", &format!("Sec-WebSocket-Protocol: {value}"));
        assert_eq!(judge(bytes), Err(RequestError::Subprotocols), "{value}");
    }
    let bytes = request("", "Sec-WebSocket-Protocol: a,b\r\nSec-WebSocket-Protocol: ,c");
    let request = read(bytes).unwrap();
    assert_eq!(UpgradeRequest::parse(&request).unwrap().subprotocols(), ["a", "b", "c"]);
}

#[test]
fn frames_that_came_with_the_request_are_left_for_the_connection() {
    let mut bytes = (request("", "") + "\u{1}\r\n\r\n").into_bytes();
    let mut input = &mut bytes[..];
    assert!(ServerHandshake::default().receive(&mut input).unwrap().is_some());
    assert_eq!(input, b"\x01\r\n\r\n");
}

#[test]
fn nothing_precedes_the_101_also_when_frames_came_with_the_request() {
    // A Ping and a frame that breaks the protocol: what they call for follows the response.
    let frames = b"\x89\x81\0\0\0\0a\x81\x01b";
    let mut bytes = [request("", "").as_bytes(), &frames[..]].concat();
    let mut input = &mut bytes[..];
    let request = ServerHandshake::default().receive(&mut input).unwrap().unwrap();
    let answer = negotiate(&request, |_, _| Decision::accept()).unwrap();
    let Answer::Accepted(mut accepted) = answer else { panic!("refused") };
    let (head, behind) = sent(accepted.outgoing());
    assert!(head.starts_with("HTTP/1.1 101 Switching Protocols\r\n"));
    assert_eq!(behind, "");

    let mut connection = accepted.into_connection(Config::default());
    assert!(matches!(connection.next_event(&mut input), Ok(Some(Event::Ping(_)))));
    assert_eq!(connection.next_event(&mut input), Err(ProtocolError::UnmaskedFrame));
    let outgoing = connection.outgoing();
    assert_eq!(outgoing.copy_to_bytes(outgoing.remaining()), &b"\x8a\x01a\x88\x02\x03\xea"[..]);
}

#[test]
fn the_end_of_the_transport_before_the_request_is_an_error() {
    let error = ServerHandshake::default().receive_eof();
    assert_eq!((error, error.status()), (RequestError::Truncated, StatusCode::BAD_REQUEST));
}

// The decision

fn decide(bytes: String, acceptance: Acceptance) -> Result<Answer, DecisionError> {
    negotiate(&read(bytes).unwrap(), |_, _| acceptance.into())
}

#[test]
fn the_server_chooses_the_first_of_its_own_subprotocols_that_is_offered() {
    let request = read(request("", "Sec-WebSocket-Protocol: a, b, c")).unwrap();
    let upgrade = UpgradeRequest::parse(&request).unwrap();
    assert_eq!(upgrade.select_subprotocol(&["x", "c", "a"]), Some("c"));
    assert_eq!(upgrade.select_subprotocol(&["A"]), None);
    assert_eq!(upgrade.select_subprotocol(&[]), None);
}

#[test]
fn the_subprotocol_of_the_answer_is_one_of_those_offered_or_absent() {
    let offer = || request("", "Sec-WebSocket-Protocol: a, b");
    let answer = decide(offer(), Acceptance::new().subprotocol(Some("b"))).unwrap();
    let Answer::Accepted(mut accepted) = answer else { panic!("refused") };
    assert_eq!(accepted.subprotocol(), Some("b"));
    assert!(sent(accepted.outgoing()).0.contains("\r\nSec-WebSocket-Protocol: b\r\n"));

    for name in ["c", "B", "", "a, b", "b\r\nX: y"] {
        let error = decide(offer(), Acceptance::new().subprotocol(Some(name))).unwrap_err();
        assert_eq!(error, DecisionError::UnofferedSubprotocol(name.into()));
        assert_eq!(Refusal::from(error).response().status(), 500);
    }
    let error = decide(request("", ""), Acceptance::new().subprotocol(Some("a"))).unwrap_err();
    assert_eq!(error, DecisionError::UnofferedSubprotocol("a".into()));
}

#[test]
fn the_application_adds_headers_but_not_those_of_the_handshake() {
    let one = |name, value| Acceptance::new().header(name, HeaderValue::from_static(value));
    let both = one(SET_COOKIE, "a=1").header(SET_COOKIE, HeaderValue::from_static("b=2"));
    let Ok(Answer::Accepted(mut accepted)) = decide(request("", ""), both) else { panic!() };
    assert!(sent(accepted.outgoing()).0.contains("\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n"));

    for name in [
        CONNECTION,
        UPGRADE,
        SEC_WEBSOCKET_ACCEPT,
        SEC_WEBSOCKET_PROTOCOL,
        SEC_WEBSOCKET_EXTENSIONS,
        CONTENT_LENGTH,
        TRANSFER_ENCODING,
    ] {
        let error = decide(request("", ""), one(name.clone(), "0")).unwrap_err();
        assert_eq!(error, DecisionError::OwnedHeader(name));
    }
    let latin = Acceptance::new().header(COOKIE, HeaderValue::from_bytes(b"\xfc").unwrap());
    let error = decide(request("", ""), latin).unwrap_err();
    assert_eq!(error, DecisionError::NonAsciiHeader(COOKIE));
}

#[test]
fn accepting_a_request_that_is_no_handshake_refuses_it() {
    assert_eq!(refused(request("Host", "")).response().status(), 400);
}

#[test]
fn the_response_as_a_value_is_the_response_as_bytes() {
    let acceptance = Acceptance::new()
        .subprotocol(Some("a"))
        .header(SET_COOKIE, HeaderValue::from_static("a=1"));
    let bytes = request("", "Sec-WebSocket-Protocol: a");
    let Ok(Answer::Accepted(mut accepted)) = decide(bytes, acceptance) else { panic!() };
    let mut response = accepted.response();
    assert_eq!(response.status(), 101);
    assert_eq!(response.headers()["sec-websocket-accept"], ACCEPT);
    let (head, _) = sent(accepted.outgoing());
    for line in head.lines().skip(1) {
        let (name, value) = line.split_once(": ").unwrap();
        assert_eq!(response.headers_mut().remove(name).unwrap(), value);
    }
    assert!(response.headers().is_empty());
}

// Refusals

#[test]
fn each_refusal_says_how_long_it_is_and_that_the_connection_closes() {
    for (error, status) in [
        (RequestError::Head(HeadError::BareLineFeed), 400),
        (RequestError::Head(HeadError::TooLarge { limit: 1 }), 431),
        (RequestError::Head(HeadError::TooManyHeaders { limit: 1 }), 431),
        (RequestError::Head(HeadError::Version), 505),
        (RequestError::Truncated, 400),
        (RequestError::Method, 405),
        (RequestError::Version, 505),
        (RequestError::Target, 400),
        (RequestError::TargetTooLong, 414),
        (RequestError::MissingHost, 400),
        (RequestError::RepeatedHost, 400),
        (RequestError::InvalidHost, 400),
        (RequestError::TransferEncoding, 400),
        (RequestError::ContentLength, 400),
        (RequestError::Upgrade, 426),
        (RequestError::Connection, 400),
        (RequestError::WebSocketVersion, 426),
        (RequestError::MissingKey, 400),
        (RequestError::RepeatedKey, 400),
        (RequestError::InvalidKey, 400),
        (RequestError::Subprotocols, 400),
        (RequestError::Extensions, 400),
        (RequestError::Origin, 403),
    ] {
        let mut refusal = Refusal::from(error);
        assert_eq!(refusal.response().status(), status);
        let (head, body) = sent(refusal.outgoing());
        assert_eq!(body, format!("{error}\n"));
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")));
        assert!(head.contains(&format!("\r\ncontent-length: {}\r\n", body.len())));
        let connection = if status == 426 { "Upgrade, close" } else { "close" };
        assert!(head.contains(&format!("\r\nconnection: {connection}\r\n")));
    }
}

#[test]
fn the_application_answers_a_plain_get_with_a_page() {
    let request = read("GET / HTTP/1.0\r\n\r\n").unwrap();
    let answer = negotiate(&request, |request, upgrade| {
        assert_eq!(request.uri(), "/");
        assert_eq!(upgrade.unwrap_err(), &RequestError::Version);
        Decision::Respond(
            Response::builder()
                .header("Content-Type", "text/html")
                .body(Bytes::from_static(b"<p>"))
                .unwrap(),
        )
    });
    let Ok(Answer::Refused(mut refusal)) = answer else { panic!() };
    let expected = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n\
        content-length: 3\r\n\r\n<p>";
    assert_eq!(refusal.outgoing(), expected);
}

#[test]
fn a_valid_handshake_can_be_rejected() {
    let request = read(request("", "")).unwrap();
    let answer = negotiate(&request, |_, upgrade| {
        assert!(upgrade.is_ok());
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        Decision::Respond(response)
    });
    let Ok(Answer::Refused(mut refusal)) = answer else { panic!() };
    assert!(refusal.outgoing().starts_with(b"HTTP/1.1 401 Unauthorized\r\n"));
}

#[test]
fn the_framing_of_a_rejection_is_the_librarys() {
    let response = Response::builder()
        .version(Version::HTTP_2)
        .header("Content-Length", "999")
        .header("Transfer-Encoding", "chunked")
        .header("Trailer", "x")
        .header("Keep-Alive", "timeout=5")
        .header("Connection", "keep-alive")
        .body(Bytes::from_static(b"abc"))
        .unwrap();
    let mut refusal = Refusal::new(response).unwrap();
    let expected = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 3\r\n\r\nabc";
    assert_eq!(refusal.outgoing(), expected);
    assert_eq!(refusal.response().version(), Version::HTTP_11);
}

#[test]
fn a_status_without_a_registered_reason_has_an_empty_one() {
    let response = Response::builder().status(799).body(Bytes::new()).unwrap();
    assert!(Refusal::new(response).unwrap().outgoing().starts_with(b"HTTP/1.1 799 \r\n"));
}

#[test]
fn a_status_that_is_not_final_rejects_nothing() {
    for status in [100, 101, 103, 199] {
        let response = Response::builder().status(status).body(Bytes::new()).unwrap();
        let error = Refusal::new(response).unwrap_err();
        assert_eq!(
            error,
            DecisionError::InformationalStatus(StatusCode::from_u16(status).unwrap())
        );
    }
}

#[test]
fn a_status_without_a_body_is_sent_without_one() {
    for status in [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED, StatusCode::RESET_CONTENT] {
        let of = |body| Response::builder().status(status).body(body).unwrap();
        let error = Refusal::new(of(Bytes::from_static(b"x"))).unwrap_err();
        assert_eq!(error, DecisionError::BodyForbidden(status));
        let refusal = Refusal::new(of(Bytes::new())).unwrap();
        let length = refusal.response().headers().get(CONTENT_LENGTH);
        assert_eq!(length.is_some(), status == StatusCode::RESET_CONTENT);
    }
}

#[test]
fn only_ascii_is_sent_in_the_headers_of_a_rejection() {
    let value = HeaderValue::from_bytes(b"\xfc").unwrap();
    let response = Response::builder().header(COOKIE, value).body(Bytes::new()).unwrap();
    assert_eq!(Refusal::new(response).unwrap_err(), DecisionError::NonAsciiHeader(COOKIE));
}

#[test]
fn the_answer_to_head_has_no_body() {
    let request = Request::builder().method(Method::HEAD).uri("/").body(()).unwrap();
    let answer = negotiate(&request, |_, _| Decision::Respond(Response::new(Bytes::from("abc"))));
    let Ok(Answer::Refused(mut refusal)) = answer else { panic!() };
    let expected = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 3\r\n\r\n";
    assert_eq!(refusal.outgoing(), expected);
    assert!(refusal.response().body().is_empty());
}

#[test]
fn no_answer_to_connect_opens_a_tunnel() {
    let request = Request::builder().method(Method::CONNECT).uri("a:80").body(()).unwrap();
    for (status, sent) in [(200, 405), (204, 405), (299, 405), (404, 404), (302, 302)] {
        let response = Response::builder().status(status).body(Bytes::from("abc")).unwrap();
        let answer = negotiate(&request, |_, _| Decision::Respond(response));
        let Ok(Answer::Refused(refusal)) = answer else { panic!() };
        assert_eq!(refusal.response().status().as_u16(), sent);
    }
}

#[test]
fn what_the_client_wrote_is_not_echoed_in_a_refusal() {
    let mut refusal = refused(request("Host", "Host: <script>"));
    assert!(!sent(refusal.outgoing()).1.contains("script"));
}
