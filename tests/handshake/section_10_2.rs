//! Which pages may open a connection.

use sansocket::handshake::{OriginPolicy, RequestError, UpgradeRequest};

use crate::peer::{read, request};

fn check(policy: &OriginPolicy, host: &str, with: &str) -> Result<(), RequestError> {
    let with = format!("Host: {host}\r\n{with}");
    let request = read(request("Host", with.trim_end())).unwrap();
    policy.check(&UpgradeRequest::parse(&request).unwrap())
}

#[test]
fn the_same_origin_is_the_host_and_port_of_the_request() {
    let policy = OriginPolicy::same_origin();
    for (host, origin) in [
        ("example.com", "http://example.com"),
        ("example.com", "https://example.com"),
        ("example.com", "https://EXAMPLE.com:443"),
        ("example.com:443", "https://example.com"),
        ("Example.com:9001", "http://example.com:9001"),
        ("[::1]:9001", "http://[::1]:9001"),
    ] {
        assert_eq!(check(&policy, host, &format!("Origin: {origin}")), Ok(()), "{host} {origin}");
    }
    for (host, origin) in [
        ("example.com", "http://evil.example"),
        ("example.com", "http://example.com.evil.example"),
        ("example.com", "http://evil.example/example.com"),
        ("example.com", "http://sub.example.com"),
        ("example.com", "http://example.com:8080"),
        ("example.com:8080", "http://example.com"),
        ("example.com:80", "https://example.com"),
        ("example.com", "null"),
        ("null", "null"),
        ("example.com", ""),
        ("example.com", "example.com"),
        ("example.com", "http://example.com http://example.com"),
        ("example.com", "http://example.com\r\nOrigin: http://example.com"),
    ] {
        let result = check(&policy, host, &format!("Origin: {origin}"));
        assert_eq!(result, Err(RequestError::Origin), "{host} {origin}");
        assert_eq!(RequestError::Origin.status(), 403);
    }
}

#[test]
fn the_host_of_an_absolute_target_goes_before_the_host_field() {
    let bytes = request("", "Origin: http://other").replace("/chat", "http://other/chat");
    let request = read(bytes).unwrap();
    let upgrade = UpgradeRequest::parse(&request).unwrap();
    assert_eq!(OriginPolicy::same_origin().check(&upgrade), Ok(()));
}

#[test]
fn a_list_has_the_origins_that_are_let_in() {
    let list = ["https://a".parse().unwrap(), "http://b:8080".parse().unwrap()];
    let policy = OriginPolicy::list(list);
    for origin in ["https://a", "HTTPS://A:443", "http://b:8080"] {
        assert_eq!(check(&policy, "x", &format!("Origin: {origin}")), Ok(()), "{origin}");
    }
    for origin in ["http://a", "https://b:8080", "null", "https://a/", "https://a https://a"] {
        let result = check(&policy, "x", &format!("Origin: {origin}"));
        assert_eq!(result, Err(RequestError::Origin), "{origin}");
    }
    let null = OriginPolicy::list(["null".parse().unwrap()]);
    assert_eq!(check(&null, "x", "Origin: null"), Ok(()));
}

#[test]
fn a_client_without_origin_is_no_browser_and_let_in_unless_one_is_required() {
    for policy in [OriginPolicy::any(), OriginPolicy::same_origin(), OriginPolicy::list([])] {
        assert_eq!(check(&policy, "a", ""), Ok(()));
        assert_eq!(check(&policy.required(), "a", ""), Err(RequestError::Origin));
    }
}

#[test]
fn any_origin_is_any() {
    for origin in ["http://a", "null", "nonsense", "a\r\nOrigin: b"] {
        assert_eq!(check(&OriginPolicy::any(), "a", &format!("Origin: {origin}")), Ok(()));
    }
}
