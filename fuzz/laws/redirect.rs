//! A redirection leads to a request that is as strict as the first one, never from `wss` to `ws`,
//! never with credentials to another origin, and never further than is allowed.

use http::Response;
use sansocket::handshake::{
    ClientHandshake, ClientRequest, Outcome, RedirectError, Redirects, Scheme, WebSocketUri,
};

use super::http_head::Head;
use super::script::Script;

/// Where the first request goes.
pub const URIS: [&str; 4] =
    ["ws://a.example/b/c?d", "wss://a.example/b/", "ws://[::1]:9001/", "wss://a.example:9001/?e"];

/// The input is a byte of choices, and what the server sends: heads, each the answer to one request.
pub fn law(data: &[u8]) {
    let mut script = Script(data);
    let choices = script.byte();
    let limit = u32::from(choices >> 2 & 3);
    redirections_lead_to_requests(URIS[usize::from(choices & 3)], limit, script.0);
}

/// Follows the redirections in these bytes for as long as the client is willing to.
pub fn redirections_lead_to_requests(uri: &str, limit: u32, bytes: &[u8]) {
    let mut request = ClientRequest::new(uri.parse().unwrap())
        .origin("https://page.example".parse().unwrap())
        .header_line("authorization", "secret")
        .and_then(|request| request.header_line("cookie", "secret"))
        .and_then(|request| request.header_line("user-agent", "law"))
        .unwrap();
    let mut redirects = Redirects::up_to(limit);
    let mut is_trusted = true;
    let mut bytes = bytes;
    for count in 0.. {
        assert_is_sent(&request, is_trusted);
        let Some((response, rest)) = rejection(&request, bytes) else { return };
        bytes = rest;
        match redirects.follow(&request, &response) {
            Ok(None) => return,
            Ok(Some(next)) => {
                assert!(count < limit);
                assert_is_redirection(&response);
                assert!((request.uri().scheme(), next.uri().scheme()) != (Scheme::Wss, Scheme::Ws));
                is_trusted &= origin(request.uri()) == origin(next.uri());
                request = next;
            }
            Err(RedirectError::TooMany { limit: named }) => {
                assert!(named == limit && count == limit && limit > 0);
                return assert_is_redirection(&response);
            }
            Err(RedirectError::Downgrade) => {
                assert_eq!(request.uri().scheme(), Scheme::Wss);
                return assert_is_redirection(&response);
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// The head with which the server rejects the request, if it does, and what follows it.
fn rejection<'b>(
    request: &ClientRequest,
    bytes: &'b [u8],
) -> Option<(Response<Vec<u8>>, &'b [u8])> {
    let mut buffer = bytes.to_vec();
    let mut input = &mut buffer[..];
    match ClientHandshake::new(request).receive(&mut input) {
        Ok(Some(Outcome::Rejected(rejection))) => {
            let rest = &bytes[bytes.len() - input.len()..];
            Some((rejection.into_response(), rest))
        }
        _ => None,
    }
}

fn assert_is_redirection(response: &Response<Vec<u8>>) {
    assert!([301, 302, 303, 307, 308].contains(&response.status().as_u16()));
    assert_eq!(response.headers().get_all("location").iter().count(), 1);
}

/// What is written for a request is one head, for its own URI, with what belongs in it.
fn assert_is_sent(request: &ClientRequest, is_trusted: bool) {
    let uri = request.uri();
    let written = uri.to_string();
    assert_eq!(written.parse().as_ref(), Ok(uri));
    let mut handshake = ClientHandshake::new(request);
    let bytes = std::mem::take(handshake.outgoing());
    let head = Head::read(&bytes);
    assert!(head.rest.is_empty());
    assert_eq!(head.start, format!("GET {} HTTP/1.1", uri.resource_name()).as_bytes());
    assert_eq!(head.value("host"), uri.host_field().as_bytes());
    assert_eq!(head.value("sec-websocket-key").len(), 24);
    assert_eq!(head.value("origin"), b"https://page.example");
    assert_eq!(head.value("user-agent"), b"law");
    for name in ["authorization", "cookie"] {
        assert_eq!(head.values(name).len(), usize::from(is_trusted), "{name} for {written}");
    }
}

/// Scheme, host and port.
fn origin(uri: &WebSocketUri) -> (Scheme, String, u16) {
    (uri.scheme(), uri.host().to_ascii_lowercase(), uri.port())
}
