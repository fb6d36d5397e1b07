//! Section 7.1.1: context takeover.

use sansocket::Role;
use sansocket::extension::{ContextTakeover, Deflate, DeflateResponseError, ExtensionOffer};

use crate::section_5::{answer, check};
use crate::wire::{self, NO_TAKEOVER, ROLES, TAKEOVER};

#[test]
fn a_server_confirms_that_it_keeps_no_context() {
    let offer = "permessage-deflate; server_no_context_takeover";
    assert_eq!(answer(&Deflate::default(), offer).as_deref(), Some(offer));
}

#[test]
fn a_server_may_say_unasked_that_it_keeps_no_context() {
    let server = Deflate::default().server_no_context_takeover();
    let said = "permessage-deflate; server_no_context_takeover";
    assert_eq!(answer(&server, "permessage-deflate").as_deref(), Some(said));
    assert_eq!(check(&Deflate::default(), said).as_deref(), Ok(said));
}

#[test]
fn a_client_that_asked_for_it_takes_no_answer_without_it() {
    let client = Deflate::default().server_no_context_takeover();
    assert_eq!(
        check(&client, "permessage-deflate"),
        Err(DeflateResponseError::Unconfirmed("server_no_context_takeover"))
    );
}

#[test]
fn a_client_has_to_keep_no_context_whether_it_offered_that_or_not() {
    let server = Deflate::default().client_no_context_takeover();
    let said = "permessage-deflate; client_no_context_takeover";
    assert_eq!(answer(&server, "permessage-deflate").as_deref(), Some(said));
    assert_eq!(check(&Deflate::default(), said).as_deref(), Ok(said));
}

#[test]
fn a_client_that_offered_to_keep_no_context_keeps_none_whatever_is_answered() {
    let client = Deflate::default().client_no_context_takeover();
    let answer = ExtensionOffer::parse_all([&b"permessage-deflate"[..]]).expect("well-formed");
    let agreed = client.check(&answer[0]).expect("an answer to the offer");
    let sender = agreed.parameters().sender(Role::Client);
    assert_eq!(sender.context_takeover, ContextTakeover::No);
}

const TEXT: &str = "the same text again, and again the same text";

#[test]
fn with_takeover_a_message_refers_to_those_before_it() {
    for role in ROLES {
        let mut connection = wire::connection(role, sansocket::Config::default(), TAKEOVER);
        connection.send(TEXT).expect("open");
        connection.send(TEXT).expect("open");
        let frames = wire::sent(&mut connection);
        assert!(frames[1].1.len() < frames[0].1.len() / 2, "{frames:x?}");
    }
}

#[test]
fn without_takeover_each_message_stands_alone() {
    for role in ROLES {
        let mut connection = wire::connection(role, sansocket::Config::default(), NO_TAKEOVER);
        connection.send(TEXT).expect("open");
        connection.send(TEXT).expect("open");
        let frames = wire::sent(&mut connection);
        assert_eq!(frames[0], frames[1]);
    }
}

#[test]
fn without_takeover_a_message_that_refers_to_an_earlier_one_fails() {
    let corrupt = sansocket::ProtocolError::CorruptCompression;
    wire::each_role(
        |sender| {
            vec![
                wire::frame(sender, 0xC1, wire::HELLO),
                wire::frame(sender, 0xC1, b"\xf2\x00\x11\x00\x00"),
            ]
        },
        NO_TAKEOVER,
        &(vec!["Hello".into()], Some(corrupt)),
    );
}
