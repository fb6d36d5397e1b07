//! Section 7.2.2: decompressing. What isn't a compressed message fails with 1007.

use sansocket::{CloseCode, Message, ProtocolError};

use crate::wire::{HELLO, NO_TAKEOVER, TAKEOVER, each_role, frame};

#[test]
fn data_that_ends_inside_a_block_fails() {
    let incomplete = ProtocolError::IncompleteCompression;
    assert_eq!(incomplete.close_code(), CloseCode::INVALID_PAYLOAD);
    for payload in [
        // A block with the fixed code, cut before its end.
        &HELLO[..1],
        &HELLO[..3],
        &HELLO[..5],
        // A block without compression, cut in its length, and in its five bytes.
        b"\x00\x05",
        b"\x00\x05\x00\xfa\xff",
        b"\x00\x05\x00\xfa\xffHel",
        // Complete blocks, but not the first byte of the one that was removed.
        b"\x00\x05\x00\xfa\xffHello",
    ] {
        for sender in [TAKEOVER, NO_TAKEOVER] {
            for role in crate::wire::ROLES {
                let bytes = frame(role.peer(), 0xC1, payload);
                let (messages, error) =
                    crate::wire::received(role, sansocket::Config::default(), sender, &bytes);
                assert_eq!(messages, []);
                let error = error.expect("it fails");
                assert_eq!(error.close_code(), CloseCode::INVALID_PAYLOAD, "{payload:x?}: {error}");
            }
        }
    }
    each_role(
        |sender| vec![frame(sender, 0xC1, &HELLO[..5])],
        TAKEOVER,
        &(vec![], Some(incomplete)),
    );
}

#[test]
fn data_that_is_no_deflate_fails() {
    let corrupt = ProtocolError::CorruptCompression;
    assert_eq!(corrupt.close_code(), CloseCode::INVALID_PAYLOAD);
    for payload in [
        // The reserved type of block.
        &b"\x06"[..],
        b"\xff\xff\xff\xff",
        // A length that isn't the complement of its complement.
        b"\x00\x05\x00\xfa\xfeHello\x00",
        // A distance that goes further back than the data.
        b"\xf2\x00\x11\x00\x00",
    ] {
        each_role(|sender| vec![frame(sender, 0xC2, payload)], TAKEOVER, &(vec![], Some(corrupt)));
    }
}

#[test]
fn what_comes_out_before_corrupt_data_is_judged_first() {
    // Five bytes without compression, then the reserved type of block.
    for (five, error) in
        [(b"Hello", ProtocolError::CorruptCompression), (b"Hell\xff", ProtocolError::InvalidUtf8)]
    {
        let payload = [&b"\x00\x05\x00\xfa\xff"[..], five, b"\x06"].concat();
        each_role(|sender| vec![frame(sender, 0xC1, &payload)], TAKEOVER, &(vec![], Some(error)));
    }
}

#[test]
fn text_is_judged_by_what_comes_out() {
    // "Hell\xff" without compression; as binary it is fine.
    let payload = b"\x00\x05\x00\xfa\xffHell\xff\x00";
    each_role(
        |sender| vec![frame(sender, 0xC1, payload)],
        TAKEOVER,
        &(vec![], Some(ProtocolError::InvalidUtf8)),
    );
    each_role(
        |sender| vec![frame(sender, 0xC2, payload)],
        TAKEOVER,
        &(vec![Message::from(b"Hell\xff")], None),
    );
}

#[test]
fn text_fails_at_the_first_impossible_byte_and_not_at_its_end() {
    each_role(
        |sender| vec![frame(sender, 0x41, b"\x00\x05\x00\xfa\xffHell\xff")],
        TAKEOVER,
        &(vec![], Some(ProtocolError::InvalidUtf8)),
    );
}

#[test]
fn a_character_may_be_cut_by_blocks_and_fragments() {
    // "é" in two blocks of one byte.
    let (one, two) = (b"\x00\x01\x00\xfe\xff\xc3", b"\x00\x01\x00\xfe\xff\xa9\x00");
    each_role(
        |sender| vec![frame(sender, 0x41, one), frame(sender, 0x80, two)],
        TAKEOVER,
        &(vec!["é".into()], None),
    );
    each_role(
        |sender| vec![frame(sender, 0xC1, b"\x00\x01\x00\xfe\xff\xc3\x00")],
        TAKEOVER,
        &(vec![], Some(ProtocolError::InvalidUtf8)),
    );
}

#[test]
fn a_message_of_no_byte_is_empty() {
    each_role(
        |sender| {
            vec![
                frame(sender, 0xC1, b""),
                frame(sender, 0xC1, HELLO),
                frame(sender, 0x41, b""),
                frame(sender, 0x80, b""),
            ]
        },
        TAKEOVER,
        &(["", "Hello", ""].map(Message::from).to_vec(), None),
    );
}
