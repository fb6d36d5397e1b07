//! Following redirections (RFC 9110, section 15.4), which section 4.1 leaves to the client.

use http::{
    Response,
    header::{HeaderName, HeaderValue, LOCATION},
};
use proptest::prelude::*;
use sansocket::handshake::{
    ClientHandshake, ClientRequest, Outcome, RedirectError, Redirects, WebSocketUri,
};

use crate::peer::{rejected, sent};

fn request(uri: &str) -> ClientRequest {
    ClientRequest::new(uri.parse().expect(uri))
}

/// A redirection with these values of `Location`.
fn redirection(status: u16, locations: &[&str]) -> Response<Vec<u8>> {
    let fields: Vec<_> =
        locations.iter().map(|location| format!("Location: {location}\r\n")).collect();
    let fields = fields.concat();
    rejected(format!("HTTP/1.1 {status} X\r\n{fields}Content-Length: 0\r\n\r\n"))
}

/// Where a client that follows redirections goes from here.
fn followed(from: &str, location: &str) -> Option<String> {
    let response = redirection(302, &[location]);
    let next = Redirects::up_to(1).follow(&request(from), &response).unwrap();
    next.map(|next| next.uri().to_string())
}

/// The head of the request that a client sends after a redirection.
fn sent_after(request: &ClientRequest, location: &str) -> String {
    let response = redirection(307, &[location]);
    let next = Redirects::up_to(1).follow(request, &response).unwrap().expect(location);
    sent(ClientHandshake::new(&next).outgoing()).0
}

#[test]
fn by_default_no_redirection_is_followed() {
    let mut redirects = Redirects::default();
    assert_eq!(redirects, Redirects::up_to(0));
    let (request, response) = (request("wss://a/"), redirection(302, &["ws://a/"]));
    assert!(matches!(redirects.follow(&request, &response), Ok(None)));
}

#[test]
fn these_five_statuses_are_redirections() {
    for status in (200..=600).filter(|status| *status != 204) {
        let next = Redirects::up_to(1).follow(&request("ws://a/"), &redirection(status, &["/b"]));
        let is_redirection = [301, 302, 303, 307, 308].contains(&status);
        assert_eq!(next.unwrap().is_some(), is_redirection, "{status}");
    }
}

#[test]
fn a_location_is_absolute_or_relative_to_where_the_request_went() {
    for (from, location, to) in [
        ("ws://a/", "ws://b/", "ws://b/"),
        ("ws://a/", "wss://b:8443/c?d", "wss://b:8443/c?d"),
        ("ws://a/", "http://b", "ws://b/"),
        ("ws://a/", "http://b:80/", "ws://b/"),
        ("ws://a/", "https://b/c", "wss://b/c"),
        ("ws://a/", "HTTPS://b:443/c", "wss://b/c"),
        ("wss://a/", "https://[::1]:9001?x", "wss://[::1]:9001/?x"),
        ("ws://a:9001/b", "//c/d", "ws://c/d"),
        ("wss://a:9001/b", "//c:1?d", "wss://c:1/?d"),
        ("ws://a:9001/b?c", "/d/e?f", "ws://a:9001/d/e?f"),
        ("ws://a/b/c?d", "e", "ws://a/b/e"),
        ("ws://a/b/c?d", "../e?f", "ws://a/e?f"),
        ("ws://a/b/c?d/e", "f", "ws://a/b/f"),
        ("ws://a/b/c?d", "?e", "ws://a/b/c?e"),
        ("ws://a/b/c?d", "", "ws://a/b/c?d"),
        ("ws://a/b", "/c#d", "ws://a/c"),
        ("ws://a/b", "ws://c/d?e#f/../g", "ws://c/d?e"),
        ("ws://a/b", "#c", "ws://a/b"),
        ("ws://a/b", "/c/../../d/./e", "ws://a/d/e"),
        ("ws://a/b", "ws://c/d/../e", "ws://c/e"),
        ("ws://a/b", "/%2e%2e/c", "ws://a/%2e%2e/c"),
        ("ws://a/b", "/..//evil/", "ws://a//evil/"),
        ("ws://a/b", "c?http://d", "ws://a/c?http://d"),
        ("ws://a/b", "/c:d", "ws://a/c:d"),
        ("ws://a/b", "./c:d", "ws://a/c:d"),
    ] {
        assert_eq!(followed(from, location).as_deref(), Some(to), "{location} from {from}");
    }
}

#[test]
fn without_one_valid_location_the_redirection_is_the_last_word() {
    for location in [
        "ftp://b/",
        "javascript:alert(1)",
        "b:80/",
        "ws:b",
        "http:/b",
        "ws://",
        "ws:///b",
        "ws://user@b/",
        "ws://user:password@b/",
        "//user@b/",
        "ws://b:0/",
        "ws://b:65536/",
        "ws://[::1",
        "//",
        "/b c",
        "/b\u{fc}",
        "://b/",
        ":b",
    ] {
        assert_eq!(followed("ws://a/", location), None, "{location}");
    }
    let mut redirects = Redirects::up_to(1);
    for locations in [&[][..], &["/b", "/c"], &["/b", "/b"]] {
        let response = redirection(301, locations);
        assert!(matches!(redirects.follow(&request("ws://a/"), &response), Ok(None)));
    }
    // None of them counted.
    let response = redirection(301, &["/b"]);
    assert!(redirects.follow(&request("ws://a/"), &response).unwrap().is_some());
}

#[test]
fn as_many_are_followed_as_are_allowed() {
    for limit in [1, 2, 20] {
        let mut redirects = Redirects::up_to(limit);
        let mut request = request("ws://a/");
        let response = redirection(302, &["/"]);
        for _ in 0..limit {
            request = redirects.follow(&request, &response).unwrap().unwrap();
        }
        for _ in 0..2 {
            let outcome = redirects.follow(&request, &response);
            assert_eq!(outcome.unwrap_err(), RedirectError::TooMany { limit });
        }
        // Anything but a redirection is an answer, even after the last one.
        assert!(matches!(redirects.follow(&request, &redirection(404, &["/"])), Ok(None)));
    }
}

#[test]
fn no_redirection_leads_from_wss_to_ws() {
    for location in ["ws://a/", "http://a/", "http://b", "HTTP://a:443/", "ws://a:443/"] {
        let outcome =
            Redirects::up_to(9).follow(&request("wss://a/"), &redirection(302, &[location]));
        assert_eq!(outcome.unwrap_err(), RedirectError::Downgrade, "{location}");
    }
    assert_eq!(followed("ws://a/", "wss://a/").unwrap(), "wss://a/");
}

#[test]
fn the_next_request_has_the_host_of_its_uri_and_a_key_of_its_own() {
    let request = request("ws://a:9001/b");
    let head = sent_after(&request, "ws://c:9002/d?e");
    assert!(head.starts_with("GET /d?e HTTP/1.1\r\nHost: c:9002\r\n"), "{head}");
    let key = |head: &str| {
        let line = head.lines().find(|line| line.starts_with("Sec-WebSocket-Key: "));
        line.map(str::to_owned).unwrap()
    };
    let first = sent(ClientHandshake::new(&request).outgoing()).0;
    assert_ne!(key(&first), key(&head));
    assert_ne!(key(&sent_after(&request, "/d")), key(&sent_after(&request, "/d")));
}

/// A request with everything it can have, and the lines it is sent with.
fn full_request() -> (ClientRequest, [&'static str; 3], [&'static str; 5]) {
    let mut token = HeaderValue::from_static("token");
    token.set_sensitive(true);
    let request = request("ws://a:9001/b")
        .subprotocol("chat")
        .unwrap()
        .origin("https://page.example".parse().unwrap())
        .header_line("authorization", "secret")
        .and_then(|request| request.header_line("Cookie", "secret=1"))
        .and_then(|request| request.header_line("cookie", "secret=2"))
        .and_then(|request| request.header_line("proxy-authorization", "secret"))
        .and_then(|request| request.header(HeaderName::from_static("x-token"), token))
        .and_then(|request| request.header_line("user-agent", "test"))
        .unwrap();
    let kept = ["Origin: https://page.example", "Sec-WebSocket-Protocol: chat", "user-agent: test"];
    let credentials = [
        "authorization: secret",
        "cookie: secret=1",
        "cookie: secret=2",
        "proxy-authorization: secret",
        "x-token: token",
    ];
    (request, kept, credentials)
}

#[test]
fn within_an_origin_everything_is_sent_again() {
    let (request, kept, credentials) = full_request();
    for location in ["/c", "c?d", "//A:9001/", "http://a:9001/", "ws://a:9001/"] {
        let head = sent_after(&request, location);
        for line in kept.iter().chain(&credentials) {
            assert!(head.contains(&format!("\r\n{line}\r\n")), "{line} to {location}");
        }
    }
}

#[test]
fn to_another_origin_no_credentials_are_sent() {
    let (request, kept, _) = full_request();
    for location in [
        "ws://b:9001/",
        "ws://a:9002/",
        "ws://a/",
        "//b/",
        "wss://a:9001/",
        "https://a:9001/",
        "ws://a.b:9001/",
        "ws://b.a:9001/",
        "ws://a.:9001/",
    ] {
        let head = sent_after(&request, location).to_ascii_lowercase();
        for secret in ["secret", "token", "cookie", "authorization"] {
            assert!(!head.contains(secret), "{secret} to {location}");
        }
        for line in kept {
            let line = line.to_ascii_lowercase();
            assert!(head.contains(&format!("\r\n{line}\r\n")), "{line} to {location}");
        }
    }
}

#[test]
fn credentials_that_were_left_out_do_not_come_back() {
    let (request, ..) = full_request();
    let mut redirects = Redirects::up_to(2);
    let away = redirects.follow(&request, &redirection(302, &["ws://b/"])).unwrap().unwrap();
    let back = redirects.follow(&away, &redirection(302, &["ws://a:9001/b"])).unwrap().unwrap();
    assert_eq!(back.uri(), request.uri());
    assert!(!sent(ClientHandshake::new(&back).outgoing()).0.contains("secret"));
}

#[test]
fn the_limits_of_the_request_hold_for_the_next_one() {
    let request = request("ws://a/").max_body_size(3);
    let next = Redirects::up_to(1).follow(&request, &redirection(302, &["/b"])).unwrap().unwrap();
    let mut handshake = ClientHandshake::new(&next);
    let mut bytes = *b"HTTP/1.1 403 X\r\n\r\nlong";
    let mut input = &mut bytes[..];
    let Ok(Some(Outcome::Rejected(mut rejection))) = handshake.receive(&mut input) else {
        panic!()
    };
    rejection.receive(&mut input);
    assert_eq!(rejection.response().body(), b"lon");
}

/// References, and what resembles them.
fn references() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(
        &["a", "b", ".", "..", "/", "//", "?", "#", ":", "@", "ws:", "https:", "%2F", "[::1]", ";"]
            [..],
    );
    prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn a_location_leads_to_a_uri_that_means_itself(
        from in prop::sample::select(&["ws://a/", "ws://a:1/b/c?d", "ws://[::1]/b/c/"][..]),
        location in references(),
    ) {
        let Some(to) = followed(from, &location) else { return Ok(()) };
        let uri: WebSocketUri = to.parse().unwrap();
        prop_assert_eq!(uri.to_string(), &*to);
        if !location.contains("//") {
            let from: WebSocketUri = from.parse().unwrap();
            prop_assert_eq!(uri.host_field(), from.host_field());
            prop_assert_eq!(uri.scheme(), from.scheme());
        }
        // Once it is absolute, it is the same from anywhere.
        prop_assert_eq!(followed("ws://elsewhere/x/y", &to).unwrap(), to);
    }

    #[test]
    fn no_value_of_location_reaches_the_next_request_as_more_than_its_target(
        location in "[ -~]{0,40}",
    ) {
        let mut response = Response::new(());
        *response.status_mut() = http::StatusCode::FOUND;
        response.headers_mut().insert(LOCATION, HeaderValue::from_str(&location).unwrap());
        let next = Redirects::up_to(1).follow(&request("ws://a/b"), &response);
        let Ok(Some(next)) = next else { return Ok(()) };
        let head = sent(ClientHandshake::new(&next).outgoing()).0;
        let lines: Vec<_> = head.split("\r\n").collect();
        prop_assert_eq!(lines.len(), 7, "{}", head);
        prop_assert_eq!(lines[0], format!("GET {} HTTP/1.1", next.uri().resource_name()));
        prop_assert_eq!(lines[1], format!("Host: {}", next.uri().host_field()));
    }
}
