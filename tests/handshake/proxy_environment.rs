//! Which proxy the environment names, as far as there are conventions for it.

use std::net::Ipv4Addr;

use proptest::prelude::*;
use sansocket::handshake::{Proxy, ProxyEnvironment, ProxyEnvironmentError, ProxyError};

/// The environment in which these variables are set.
fn environment(variables: &[(&str, &str)]) -> ProxyEnvironment {
    ProxyEnvironment::read(|name| {
        let (_, value) = variables.iter().find(|(set, _)| *set == name)?;
        Some((*value).to_owned())
    })
}

fn proxy_for(
    variables: &[(&str, &str)],
    uri: &str,
) -> Result<Option<Proxy>, ProxyEnvironmentError> {
    environment(variables).proxy_for(&uri.parse().expect(uri)).map(Option::<&Proxy>::cloned)
}

/// The host of the proxy for this URI.
fn host_for(variables: &[(&str, &str)], uri: &str) -> Option<String> {
    proxy_for(variables, uri).unwrap().map(|proxy| proxy.host().to_owned())
}

/// Whether a server is connected to directly in spite of a proxy.
fn is_exempt(no_proxy: &str, uri: &str) -> bool {
    let variables = [("all_proxy", "http://proxy"), ("no_proxy", no_proxy)];
    host_for(&variables, uri).is_none()
}

#[test]
fn an_empty_environment_names_no_proxy() {
    for uri in ["ws://a/", "wss://a/"] {
        assert_eq!(host_for(&[], uri), None);
        assert_eq!(host_for(&[("no_proxy", "*"), ("HTTP_PROXIES", "a")], uri), None);
    }
}

#[test]
fn each_scheme_has_its_variable_and_all_proxy_is_for_both() {
    let both = [("http_proxy", "h"), ("https_proxy", "s"), ("all_proxy", "a")];
    for (variables, ws, wss) in [
        (&both[..], Some("h"), Some("s")),
        (&both[..2], Some("h"), Some("s")),
        (&both[1..], Some("a"), Some("s")),
        (&both[..1], Some("h"), None),
        (&both[2..], Some("a"), Some("a")),
        (&[("HTTP_PROXY", "h"), ("HTTPS_PROXY", "s")], Some("h"), Some("s")),
        (&[("ALL_PROXY", "a")], Some("a"), Some("a")),
    ] {
        assert_eq!(host_for(variables, "ws://server/").as_deref(), ws, "{variables:?}");
        assert_eq!(host_for(variables, "wss://server/").as_deref(), wss, "{variables:?}");
    }
}

#[test]
fn lower_case_goes_before_upper_case_and_what_is_empty_is_not_set() {
    for (lower, upper, uri) in [
        ("http_proxy", "HTTP_PROXY", "ws://server/"),
        ("https_proxy", "HTTPS_PROXY", "wss://server/"),
        ("all_proxy", "ALL_PROXY", "ws://server/"),
    ] {
        assert_eq!(host_for(&[(upper, "u"), (lower, "l")], uri).unwrap(), "l");
        assert_eq!(host_for(&[(upper, "u"), (lower, "")], uri).unwrap(), "u");
        assert_eq!(host_for(&[(upper, ""), (lower, " ")], uri), None);
    }
    let exceptions = [("all_proxy", "p"), ("no_proxy", "a"), ("NO_PROXY", "b")];
    assert_eq!(host_for(&exceptions, "ws://a/"), None);
    assert_eq!(host_for(&exceptions, "ws://b/").unwrap(), "p");
    assert_eq!(host_for(&[("all_proxy", "p"), ("NO_PROXY", "a")], "ws://a/"), None);
}

#[test]
fn what_a_client_of_a_cgi_program_can_set_is_ignored() {
    let set = [("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "evil")];
    assert_eq!(host_for(&set, "ws://a/"), None);
    let all = [set[0], set[1], ("ALL_PROXY", "all")];
    assert_eq!(host_for(&all, "ws://a/").unwrap(), "all");
    if !cfg!(windows) {
        let lower = [set[0], set[1], ("http_proxy", "lower")];
        assert_eq!(host_for(&lower, "ws://a/").unwrap(), "lower");
    }
    let https = [set[0], ("HTTPS_PROXY", "https")];
    assert_eq!(host_for(&https, "wss://a/").unwrap(), "https");
}

#[test]
fn a_variable_that_is_wrong_matters_where_it_decides() {
    let variables = [
        ("http_proxy", "socks5://proxy"),
        ("HTTPS_PROXY", "https://user:secret@proxy"),
        ("no_proxy", "direct"),
    ];
    let error = proxy_for(&variables, "ws://a/").unwrap_err();
    assert_eq!((error.variable(), error.error()), ("http_proxy", ProxyError::SocksUnsupported));
    let error = proxy_for(&variables, "wss://a/").unwrap_err();
    assert_eq!((error.variable(), error.error()), ("HTTPS_PROXY", ProxyError::HttpsUnsupported));
    assert!(!format!("{error} {error:?} {:?}", environment(&variables)).contains("secret"));
    for uri in ["ws://direct/", "wss://direct/"] {
        assert_eq!(proxy_for(&variables, uri), Ok(None));
    }
    let https = [("https_proxy", "http://proxy"), ("http_proxy", "ftp://proxy")];
    assert_eq!(host_for(&https, "wss://a/").unwrap(), "proxy");
}

#[test]
fn the_proxy_is_the_one_that_the_variable_describes() {
    let proxy = proxy_for(&[("all_proxy", "http://user:pass@proxy:3128/")], "ws://a/");
    assert_eq!(proxy, Ok(Some("http://user:pass@proxy:3128".parse().unwrap())));
}

#[test]
fn an_exception_means_these_servers() {
    for (no_proxy, uri) in [
        ("*", "ws://anything/"),
        ("*", "wss://[::1]/"),
        ("a, *", "ws://anything/"),
        ("*:9001", "ws://anything:9001/"),
        // Names.
        ("example.com", "ws://example.com/"),
        ("example.com", "wss://example.com:9001/"),
        ("example.com", "ws://EXAMPLE.com/"),
        ("Example.COM", "ws://example.com/"),
        ("example.com", "ws://www.example.com/"),
        ("example.com", "ws://a.b.example.com/"),
        (".example.com", "ws://example.com/"),
        (".example.com", "ws://www.example.com/"),
        ("*.example.com", "ws://www.example.com/"),
        ("*.example.com", "ws://example.com/"),
        ("example.com.", "ws://example.com/"),
        ("example.com", "ws://example.com./"),
        ("localhost", "ws://localhost:9001/"),
        // Ports.
        ("example.com:9001", "ws://example.com:9001/"),
        ("example.com:80", "ws://example.com/"),
        ("example.com:443", "wss://www.example.com/"),
        ("example.com:", "ws://example.com:9001/"),
        ("127.0.0.1:9001", "ws://127.0.0.1:9001/"),
        ("[::1]:9001", "ws://[::1]:9001/"),
        // Addresses.
        ("127.0.0.1", "ws://127.0.0.1/"),
        ("::1", "ws://[::1]/"),
        ("[::1]", "ws://[::1]:9001/"),
        ("2001:DB8::1", "ws://[2001:db8:0:0::1]/"),
        ("127.0.0.1", "ws://[::ffff:127.0.0.1]/"),
        ("::ffff:127.0.0.1", "ws://127.0.0.1/"),
        // Blocks of addresses.
        ("127.0.0.0/8", "ws://127.255.255.255/"),
        ("192.0.2.128/25", "ws://192.0.2.129/"),
        ("192.0.2.77/24", "ws://192.0.2.1/"),
        ("192.0.2.1/32", "ws://192.0.2.1/"),
        ("0.0.0.0/0", "ws://192.0.2.1/"),
        ("2001:db8::/32", "ws://[2001:db8:ffff::1]/"),
        ("2001:db8::1/128", "ws://[2001:db8::1]/"),
        ("::/0", "ws://[2001:db8::1]/"),
        ("127.0.0.0/8", "ws://[::ffff:127.0.0.1]/"),
        ("::ffff:10.0.0.0/104", "ws://[::ffff:10.1.2.3]/"),
        ("::ffff:10.0.0.0/104", "ws://10.1.2.3/"),
        ("::ffff:0.0.0.0/96", "ws://10.1.2.3/"),
        // Lists.
        ("a,example.com,b", "ws://example.com/"),
        (" a , example.com , b ", "ws://example.com/"),
        ("a example.com b", "ws://example.com/"),
        (",,example.com,", "ws://example.com/"),
        ("10.0.0.0/99,a/b,http://x,[,example.com", "ws://example.com/"),
    ] {
        assert!(is_exempt(no_proxy, uri), "{no_proxy:?} exempts {uri}");
    }
}

#[test]
fn an_exception_means_no_other_servers() {
    for (no_proxy, uri) in [
        ("", "ws://a/"),
        (",", "ws://a/"),
        (".", "ws://a/"),
        ("*.", "ws://a/"),
        ("*a", "ws://aa/"),
        ("**", "ws://a/"),
        ("*:9001", "ws://a/"),
        ("example.com", "ws://example.org/"),
        ("example.com", "ws://notexample.com/"),
        ("example.com", "ws://example.com.evil/"),
        ("example.com", "ws://com/"),
        ("www.example.com", "ws://example.com/"),
        ("ww.*.com", "ws://ww.example.com/"),
        ("example.com:9001", "ws://example.com/"),
        ("example.com:0", "ws://example.com/"),
        ("example.com:http", "ws://example.com/"),
        ("example.com:443", "ws://example.com/"),
        ("127.0.0.1:80", "ws://127.0.0.1:81/"),
        ("127.0.0.1", "ws://127.0.0.2/"),
        ("0.0.1", "ws://127.0.0.1/"),
        (".1", "ws://127.0.0.1/"),
        ("127.0.0.1", "ws://x.127.0.0.1/"),
        ("localhost", "ws://127.0.0.1/"),
        ("127.0.0.1", "ws://localhost/"),
        ("::1", "ws://[::2]/"),
        ("192.0.2.128/25", "ws://192.0.2.127/"),
        ("127.0.0.0/8", "ws://128.0.0.0/"),
        ("127.0.0.0/33", "ws://127.0.0.0/"),
        ("127.0.0.0/x", "ws://127.0.0.0/"),
        ("127.0.0.0/", "ws://127.0.0.0/"),
        ("127.0.0.0/8:80", "ws://127.0.0.1/"),
        ("127.0.0.0/-1", "ws://127.0.0.0/"),
        ("127.0.0.0/+8", "ws://127.0.0.0/"),
        ("::ffff:10.0.0.0/104", "ws://11.1.2.3/"),
        ("::ffff:10.0.0.0/95", "ws://10.0.0.0/"),
        ("::ffff:10.0.0.0/129", "ws://10.0.0.0/"),
        ("0.0.0.0/0", "ws://[::1]/"),
        ("0.0.0.0/0", "ws://a/"),
        ("::/0", "ws://127.0.0.1/"),
        ("2001:db8::/32", "ws://[2001:db9::]/"),
        ("2001:db8::/129", "ws://[2001:db8::]/"),
        ("a;b", "ws://a/"),
    ] {
        assert!(!is_exempt(no_proxy, uri), "{no_proxy:?} doesn't exempt {uri}");
    }
}

proptest! {
    #[test]
    fn an_address_is_in_a_block_that_has_its_first_bits(
        address in any::<Ipv4Addr>(), other in any::<Ipv4Addr>(), bits in 0..=32_u32,
    ) {
        let block = format!("{address}/{bits}");
        let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
        let inside = Ipv4Addr::from(address.to_bits() & mask | other.to_bits() & !mask);
        let is_inside = is_exempt(&block, &format!("ws://{inside}/"));
        prop_assert!(is_inside);
        let same_front = address.to_bits() & mask == other.to_bits() & mask;
        prop_assert_eq!(is_exempt(&block, &format!("ws://{other}/")), same_front);
    }

    #[test]
    fn what_can_not_be_made_out_spoils_nothing(list in "[*.:/\\[\\]a0-9, -]{0,40}") {
        let list = format!("{list},a.b");
        let is_exempt = is_exempt(&list, "ws://a.b/");
        prop_assert!(is_exempt);
    }
}
