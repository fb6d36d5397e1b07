//! WebSocket URIs.

use sansocket::handshake::{Scheme, UriError, WebSocketUri};

#[test]
fn the_parts_of_a_uri_are_host_port_and_resource_name() {
    for (text, host, port, field, resource) in [
        ("ws://example.com", "example.com", 80, "example.com", "/"),
        ("ws://example.com/", "example.com", 80, "example.com", "/"),
        ("ws://example.com:/", "example.com", 80, "example.com", "/"),
        ("ws://example.com:80/chat", "example.com", 80, "example.com", "/chat"),
        ("ws://example.com:443/", "example.com", 443, "example.com:443", "/"),
        ("ws://example.com:9001/a/b?c=d&e", "example.com", 9001, "example.com:9001", "/a/b?c=d&e"),
        ("ws://127.0.0.1:8080", "127.0.0.1", 8080, "127.0.0.1:8080", "/"),
        ("ws://[::1]:9001/", "::1", 9001, "[::1]:9001", "/"),
        ("ws://[2001:db8::1]", "2001:db8::1", 80, "[2001:db8::1]", "/"),
        ("wss://example.com", "example.com", 443, "example.com", "/"),
        ("wss://example.com:443", "example.com", 443, "example.com", "/"),
        ("wss://example.com:80", "example.com", 80, "example.com:80", "/"),
        ("ws://a/%23%20?%00", "a", 80, "a", "/%23%20?%00"),
        ("ws://a/b//c/../d", "a", 80, "a", "/b//c/../d"),
        ("ws://a/?", "a", 80, "a", "/"),
    ] {
        let uri: WebSocketUri = text.parse().expect(text);
        assert_eq!(uri.host(), host, "{text}");
        assert_eq!(uri.port(), port, "{text}");
        assert_eq!(uri.host_field(), field, "{text}");
        assert_eq!(uri.resource_name(), resource, "{text}");
    }
}

#[test]
fn an_empty_path_is_a_slash_also_before_a_query() {
    for (text, resource) in [("ws://a?b", "/?b"), ("ws://a:1?b=/c", "/?b=/c"), ("ws://[::1]?", "/")]
    {
        let uri: WebSocketUri = text.parse().expect(text);
        assert_eq!(uri.resource_name(), resource, "{text}");
    }
}

#[test]
fn schemes_are_compared_without_case() {
    for (text, scheme) in [("WS://a", Scheme::Ws), ("wSs://a", Scheme::Wss)] {
        assert_eq!(text.parse::<WebSocketUri>().unwrap().scheme(), scheme);
    }
}

#[test]
fn what_can_not_be_connected_to_is_refused_with_the_rule_it_breaks() {
    for (text, error) in [
        ("ws://a/#b", UriError::Fragment),
        ("ws://a#b", UriError::Fragment),
        ("ws://a/?b#", UriError::Fragment),
        ("http://a/", UriError::Scheme),
        ("wsx://a/", UriError::Scheme),
        ("example.com", UriError::Scheme),
        ("localhost:9001", UriError::Scheme),
        ("/chat", UriError::Scheme),
        ("ws://user@a/", UriError::Userinfo),
        ("ws://user:secret@a/", UriError::Userinfo),
        ("ws://a:0/", UriError::Port),
        ("ws://a:65536/", UriError::Port),
        ("ws://a:x/", UriError::Port),
        ("ws://[::g]/", UriError::Host),
        ("ws://[fe80::1%25eth0]/", UriError::Host),
        ("ws://:80/", UriError::Host),
    ] {
        assert_eq!(text.parse::<WebSocketUri>(), Err(error), "{text}");
    }
    for text in ["", "ws:", "ws://", "ws:///chat", "ws:a", "ws://[::1", "ws://::1/", "ws://a:1:2"] {
        assert!(text.parse::<WebSocketUri>().is_err(), "{text}");
    }
}

#[test]
fn nothing_but_visible_ascii_reaches_the_request_line() {
    for text in [
        "ws://a/b c",
        "ws://a/ HTTP/1.1\r\nHost: b\r\n\r\n",
        "ws://a/\r\nX: y",
        "ws://a/\n",
        "ws://a/\0",
        "ws://a/\t",
        "ws://a/\u{7f}",
        "ws://a/ü",
        "ws://bücher/",
        " ws://a/",
    ] {
        assert_eq!(text.parse::<WebSocketUri>(), Err(UriError::IllegalCharacter), "{text:?}");
    }
}
