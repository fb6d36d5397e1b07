//! How often each field of the handshake appears in what is sent.

use http::{HeaderMap, HeaderName, Response, header};
use sansocket::handshake::{Acceptance, ClientHandshake, ClientRequest, UpgradeRequest};

use crate::peer::{accepted, read, request};

const FIELDS: [HeaderName; 5] = [
    header::SEC_WEBSOCKET_KEY,
    header::SEC_WEBSOCKET_EXTENSIONS,
    header::SEC_WEBSOCKET_ACCEPT,
    header::SEC_WEBSOCKET_PROTOCOL,
    header::SEC_WEBSOCKET_VERSION,
];

fn counts(headers: &HeaderMap) -> [usize; 5] {
    FIELDS.map(|name| headers.get_all(name).iter().count())
}

#[test]
fn a_request_has_each_field_once_and_none_of_a_response() {
    let plain = ClientRequest::new("ws://a/".parse().unwrap());
    let request = plain.clone().subprotocol("a").unwrap().subprotocol("b").unwrap();
    let sent = |request: &ClientRequest| {
        let received = read(ClientHandshake::new(request).outgoing()).unwrap();
        counts(received.headers())
    };
    assert_eq!(sent(&plain), [1, 0, 0, 0, 1]);
    assert_eq!(sent(&request), [1, 0, 0, 1, 1]);
    #[cfg(feature = "deflate")]
    {
        let request = request.deflate(&sansocket::extension::Deflate::default());
        assert_eq!(sent(&request), [1, 1, 0, 1, 1]);
    }
}

#[test]
fn a_101_has_each_field_once_and_none_of_a_request() {
    let offers = "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b\r\n\
        Sec-WebSocket-Extensions: permessage-deflate\r\n\
        Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover";
    let of = |response: Response<()>| counts(response.headers());
    assert_eq!(of(accepted(request("", offers)).response()), [0, 0, 1, 0, 0]);

    let request = read(request("", offers)).unwrap();
    let upgrade = UpgradeRequest::parse(&request).unwrap();
    let acceptance = Acceptance::new().subprotocol(Some("b"));
    assert_eq!(of(upgrade.answer(acceptance.clone()).unwrap().response()), [0, 0, 1, 1, 0]);
    #[cfg(feature = "deflate")]
    {
        let acceptance = acceptance.deflate(&sansocket::extension::Deflate::default());
        assert_eq!(of(upgrade.answer(acceptance).unwrap().response()), [0, 1, 1, 1, 0]);
    }
}
