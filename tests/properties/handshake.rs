//! §4: heads are understood the same however they are cut, and answered in HTTP.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use sansocket::handshake::{HeadLimits, ServerHandshake, UpgradeRequest};

use crate::laws::{client_handshake, server_handshake};
use crate::strategies::sizes;

const REQUEST: [&str; 6] = [
    "Host: server.example.com",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Protocol: chat, superchat",
];

const RESPONSE: [&str; 4] = [
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
    "Sec-WebSocket-Protocol: chat",
];

/// Lines that mean nothing to the handshake, or are wrong beside those above.
const OTHERS: [&str; 11] = [
    "Cookie: a=b; c=d",
    "X-Empty:",
    "Connection: keep-alive",
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
    "Sec-WebSocket-Extensions: permessage-deflate",
    "Content-Length: 5",
    "Transfer-Encoding: chunked",
    "Sec-WebSocket-Version: 8",
    "Host: b",
    "Sec-WebSocket-Protocol:",
    " folded",
];

/// These lines in any order, one perhaps left out, others perhaps added, a byte perhaps changed.
fn head(start: &'static [&str], lines: &'static [&str]) -> impl Strategy<Value = Vec<u8>> {
    let start = prop::sample::select(start);
    let without = option::weighted(0.3, 0..lines.len());
    let others = vec(prop::sample::select(&OTHERS[..]), 0..3);
    let lines = (without, others).prop_flat_map(move |(without, others)| {
        let mut lines = lines.to_vec();
        if let Some(index) = without {
            lines.remove(index);
        }
        lines.extend(others);
        Just(lines).prop_shuffle()
    });
    let changed = option::weighted(0.3, (any::<prop::sample::Index>(), any::<u8>()));
    let behind = vec(any::<u8>(), 0..20);
    (start, lines, changed, behind).prop_map(|(start, lines, changed, behind)| {
        let mut head = format!("{start}\r\n{}\r\n\r\n", lines.join("\r\n")).into_bytes();
        if let Some((index, byte)) = changed {
            let index = index.index(head.len());
            head[index] = byte;
        }
        head.extend(behind);
        head
    })
}

fn request() -> impl Strategy<Value = Vec<u8>> {
    let start =
        &["GET /chat HTTP/1.1", "GET http://a/?b HTTP/1.1", "POST / HTTP/1.1", "HEAD / HTTP/1.0"];
    head(start, &REQUEST)
}

fn response() -> impl Strategy<Value = Vec<u8>> {
    let start = &[
        "HTTP/1.1 101 Switching Protocols",
        "HTTP/1.1 101 ",
        "HTTP/1.1 403 Forbidden",
        "HTTP/1.1 204",
    ];
    head(start, &RESPONSE)
}

fn limits() -> impl Strategy<Value = HeadLimits> {
    prop_oneof![
        3 => Just(HeadLimits::default()),
        1 => (100..400_usize, 0..10_usize)
            .prop_map(|(size, lines)| HeadLimits::default().max_size(size).max_headers(lines)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_request_is_the_same_however_it_is_cut(
        limits in limits(), request in request(), sizes in sizes(),
    ) {
        server_handshake::any_cut_is_the_same(limits, &request, &sizes);
    }

    #[test]
    fn a_request_is_answered_in_http(limits in limits(), request in request(), choice in 0..16_u8) {
        server_handshake::the_answer_is_http(limits, &request, choice);
    }

    #[test]
    fn a_response_is_the_same_however_it_is_cut(
        limits in limits(), compresses in any::<bool>(), response in response(), sizes in sizes(),
    ) {
        let offer = client_handshake::offer(limits, compresses);
        client_handshake::any_cut_is_the_same(&offer, &response, &sizes);
    }

    #[test]
    fn the_order_of_the_fields_and_the_case_of_their_names_mean_nothing(
        lines in Just(REQUEST.to_vec()).prop_shuffle(), upper in any::<u8>(),
    ) {
        let fields = lines.iter().enumerate().map(|(index, line)| {
            let (name, value) = line.split_once(':').unwrap();
            let in_upper = upper >> index & 1 == 1;
            let name = if in_upper { name.to_uppercase() } else { name.to_lowercase() };
            format!("{name}:\t{value} \r\n")
        });
        let fields: Vec<_> = fields.collect();
        let mut bytes = format!("GET / HTTP/1.1\r\n{}\r\n", fields.concat()).into_bytes();
        let request = ServerHandshake::default().receive(&mut &mut bytes[..]).unwrap().unwrap();
        let upgrade = UpgradeRequest::parse(&request).unwrap();
        prop_assert_eq!(upgrade.subprotocols(), ["chat", "superchat"]);
    }
}
