//! A client's way to its server: what proxies answer, and where redirections lead.

use proptest::collection::vec;
use proptest::prelude::*;
use sansocket::handshake::HeadLimits;

use crate::laws::{proxy_handshake, redirect};
use crate::strategies::sizes;

/// The head of a response: a status, and some of these lines.
fn head(statuses: &'static [u16], lines: &'static [&str]) -> impl Strategy<Value = String> {
    let lines = vec(prop::sample::select(lines), 0..4);
    (prop::sample::select(statuses), lines).prop_map(|(status, lines)| {
        let lines: Vec<_> = lines.iter().map(|line| format!("{line}\r\n")).collect();
        format!("HTTP/1.1 {status} X\r\n{}\r\n", lines.concat())
    })
}

/// Interim responses, an answer, and what comes after it.
fn answer() -> impl Strategy<Value = Vec<u8>> {
    const LINES: [&str; 6] = [
        "Via: 1.1 proxy",
        "Content-Length: 3",
        "Content-Length: x",
        "Transfer-Encoding: chunked",
        "Proxy-Authenticate: Basic realm=\"a\"",
        " folded",
    ];
    let interim = vec(head(&[100, 103, 199], &LINES), 0..2);
    let last = head(&[200, 204, 299, 101, 302, 407, 502], &LINES);
    (interim, last, vec(any::<u8>(), 0..20)).prop_map(|(interim, last, behind)| {
        [interim.concat().as_bytes(), last.as_bytes(), &behind].concat()
    })
}

/// Redirections, and what resembles them.
fn redirections() -> impl Strategy<Value = String> {
    const LINES: [&str; 14] = [
        "Location: /x/../y?z",
        "Location: ../x#y",
        "Location: ?x",
        "Location:",
        "Location: //b.example",
        "Location: //A.example/",
        "Location: http://a.example/",
        "Location: https://a.example/b/",
        "Location: wss://a.example:9001/c",
        "Location: ws://[::1]:9001",
        "Location: ftp://a.example/",
        "Location: ws://user@a.example/",
        "Location: /a b",
        "Content-Length: 0",
    ];
    let some = head(&[301, 302, 303, 307, 308, 301, 302, 307, 200, 404], &LINES);
    vec(some, 0..5).prop_map(|heads| heads.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_answer_of_a_proxy_is_the_same_however_it_is_cut(
        answer in answer(), size in 20..400_usize, sizes in sizes(),
    ) {
        proxy_handshake::any_cut_is_the_same(HeadLimits::default(), &answer, &sizes);
        proxy_handshake::any_cut_is_the_same(HeadLimits::default().max_size(size), &answer, &sizes);
    }

    #[test]
    fn a_redirection_leads_to_a_request_that_is_as_strict_as_the_first(
        uri in prop::sample::select(&redirect::URIS[..]), limit in 0..5_u32, bytes in redirections(),
    ) {
        redirect::redirections_lead_to_requests(uri, limit, bytes.as_bytes());
    }
}
