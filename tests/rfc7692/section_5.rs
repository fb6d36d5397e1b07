//! Section 5: offers, answers, and what doesn't fit.

use sansocket::extension::{Deflate, DeflateResponseError, ExtensionOffer, WindowBits};

/// What a server answers, or `None` if it declines.
pub(crate) fn answer(deflate: &Deflate, offers: &str) -> Option<String> {
    let offers = ExtensionOffer::parse_all([offers.as_bytes()]).expect("well-formed offers");
    deflate.accept(&offers).map(|agreed| agreed.parameters().to_string())
}

/// What a client makes of an answer.
pub(crate) fn check(deflate: &Deflate, answer: &str) -> Result<String, DeflateResponseError> {
    let answer = ExtensionOffer::parse_all([answer.as_bytes()]).expect("a well-formed answer");
    deflate.check(&answer[0]).map(|agreed| agreed.parameters().to_string())
}

pub(crate) fn bits(bits: u8) -> WindowBits {
    WindowBits::new(bits).expect("8 to 15")
}

#[test]
fn the_first_acceptable_offer_is_accepted() {
    for (offers, expected) in [
        ("permessage-deflate", Some("permessage-deflate")),
        ("x-webkit-deflate-frame, permessage-deflate", Some("permessage-deflate")),
        (
            "permessage-deflate; server_no_context_takeover, permessage-deflate",
            Some("permessage-deflate; server_no_context_takeover"),
        ),
        (
            "permessage-deflate; unknown, permessage-deflate; client_no_context_takeover",
            Some("permessage-deflate; client_no_context_takeover"),
        ),
        ("x-webkit-deflate-frame", None),
        ("permessage-deflate; unknown", None),
        ("permessage-bzip2, permessage-deflate; server_max_window_bits=16", None),
        ("PERMESSAGE-DEFLATE", None),
    ] {
        assert_eq!(answer(&Deflate::default(), offers).as_deref(), expected, "{offers}");
    }
}

#[test]
fn an_answer_to_another_extension_fails() {
    assert_eq!(
        check(&Deflate::default(), "permessage-bzip2"),
        Err(DeflateResponseError::OtherExtension)
    );
}

/// Malformed forms of each parameter, in an offer and in an answer alike.
const MALFORMED: [&str; 27] = [
    "server_no_context_takeover=1",
    "server_no_context_takeover=\"true\"",
    "client_no_context_takeover=1",
    "server_no_context_takeover; server_no_context_takeover",
    "client_no_context_takeover; client_no_context_takeover",
    "server_max_window_bits",
    "server_max_window_bits=0",
    "server_max_window_bits=7",
    "server_max_window_bits=16",
    "server_max_window_bits=08",
    "server_max_window_bits=010",
    "server_max_window_bits=1e1",
    "server_max_window_bits=+9",
    "server_max_window_bits=-9",
    "server_max_window_bits=256",
    "server_max_window_bits=4294967305",
    "server_max_window_bits=true",
    "server_max_window_bits=10; server_max_window_bits=10",
    "client_max_window_bits=0",
    "client_max_window_bits=7",
    "client_max_window_bits=16",
    "client_max_window_bits=09",
    "client_max_window_bits=\"16\"",
    "client_max_window_bits=10; client_max_window_bits=10",
    "unknown",
    "unknown=1",
    "Server_No_Context_Takeover",
];

#[test]
fn an_offer_with_a_malformed_parameter_is_declined_and_the_next_is_tried() {
    for malformed in MALFORMED {
        let offers = format!("permessage-deflate; {malformed}");
        assert_eq!(answer(&Deflate::default(), &offers), None, "{malformed}");
        let offers = format!("{offers}, permessage-deflate; server_no_context_takeover");
        let expected = Some("permessage-deflate; server_no_context_takeover".to_owned());
        assert_eq!(answer(&Deflate::default(), &offers), expected, "{malformed}");
    }
    let twice = "permessage-deflate; client_max_window_bits; client_max_window_bits=9";
    assert_eq!(answer(&Deflate::default(), twice), None);
}

#[test]
fn an_answer_with_a_malformed_parameter_fails() {
    for malformed in MALFORMED.into_iter().chain(["client_max_window_bits"]) {
        let answer = format!("permessage-deflate; {malformed}");
        assert!(check(&Deflate::default(), &answer).is_err(), "{malformed}");
    }
}

#[test]
fn values_may_be_quoted() {
    let quoted =
        "permessage-deflate; server_max_window_bits=\"10\"; client_max_window_bits=\"1\\1\"";
    let plain = "permessage-deflate; server_max_window_bits=10; client_max_window_bits=11";
    assert_eq!(answer(&Deflate::default(), quoted).as_deref(), Some(plain));
    assert_eq!(check(&Deflate::default(), quoted).as_deref(), Ok(plain));
}

#[test]
fn whatever_a_client_offers_a_server_accepts_and_the_client_takes_the_answer() {
    let wishes = || {
        let takeover = [Deflate::default(), Deflate::default().server_no_context_takeover()];
        let takeover =
            takeover.into_iter().flat_map(|wish| [wish.clone(), wish.client_no_context_takeover()]);
        let windows = [None, Some(9), Some(10), Some(15)];
        takeover.flat_map(move |wish| {
            windows.into_iter().flat_map(move |server| {
                let wish = wish.clone();
                windows.into_iter().map(move |client| {
                    let wish = wish.clone();
                    let wish = match server {
                        Some(server) => wish.server_max_window_bits(bits(server)),
                        None => wish,
                    };
                    match client {
                        Some(client) => wish.client_max_window_bits(bits(client)),
                        None => wish,
                    }
                })
            })
        })
    };
    for client in wishes() {
        for server in wishes() {
            let offer = client.offer().to_string();
            let answer = answer(&server, &offer).expect("acceptable");
            let element = ExtensionOffer::parse_all([answer.as_bytes()]).expect("well-formed");
            let agreed = client.check(&element[0]).expect("an answer to the offer");
            // Both ends compress as the other one expects.
            let offers = ExtensionOffer::parse_all([offer.as_bytes()]).expect("well-formed");
            let accepted = server.accept(&offers).expect("acceptable");
            let (at_client, at_server) = (agreed.parameters(), accepted.parameters());
            assert_eq!(at_client.server, at_server.server, "{offer} -> {answer}");
            assert_eq!(at_client.client.context_takeover, at_server.client.context_takeover);
            let window = |said: Option<WindowBits>| said.unwrap_or(WindowBits::MAX);
            assert!(
                window(at_client.client.max_window_bits)
                    <= window(at_server.client.max_window_bits),
                "{offer} -> {answer}"
            );
        }
    }
}
