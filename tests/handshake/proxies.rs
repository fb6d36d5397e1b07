//! Asking a proxy for a tunnel (RFC 9110, section 9.3.6), and who asks (RFC 7617).

use http::Response;
use proptest::{collection::vec, prelude::*};
use sansocket::handshake::{
    ClientRequest, HeadError, HeadLimits, Proxy, ProxyError, ProxyHandshake, ProxyOutcome,
    ProxyResponseError,
};

use crate::peer::refused as answered;

const PROXY: &str = "http://proxy:3128";

fn request(uri: &str) -> ClientRequest {
    ClientRequest::new(uri.parse().unwrap())
}

/// What is sent to this proxy to get to this URI.
fn encoded(proxy: &Proxy, uri: &str) -> String {
    let mut handshake = ProxyHandshake::new(proxy, &request(uri));
    String::from_utf8(handshake.outgoing().to_vec()).unwrap()
}

/// What a client makes of a proxy's bytes that arrive in these pieces, and what it leaves after the
/// head.
fn receive(
    request: &ClientRequest,
    pieces: &[&[u8]],
) -> Result<Option<(ProxyOutcome, Vec<u8>)>, ProxyResponseError> {
    let mut handshake = ProxyHandshake::new(&PROXY.parse().unwrap(), request);
    for (index, piece) in pieces.iter().enumerate() {
        let mut piece = piece.to_vec();
        let mut input = &mut piece[..];
        if let Some(outcome) = handshake.receive(&mut input)? {
            return Ok(Some((outcome, [&*input, &pieces[index + 1..].concat()].concat())));
        }
        assert!(input.is_empty(), "an incomplete answer takes all input");
    }
    Ok(None)
}

fn outcome(bytes: &str) -> Result<Option<(ProxyOutcome, Vec<u8>)>, ProxyResponseError> {
    receive(&request("ws://a/"), &[bytes.as_bytes()])
}

/// The response with which the tunnel is opened, and the bytes that came through it.
fn opened(bytes: &str) -> (Response<()>, Vec<u8>) {
    match outcome(bytes) {
        Ok(Some((ProxyOutcome::Tunnel(response), behind))) => (response, behind),
        other => panic!("{other:?}"),
    }
}

/// The response with which the tunnel is refused.
fn refused(bytes: &str) -> Response<Vec<u8>> {
    match outcome(bytes) {
        Ok(Some((ProxyOutcome::Refused(mut rejection), mut behind))) => {
            rejection.receive(&mut &mut behind[..]);
            rejection.into_response()
        }
        other => panic!("{other:?}"),
    }
}

fn fault(bytes: &str) -> ProxyResponseError {
    outcome(bytes).expect_err("a faulty response")
}

// Where the proxy is

#[test]
fn the_parts_of_a_proxy_are_host_and_port() {
    for (text, host, port, written) in [
        ("http://proxy", "proxy", 80, "http://proxy:80"),
        ("http://proxy/", "proxy", 80, "http://proxy:80"),
        ("HTTP://proxy:3128/", "proxy", 3128, "http://proxy:3128"),
        ("proxy:3128", "proxy", 3128, "http://proxy:3128"),
        ("user:password@proxy:3128", "proxy", 3128, "http://proxy:3128"),
        ("http://@proxy", "proxy", 80, "http://proxy:80"),
        ("http://127.0.0.1:8080", "127.0.0.1", 8080, "http://127.0.0.1:8080"),
        ("http://[::1]:8080", "::1", 8080, "http://[::1]:8080"),
        ("http://user:password@[::1]", "::1", 80, "http://[::1]:80"),
    ] {
        let proxy: Proxy = text.parse().expect(text);
        assert_eq!(proxy.host(), host, "{text}");
        assert_eq!(proxy.port(), port, "{text}");
        assert_eq!(proxy.to_string(), written, "{text}");
    }
}

#[test]
fn what_is_no_proxy_is_refused_with_the_rule_it_breaks() {
    for (text, error) in [
        ("", ProxyError::Host),
        ("http://", ProxyError::Host),
        ("http://:3128", ProxyError::Host),
        ("http://user@", ProxyError::Host),
        ("https://proxy", ProxyError::HttpsUnsupported),
        ("HTTPS://user:password@proxy:443/", ProxyError::HttpsUnsupported),
        ("socks://proxy", ProxyError::SocksUnsupported),
        ("socks4://proxy", ProxyError::SocksUnsupported),
        ("socks4a://proxy", ProxyError::SocksUnsupported),
        ("socks5://proxy:1080", ProxyError::SocksUnsupported),
        ("SOCKS5h://proxy:1080", ProxyError::SocksUnsupported),
        ("ws://proxy", ProxyError::Scheme),
        ("file:///proxy", ProxyError::Scheme),
        ("://proxy", ProxyError::Scheme),
        ("http://proxy/path", ProxyError::Path),
        ("http://proxy//", ProxyError::Path),
        ("http://proxy?query", ProxyError::Path),
        ("http://proxy#", ProxyError::Path),
        ("http://user:pass/word@proxy", ProxyError::Path),
        ("http://user:p@ss@proxy", ProxyError::Userinfo),
        ("http://proxy:0", ProxyError::Port),
        ("http://proxy:65536", ProxyError::Port),
        ("http://proxy:http", ProxyError::Port),
        ("http://::1", ProxyError::Port),
        ("http://[::1", ProxyError::Host),
        ("http://user:%@proxy", ProxyError::PercentEncoding),
        ("http://user:%4@proxy", ProxyError::PercentEncoding),
        ("http://%4g@proxy", ProxyError::PercentEncoding),
        ("http://us%3Aer:password@proxy", ProxyError::ColonInUser),
        ("http://user:pass%0Aword@proxy", ProxyError::ControlCharacter),
        ("http://us%0D%0Aer@proxy", ProxyError::ControlCharacter),
        ("http://user:%7f@proxy", ProxyError::ControlCharacter),
        ("http://proxy ", ProxyError::IllegalCharacter),
        ("http://proxy\r\nX: y", ProxyError::IllegalCharacter),
        ("http://user:p\0@proxy", ProxyError::IllegalCharacter),
        ("http://b\u{fc}cher", ProxyError::IllegalCharacter),
    ] {
        assert_eq!(text.parse::<Proxy>(), Err(error), "{text:?}");
    }
}

// What it is asked

#[test]
fn the_target_of_connect_is_host_and_port_and_so_is_the_host_field() {
    for (uri, authority) in [
        ("ws://example.com/chat?room=1", "example.com:80"),
        ("ws://example.com:9001", "example.com:9001"),
        ("wss://example.com/", "example.com:443"),
        ("wss://example.com:80/", "example.com:80"),
        ("ws://[::1]/", "[::1]:80"),
    ] {
        let expected = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n");
        assert_eq!(encoded(&PROXY.parse().unwrap(), uri), expected);
    }
}

#[test]
fn the_credentials_of_the_url_are_decoded_and_sent_as_basic() {
    for (userinfo, value) in [
        ("Aladdin:open%20sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), // RFC 7617, section 2
        ("user:pass", "dXNlcjpwYXNz"),
        ("user:pa:ss%3a", "dXNlcjpwYTpzczo="),
        ("user", "dXNlcjo="),
        (":", "Og=="),
        ("test:123%C2%A3", "dGVzdDoxMjPCow=="), // RFC 7617, section 2.1
    ] {
        let proxy: Proxy = format!("http://{userinfo}@proxy").parse().unwrap();
        let lines = format!("Host: a:80\r\nProxy-Authorization: Basic {value}\r\n\r\n");
        assert_eq!(encoded(&proxy, "ws://a/"), format!("CONNECT a:80 HTTP/1.1\r\n{lines}"));
    }
    let proxy: Proxy = "http://user:pass@proxy".parse().unwrap();
    let set = proxy.credentials("Aladdin", "open sesame").unwrap();
    assert_eq!(set, "http://Aladdin:open%20sesame@proxy".parse().unwrap());
}

#[test]
fn credentials_that_basic_can_not_carry_are_refused() {
    let proxy: Proxy = PROXY.parse().unwrap();
    for (user, password, error) in [
        ("us:er", "", ProxyError::ColonInUser),
        ("user\n", "", ProxyError::ControlCharacter),
        ("user", "pass\r\nX: y", ProxyError::ControlCharacter),
        ("user", "\0", ProxyError::ControlCharacter),
    ] {
        assert_eq!(proxy.clone().credentials(user, password), Err(error));
    }
}

#[test]
fn nothing_that_can_be_printed_has_the_credentials() {
    let proxy: Proxy = "http://user:secret@proxy".parse().unwrap();
    let handshake = ProxyHandshake::new(&proxy, &request("ws://a/"));
    for text in [format!("{proxy}"), format!("{proxy:#?}"), format!("{handshake:#?}")] {
        for secret in ["user", "secret", "dXNlcjpzZWNyZXQ"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
    for url in ["http://user:hunter%@proxy", "http://user:hunt/er@proxy", "http://hunter@x@proxy"] {
        let error = url.parse::<Proxy>().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunt"), "{error}");
    }
}

#[test]
fn what_the_request_is_for_stays_between_client_and_server() {
    let request = request("ws://a/secret?token")
        .subprotocol("secret")
        .unwrap()
        .header_line("Authorization", "secret")
        .unwrap();
    let mut handshake = ProxyHandshake::new(&PROXY.parse().unwrap(), &request);
    assert_eq!(handshake.outgoing(), "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n");
}

proptest! {
    #[test]
    fn whatever_is_a_proxy_is_asked_with_one_head(
        url in "(http://)?[ -~]{0,12}(:[ -~]{0,12})?@?[a-z\\[\\]:.%]{1,8}(:[0-9]{0,5})?[/\r\n\u{0}]?",
        user in any::<String>(),
        password in any::<String>(),
    ) {
        let Ok(proxy) = url.parse::<Proxy>() else { return Ok(()) };
        let proxy = proxy.clone().credentials(&user, &password).unwrap_or(proxy);
        let asked = encoded(&proxy, "ws://a/");
        let rest = asked.strip_prefix("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n").unwrap();
        let line = rest.strip_suffix("\r\n").unwrap();
        let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
        let authorizes = line
            .strip_prefix("Proxy-Authorization: Basic ")
            .and_then(|line| line.strip_suffix("\r\n"))
            .is_some_and(|value| value.bytes().all(is_base64));
        prop_assert!(line.is_empty() || authorizes, "{line:?}");
    }

    #[test]
    fn what_is_written_out_is_the_same_proxy_without_credentials(
        userinfo in "([a-z]{1,4}(:[a-z]{0,4})?@)?", host in "[a-z.]{1,8}", port in 1..=u16::MAX,
    ) {
        let proxy: Proxy = format!("http://{userinfo}{host}:{port}").parse().unwrap();
        let written = format!("http://{host}:{port}");
        prop_assert_eq!(proxy.to_string(), written.clone());
        prop_assert_eq!(written.parse::<Proxy>().unwrap().to_string(), written);
    }
}

// What it answers

#[test]
fn any_success_opens_the_tunnel_behind_the_blank_line() {
    for first in [
        "HTTP/1.1 200 Connection established",
        "HTTP/1.1 200",
        "HTTP/1.1 204 No Content",
        "HTTP/1.1 299 Fine",
        "HTTP/1.0 200 OK",
    ] {
        let (response, behind) = opened(&format!("{first}\r\nVia: 1.1 proxy\r\n\r\nfirst bytes"));
        assert!(response.status().is_success());
        assert_eq!(response.headers()["via"], "1.1 proxy");
        assert_eq!(behind, b"first bytes");
    }
}

#[test]
fn a_length_or_coding_of_a_success_means_nothing() {
    for field in [
        "Content-Length: 5",
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: x",
        "Transfer-Encoding: chunked",
    ] {
        assert_eq!(opened(&format!("HTTP/1.1 200 OK\r\n{field}\r\n\r\nfirst")).1, b"first");
    }
}

#[test]
fn a_length_that_is_no_number_leaves_a_refusal_without_a_body() {
    for (length, body) in [("3", "why"), ("+3", ""), ("x", ""), ("3x", ""), ("", "")] {
        let bytes = format!("HTTP/1.1 407 X\r\nContent-Length: {length}\r\n\r\nwhy not");
        assert_eq!(refused(&bytes).body(), body.as_bytes(), "{length:?}");
    }
}

#[test]
fn interim_responses_are_passed_over_within_the_limit_of_one_head() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n";
    assert_eq!(opened(&format!("{interim}HTTP/1.1 200 OK\r\n\r\nfirst")).1, b"first");
    assert!(matches!(outcome(interim), Ok(None)));
    let flood = "HTTP/1.1 100 Continue\r\n\r\n".repeat(1000);
    assert_eq!(fault(&flood), HeadError::TooLarge { limit: 16 * 1024 }.into());
}

#[test]
fn every_other_status_is_a_refusal_with_its_response() {
    for status in [300, 302, 400, 403, 404, 407, 429, 500, 502, 503, 504, 600] {
        let bytes = format!("HTTP/1.1 {status} X\r\nContent-Length: 3\r\nX: y\r\n\r\nwhy not");
        let response = refused(&bytes);
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["x"], "y");
        assert_eq!(response.body(), b"why");
    }
}

#[test]
fn a_refusal_says_how_to_authenticate() {
    let response = refused(
        "HTTP/1.1 407 Proxy Authentication Required\r\n\
         Proxy-Authenticate: Basic realm=\"proxy\"\r\nTransfer-Encoding: chunked\r\n\r\n\
         3\r\nwho\r\n0\r\n\r\n",
    );
    assert_eq!(response.headers()["proxy-authenticate"], "Basic realm=\"proxy\"");
    assert_eq!(response.body(), b"who");
}

#[test]
fn the_body_of_a_refusal_is_kept_up_to_the_limit_of_the_request() {
    let request = request("ws://a/").max_body_size(4);
    let outcome = receive(&request, &[b"HTTP/1.1 502 X\r\n\r\n"]).unwrap();
    let Some((ProxyOutcome::Refused(mut rejection), _)) = outcome else { panic!("{outcome:?}") };
    rejection.receive(&mut &mut b"too much".to_vec()[..]);
    assert!(rejection.is_complete());
    assert_eq!(rejection.response().body(), b"too ");
}

#[test]
fn a_switch_of_protocols_is_no_tunnel() {
    let switched = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
    assert_eq!(fault(switched), ProxyResponseError::Switched);
}

#[test]
fn after_an_error_there_is_no_going_on() {
    for wrong in ["HTTP/1.1 101 x\r\n\r\n", "HTTP/1.1 200 x\r\nx : y\r\n\r\n"] {
        let right = "HTTP/1.1 200 OK\r\n\r\n";
        let mut bytes = [wrong, right].concat().into_bytes();
        let mut input = &mut bytes[..];
        let mut handshake = ProxyHandshake::new(&PROXY.parse().unwrap(), &request("ws://a/"));
        let error = handshake.receive(&mut input).unwrap_err();
        assert_eq!(handshake.receive(&mut input).unwrap_err(), error);
        assert_eq!(input, right.as_bytes());
    }
}

#[test]
fn what_is_no_response_is_refused_with_the_rule_it_breaks() {
    for (bytes, error) in [
        ("\x05\x00", HeadError::StartLine),
        ("SSH-2.0-OpenSSH\r\n\r\n", HeadError::StartLine),
        ("GET / HTTP/1.1\r\n\r\n", HeadError::StartLine),
        ("HTTP/2.0 200 OK\r\n\r\n", HeadError::Version),
        ("HTTP/1.1 99 X\r\n\r\n", HeadError::StartLine),
        ("HTTP/1.1 200 OK\n\n", HeadError::BareLineFeed),
        ("HTTP/1.1 200 OK\r\n a: b\r\n\r\n", HeadError::FoldedHeader),
        ("HTTP/1.1 200 OK\r\na : b\r\n\r\n", HeadError::HeaderName),
        ("<html>200 OK</html>\r\n\r\n", HeadError::StartLine),
    ] {
        assert_eq!(fault(bytes), error.into(), "{bytes:?}");
    }
}

#[test]
fn the_limits_of_the_request_hold_for_the_proxy_too() {
    let limits = HeadLimits::default().max_size(64).max_headers(1);
    let request = request("ws://a/").head_limits(limits);
    for (bytes, error) in [
        (format!("HTTP/1.1 200 {}", "x".repeat(64)), HeadError::TooLarge { limit: 64 }),
        ("HTTP/1.1 200 OK\r\na: b\r\nc: d\r\n\r\n".into(), HeadError::TooManyHeaders { limit: 1 }),
    ] {
        assert_eq!(receive(&request, &[bytes.as_bytes()]).unwrap_err(), error.into());
    }
}

#[test]
fn an_end_before_the_blank_line_is_no_answer() {
    for bytes in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 100 Continue\r\n\r\n"] {
        let mut handshake = ProxyHandshake::new(&PROXY.parse().unwrap(), &request("ws://a/"));
        let received = handshake.receive(&mut &mut bytes.as_bytes().to_vec()[..]);
        assert!(matches!(received, Ok(None)));
        assert_eq!(handshake.receive_eof(), ProxyResponseError::Truncated);
    }
}

#[test]
fn an_end_after_a_wrong_answer_is_the_same_error() {
    let mut handshake = ProxyHandshake::new(&PROXY.parse().unwrap(), &request("ws://a/"));
    let mut bytes = b"HTTP/1.1 101 Switching Protocols\r\n\r\n".to_vec();
    let received = handshake.receive(&mut &mut bytes[..]);
    assert_eq!(received.unwrap_err(), ProxyResponseError::Switched);
    assert_eq!(handshake.receive_eof(), ProxyResponseError::Switched);
}

#[test]
fn an_answer_may_be_cut_at_any_one_place() {
    let request = request("ws://a/");
    let interim = "HTTP/1.1 100 Continue\r\n\r\n";
    for bytes in [
        format!("{interim}HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nfirst"),
        format!("{interim}HTTP/1.1 407 X\r\nContent-Length: 3\r\n\r\nwhy not"),
        "HTTP/1.1 200 OK\r\na : b\r\n\r\nfirst".into(),
        "HTTP/1.1 101 X\r\n\r\nfirst".into(),
    ] {
        let whole = format!("{:?}", receive(&request, &[bytes.as_bytes()]));
        for place in 0..=bytes.len() {
            let (first, second) = bytes.as_bytes().split_at(place);
            let cut = format!("{:?}", receive(&request, &[first, second]));
            assert_eq!(cut, whole, "cut at {place}");
        }
        let single: Vec<_> = bytes.as_bytes().chunks(1).collect();
        assert_eq!(format!("{:?}", receive(&request, &single)), whole);
    }
}

proptest! {
    #[test]
    fn what_a_proxy_says_in_the_tunnel_is_left_to_the_tunnel(behind in vec(any::<u8>(), 0..64)) {
        let bytes = [&b"HTTP/1.1 200 OK\r\n\r\n"[..], &behind].concat();
        let received = receive(&request("ws://a/"), &[&bytes]).unwrap();
        let Some((ProxyOutcome::Tunnel(_), rest)) = received else { panic!("{received:?}") };
        prop_assert_eq!(rest, behind);
    }
}

#[test]
fn a_server_that_is_taken_for_a_proxy_refuses() {
    let mut refusal = answered(encoded(&PROXY.parse().unwrap(), "ws://a/"));
    let answer = String::from_utf8(refusal.outgoing().to_vec()).unwrap();
    assert_eq!(refused(&answer).status(), 405);
}
