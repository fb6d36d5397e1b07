//! What the client sends, and what it demands of the response.

use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, HOST, HeaderName, HeaderValue, ORIGIN,
    SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, TRANSFER_ENCODING, UPGRADE,
};
use sansocket::{
    Config,
    handshake::{
        ClientHandshake, ClientRequest, HeadError, HeadLimits, OptionError, Outcome, ResponseError,
        UpgradeRequest,
    },
};

use crate::peer::{client, fault, outcome, read, rejected, response, sent};

fn request(uri: &str) -> ClientRequest {
    ClientRequest::new(uri.parse().unwrap())
}

fn encoded(request: &ClientRequest) -> String {
    sent(ClientHandshake::new(request).outgoing()).0
}

// What is sent

#[test]
fn the_request_has_the_required_fields_and_nothing_behind_them() {
    let mut client = client(&["superchat", "chat"]);
    let expected = "GET /chat HTTP/1.1\r\n\
        Host: example.com\r\n\
        Upgrade: websocket\r\n\
        Connection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Protocol: superchat, chat\r\n\r\n";
    assert_eq!(client.outgoing(), expected);
}

#[test]
fn host_has_the_port_only_where_it_is_not_the_default() {
    for (uri, field) in [
        ("ws://a:80/", "Host: a\r\n"),
        ("ws://a:81/", "Host: a:81\r\n"),
        ("wss://a:443/", "Host: a\r\n"),
        ("ws://[::1]:9/", "Host: [::1]:9\r\n"),
    ] {
        assert!(encoded(&request(uri)).contains(field), "{uri}");
    }
}

#[test]
fn each_handshake_has_a_key_of_its_own() {
    let request = request("ws://a/");
    assert_ne!(encoded(&request), encoded(&request));
}

#[test]
fn what_is_sent_is_a_valid_handshake_to_our_server() {
    let request = request("ws://a:8/b?c").subprotocol("x").unwrap();
    let request = read(ClientHandshake::new(&request).outgoing()).unwrap();
    assert_eq!(request.uri(), "/b?c");
    assert_eq!(UpgradeRequest::parse(&request).unwrap().subprotocols(), ["x"]);
}

#[test]
fn origin_and_further_headers_are_sent_as_they_are_given() {
    let request = request("ws://a/")
        .origin("https://Example.com:443".parse().unwrap())
        .header(AUTHORIZATION, HeaderValue::from_static("Basic x"))
        .and_then(|request| request.header(COOKIE, HeaderValue::from_static("a=1")))
        .and_then(|request| request.header(COOKIE, HeaderValue::from_static("b=2")))
        .unwrap();
    let encoded = encoded(&request);
    for line in
        ["Origin: https://example.com", "authorization: Basic x", "cookie: a=1", "cookie: b=2"]
    {
        assert!(encoded.contains(&format!("\r\n{line}\r\n")), "{line}");
    }
}

#[test]
fn the_headers_of_the_handshake_can_not_be_replaced() {
    for name in [
        HOST,
        UPGRADE,
        CONNECTION,
        ORIGIN,
        SEC_WEBSOCKET_KEY,
        SEC_WEBSOCKET_VERSION,
        SEC_WEBSOCKET_PROTOCOL,
        SEC_WEBSOCKET_EXTENSIONS,
        SEC_WEBSOCKET_ACCEPT,
        CONTENT_LENGTH,
        TRANSFER_ENCODING,
    ] {
        let refused = request("ws://a/").header(name.clone(), HeaderValue::from_static("1"));
        assert_eq!(refused.unwrap_err(), OptionError::OwnedHeader(name));
    }
}

#[test]
fn only_ascii_is_sent_in_headers_and_no_line_break_can_be() {
    for value in ["a\r\nX: y", "a\rb", "a\nb", "a\0b"] {
        assert!(HeaderValue::from_str(value).is_err(), "the type itself refuses {value:?}");
    }
    assert!(HeaderName::from_bytes(b"X\r\nY").is_err());
    let refused = request("ws://a/").header(COOKIE, HeaderValue::from_bytes(b"\xff").unwrap());
    assert_eq!(refused.unwrap_err(), OptionError::NonAsciiHeader(COOKIE));
}

#[test]
fn subprotocols_are_tokens_and_all_different() {
    for name in ["", " ", "a b", "a,b", "a;b", "a/b", "\"a\"", "a\r\nX: y", "ü", "a\0"] {
        let error = request("ws://a/").subprotocol(name).unwrap_err();
        assert_eq!(error, OptionError::InvalidSubprotocol(name.into()));
    }
    let request = request("ws://a/").subprotocol("chat").unwrap();
    let error = request.clone().subprotocol("chat").unwrap_err();
    assert_eq!(error, OptionError::RepeatedSubprotocol("chat".into()));
    assert!(request.subprotocol("Chat").is_ok(), "case matters");
}

// What is demanded of a 101

#[test]
fn a_valid_response_establishes_the_connection() {
    for (without, with) in [
        ("", ""),
        ("Upgrade", "UPGRADE: WebSocket"),
        ("Connection", "Connection: upgrade"),
        ("Connection", "Connection: keep-alive, Upgrade"),
        ("Connection", "Connection: keep-alive\r\nconnection: ,UPGRADE"),
        ("", "Server: x\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2"),
        ("", "X-Latin: \u{fc}"),
        // A 101 ends at its blank line, whatever these say.
        ("", "Content-Length: 5"),
        ("", "Transfer-Encoding: chunked"),
        ("Sec-WebSocket-Accept", "Sec-WebSocket-Accept: \t s3pPLMBiTxaQ9kYGzzhZRbK+xOo= \t"),
    ] {
        match outcome(&[], response(without, with)) {
            Ok(Some(Outcome::Established(established))) => {
                assert_eq!(established.subprotocol(), None);
                assert_eq!(established.response().status(), 101);
                let _ = established.into_connection(Config::default());
            }
            other => panic!("{with}: {other:?}"),
        }
    }
}

#[test]
fn a_response_without_reason_is_valid() {
    let response = response("", "").replace("101 Switching Protocols", "101");
    assert!(matches!(outcome(&[], response), Ok(Some(Outcome::Established(_)))));
}

#[test]
fn upgrade_is_the_one_word_websocket() {
    for with in [
        "X: y",
        "Upgrade: websocket2",
        "Upgrade: websocket, h2c",
        "Upgrade: h2c",
        "Upgrade:",
        "Upgrade: websocket\r\nUpgrade: websocket",
    ] {
        assert_eq!(fault(&[], response("Upgrade", with)), ResponseError::Upgrade, "{with}");
    }
}

#[test]
fn connection_names_upgrade() {
    for with in ["X: y", "Connection: close", "Connection: NotUpgrade", "Connection: up grade"] {
        assert_eq!(fault(&[], response("Connection", with)), ResponseError::Connection, "{with}");
    }
}

#[test]
fn the_accept_value_stands_there_once_and_answers_the_key() {
    let accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    for (with, error) in [
        ("X: y".to_owned(), ResponseError::MissingAccept),
        (format!("{accept}\r\n{accept}"), ResponseError::RepeatedAccept),
        (accept.replace("s3p", "S3p"), ResponseError::WrongAccept),
        (accept.replace("xOo=", "xOo"), ResponseError::WrongAccept),
        (accept.replace("s3p", "s 3p"), ResponseError::WrongAccept),
        (format!("{accept}, {accept}"), ResponseError::WrongAccept),
        ("Sec-WebSocket-Accept:".to_owned(), ResponseError::WrongAccept),
        ("Sec-WebSocket-Accept: dGhlIHNhbXBsZSBub25jZQ==".to_owned(), ResponseError::WrongAccept),
    ] {
        assert_eq!(fault(&[], response("Sec-WebSocket-Accept", &with)), error, "{with}");
    }
}

#[test]
fn a_subprotocol_that_was_offered_is_taken() {
    let bytes = response("", "Sec-WebSocket-Protocol: b");
    match outcome(&["a", "b"], bytes) {
        Ok(Some(Outcome::Established(established))) => {
            assert_eq!(established.subprotocol(), Some("b"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_subprotocol_is_one_token_of_those_that_were_offered() {
    for (offered, value, error) in [
        (&[][..], "chat", ResponseError::UnrequestedSubprotocol("chat".into())),
        (&["chat"], "Chat", ResponseError::UnrequestedSubprotocol("Chat".into())),
        (&["chat"], "chat2", ResponseError::UnrequestedSubprotocol("chat2".into())),
        (&["a", "b"], "a, b", ResponseError::InvalidSubprotocol),
        (&["a"], "", ResponseError::InvalidSubprotocol),
        (&["a"], "\"a\"", ResponseError::InvalidSubprotocol),
        (&["a"], "a\r\nSec-WebSocket-Protocol: a", ResponseError::RepeatedSubprotocol),
    ] {
        let bytes = response("", &format!("Sec-WebSocket-Protocol: {value}"));
        assert_eq!(fault(offered, bytes), error, "{value}");
    }
}

#[test]
fn an_upgrade_needs_http_1_1() {
    let bytes = response("", "");
    let of = |version| fault(&[], bytes.replace("HTTP/1.1", version));
    assert_eq!(of("HTTP/1.0"), ResponseError::Version);
    assert_eq!(of("HTTP/2.0"), ResponseError::Head(HeadError::Version));
    assert_eq!(of("HTTP/1.1.1"), ResponseError::Head(HeadError::StartLine));
    assert_eq!(of("ICY"), ResponseError::Head(HeadError::StartLine));
}

#[test]
fn frames_right_behind_the_response_are_left_for_the_connection() {
    let mut bytes = (response("", "") + "\u{1}\r\n\r\n").into_bytes();
    let mut input = &mut bytes[..];
    let outcome = client(&[]).receive(&mut input);
    assert!(matches!(outcome, Ok(Some(Outcome::Established(_)))));
    assert_eq!(input, b"\x01\r\n\r\n");
}

#[test]
fn the_end_of_the_transport_before_the_response_is_an_error() {
    assert_eq!(client(&[]).receive_eof(), ResponseError::Truncated);
}

#[test]
fn the_end_of_the_transport_does_not_hide_what_was_wrong_before() {
    let mut client = client(&[]);
    let mut bytes = response("Upgrade", "").into_bytes();
    let error = client.receive(&mut &mut bytes[..]).unwrap_err();
    assert_ne!(error, ResponseError::Truncated);
    assert_eq!(client.receive_eof(), error);
}

// Interim responses

#[test]
fn interim_responses_are_skipped() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    let bytes = format!("{interim}{}", response("", ""));
    assert!(matches!(outcome(&[], bytes), Ok(Some(Outcome::Established(_)))));
    assert_eq!(rejected(format!("{interim}HTTP/1.1 500 \r\n\r\n")).status(), 500);
    assert!(matches!(outcome(&[], interim), Ok(None)));
}

#[test]
fn interim_responses_share_the_limit_of_the_head() {
    let endless = "HTTP/1.1 100 Continue\r\n\r\n".repeat(1000);
    assert_eq!(fault(&[], endless), ResponseError::Head(HeadError::TooLarge { limit: 16 * 1024 }));
}

#[test]
fn the_limits_of_the_response_can_be_set() {
    let request = request("ws://a/").head_limits(HeadLimits::default().max_size(20).max_headers(0));
    let mut long = *b"HTTP/1.1 200 Okay then\r\n\r\n";
    let error = ClientHandshake::new(&request).receive(&mut &mut long[..]).unwrap_err();
    assert_eq!(error, ResponseError::Head(HeadError::TooLarge { limit: 20 }));
    let mut many = *b"HTTP/1.1 200 \r\na:\r\n\r\n";
    let error = ClientHandshake::new(&request).receive(&mut &mut many[..]).unwrap_err();
    assert_eq!(error, ResponseError::Head(HeadError::TooManyHeaders { limit: 0 }));
}

// Other responses

#[test]
fn any_other_final_status_is_handed_over_with_its_headers() {
    for (line, status) in [
        ("HTTP/1.1 200 OK", 200),
        ("HTTP/1.1 302 Found", 302),
        ("HTTP/1.1 401 Unauthorized", 401),
        ("HTTP/1.0 503 Service Unavailable", 503),
        ("HTTP/1.1 999 ", 999),
    ] {
        let response = rejected(format!("{line}\r\nLocation: /b\r\nX: 1\r\nX: 2\r\n\r\n"));
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["location"], "/b");
        assert_eq!(response.headers().get_all("x").iter().count(), 2);
    }
}

#[test]
fn the_body_of_a_rejection_ends_where_its_framing_says() {
    for (fields, body, expected, complete) in [
        ("Content-Length: 3", "", "", false),
        ("Content-Length: 3", "ab", "ab", false),
        ("Content-Length: 3", "abc", "abc", true),
        ("Content-Length: 3", "abcd", "abc", true),
        ("Content-Length: 0", "abcd", "", true),
        ("Content-Length: 18446744073709551615", "abcd", "abcd", false),
        // Only the transport's end tells where these end.
        ("X: y", "abcd", "abcd", false),
        ("Transfer-Encoding: gzip", "abcd", "abcd", false),
        ("Transfer-Encoding: chunked, gzip\r\nContent-Length: 1", "abcd", "abcd", false),
        // Nothing tells.
        ("Content-Length: x", "abcd", "", true),
        ("Content-Length: 3, 4", "abcd", "", true),
        ("Content-Length: 3\r\nContent-Length: 4", "abcd", "", true),
        // RFC 9110, section 8.6
        ("Content-Length: 3\r\nContent-Length: 3", "abcd", "abc", true),
        ("Content-Length: 3, 3", "abcd", "abc", true),
        ("Transfer-Encoding: gzip, chunked", "2\r\nab\r\n0\r\n\r\n", "ab", true),
        ("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked,", "2\r\nab\r\n", "ab", false),
        ("Transfer-Encoding: chunked", "3\r\nabc\r\n2;x=\"3\"\r\nde\r\n0\r\n\r\n", "abcde", true),
        ("Transfer-Encoding: Chunked\r\nContent-Length: 1", "2\r\nab\r\n", "ab", false),
        ("Transfer-Encoding: chunked", "0A\r\n0123456789", "0123456789", false),
        ("Transfer-Encoding: chunked", "2\r\nab0\r\n", "ab", true),
        ("Transfer-Encoding: chunked", "fffffffffffffffff\r\nab", "", true),
    ] {
        let bytes = format!("HTTP/1.1 403 Forbidden\r\n{fields}\r\n\r\n{body}");
        for size in [1, 2, bytes.len()] {
            let mut client = client(&[]);
            let mut rejection = None;
            for piece in bytes.clone().into_bytes().chunks_mut(size) {
                let mut input = &mut piece[..];
                if rejection.is_none() {
                    match client.receive(&mut input).unwrap() {
                        Some(Outcome::Rejected(rejected)) => rejection = Some(rejected),
                        Some(Outcome::Established(_)) => panic!("established"),
                        None => {}
                    }
                }
                if let Some(rejection) = &mut rejection {
                    rejection.receive(&mut input);
                }
            }
            let rejection = rejection.expect("the head is whole");
            assert_eq!(rejection.is_complete(), complete, "{fields} {body}");
            assert_eq!(rejection.into_response().body(), expected.as_bytes(), "{fields} {body}");
        }
    }
}

#[test]
fn a_status_without_a_body_has_none() {
    for status in [204, 304] {
        let bytes = format!("HTTP/1.1 {status} \r\nContent-Length: 3\r\n\r\nabc");
        assert_eq!(rejected(bytes).body(), b"");
    }
}

#[test]
fn the_body_of_a_rejection_is_bounded() {
    let body = "x".repeat(100 * 1024);
    let bytes = format!("HTTP/1.1 403 Forbidden\r\n\r\n{body}");
    assert_eq!(rejected(bytes).body().len(), 64 * 1024);

    let request = request("ws://a/").max_body_size(2);
    let mut bytes = *b"HTTP/1.1 403 Forbidden\r\n\r\nab"; // and no more is waited for
    let mut input = &mut bytes[..];
    let outcome = ClientHandshake::new(&request).receive(&mut input).unwrap();
    let Some(Outcome::Rejected(mut rejection)) = outcome else { panic!("established") };
    rejection.receive(&mut input);
    assert!(rejection.is_complete());
    assert_eq!(rejection.response().body(), b"ab");
}

#[test]
fn what_proves_who_asks_is_in_no_debug_output() {
    let request = ClientRequest::new("ws://example.com/".parse().unwrap())
        .header_line("Authorization", "Bearer hunter2")
        .and_then(|request| request.header_line("Cookie", "session=hunter2"))
        .unwrap();
    assert!(!format!("{request:?}").contains("hunter2"));
    let handshake = ClientHandshake::new(&request);
    assert!(!format!("{handshake:?}").contains("hunter2"));
}
