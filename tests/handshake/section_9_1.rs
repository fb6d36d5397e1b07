//! The negotiation of extensions, with none set up.

use sansocket::handshake::{ExtensionOffer, RequestError, ResponseError, UpgradeRequest};

use crate::peer::{accepted, fault, judge, read, refused, request, response, sent};

const MALFORMED: [&str; 10] = [
    "",
    ",",
    "foo;",
    "foo; a=",
    "foo; =a",
    "foo bar",
    "foo; a=\"b",
    "foo; a=\"\"",
    "foo; a=\"b c\"",
    "foo; a=\"b\"c",
];

#[test]
fn the_server_sees_the_offers_in_their_order() {
    let bytes = request(
        "",
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits; \
         server_max_window_bits=\"1\\0\"\r\nSec-WebSocket-Extensions: ,foo, permessage-deflate",
    );
    let request = read(bytes).unwrap();
    let upgrade = UpgradeRequest::parse(&request).unwrap();
    let names: Vec<_> = upgrade.extensions().iter().map(ExtensionOffer::name).collect();
    assert_eq!(names, ["permessage-deflate", "foo", "permessage-deflate"]);
    let parameters: Vec<_> = upgrade.extensions()[0]
        .parameters()
        .iter()
        .map(|parameter| (parameter.name(), parameter.value()))
        .collect();
    let expected = [("client_max_window_bits", None), ("server_max_window_bits", Some("10"))];
    assert_eq!(parameters, expected);
}

#[test]
fn the_server_declines_an_extension_by_not_answering() {
    let mut accepted = accepted(request("", "Sec-WebSocket-Extensions: permessage-deflate"));
    assert!(!sent(accepted.outgoing()).0.to_lowercase().contains("extensions"));
}

#[test]
fn a_malformed_field_fails_at_the_server() {
    for value in MALFORMED {
        let bytes = request("", &format!("Sec-WebSocket-Extensions: {value}"));
        assert_eq!(judge(&bytes), Err(RequestError::Extensions), "{value}");
        assert_eq!(refused(&bytes).response().status(), 400);
    }
}

#[test]
fn a_malformed_field_fails_at_the_client() {
    for value in MALFORMED {
        let bytes = response("", &format!("Sec-WebSocket-Extensions: {value}"));
        assert_eq!(fault(&[], bytes), ResponseError::Extensions, "{value}");
    }
}

#[test]
fn a_field_on_more_than_one_line_fails_at_the_client() {
    for value in ["", ",", "permessage-deflate"] {
        let line = format!("Sec-WebSocket-Extensions: {value}");
        let bytes = response("", &format!("{line}\r\n{line}"));
        assert_eq!(fault(&[], bytes), ResponseError::Extensions, "{value}");
    }
}

#[test]
fn an_extension_that_was_not_offered_fails_at_the_client() {
    let bytes = response("", "Sec-WebSocket-Extensions: permessage-deflate; a=1");
    let error = ResponseError::UnrequestedExtension("permessage-deflate".into());
    assert_eq!(fault(&[], bytes), error);
}
