//! Section 7.2.3: the examples, byte for byte. What this end makes of "Hello" is tested beside the
//! compressor, as a message that gets no smaller isn't sent compressed.

use sansocket::Message;

use crate::wire::{HELLO, NO_TAKEOVER, TAKEOVER, each_role, frame, hello};

#[test]
fn one_block() {
    each_role(|sender| vec![frame(sender, 0xC1, HELLO)], TAKEOVER, &hello(1));
    each_role(
        |sender| {
            vec![frame(sender, 0x41, b"\xf2\x48\xcd"), frame(sender, 0x80, b"\xc9\xc9\x07\x00")]
        },
        TAKEOVER,
        &hello(1),
    );
}

#[test]
fn a_shared_window() {
    each_role(
        |sender| vec![frame(sender, 0xC1, HELLO), frame(sender, 0xC1, b"\xf2\x00\x11\x00\x00")],
        TAKEOVER,
        &hello(2),
    );
}

#[test]
fn a_block_without_compression() {
    let payload = b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00";
    each_role(|sender| vec![frame(sender, 0xC1, payload)], TAKEOVER, &hello(1));
}

const FINAL: &[u8] = b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00";

#[test]
fn a_block_with_bfinal_and_further_messages_behind_it() {
    for sender in [TAKEOVER, NO_TAKEOVER] {
        each_role(
            |sender| {
                vec![
                    frame(sender, 0xC1, FINAL),
                    frame(sender, 0xC1, FINAL),
                    frame(sender, 0xC1, HELLO),
                ]
            },
            sender,
            &hello(3),
        );
    }
}

#[test]
fn a_window_that_is_shared_across_a_block_with_bfinal() {
    let again = b"\xf2\x00\x11\x00\x00";
    each_role(
        |sender| {
            vec![frame(sender, 0xC1, HELLO), frame(sender, 0xC1, FINAL), frame(sender, 0xC1, again)]
        },
        TAKEOVER,
        &hello(3),
    );
    each_role(
        |sender| vec![frame(sender, 0xC1, FINAL), frame(sender, 0xC1, again)],
        TAKEOVER,
        &hello(2),
    );
}

#[test]
fn a_block_with_bfinal_and_a_further_block_that_refers_to_it() {
    // Both in one message, also from a sender without takeover.
    let payload = [&FINAL[..7], b"\xf2\x00\x11\x00\x00"].concat();
    for sender in [TAKEOVER, NO_TAKEOVER] {
        each_role(
            |sender| vec![frame(sender, 0xC1, &payload)],
            sender,
            &(vec![Message::from("HelloHello")], None),
        );
    }
}

#[test]
fn blocks_with_bfinal_may_be_many() {
    // All empty, in front of the message and of its fragments.
    let finals = b"\x03\x00".repeat(9);
    for sender in [TAKEOVER, NO_TAKEOVER] {
        each_role(
            |sender| {
                vec![
                    frame(sender, 0x41, &finals),
                    frame(sender, 0x00, &[&finals[..], b"\xf2\x48\xcd"].concat()),
                    frame(sender, 0x80, b"\xc9\xc9\x07\x00"),
                ]
            },
            sender,
            &hello(1),
        );
    }
}

#[test]
fn a_block_with_bfinal_and_nothing_behind_it() {
    // Not as the RFC has it, but a message ends there, and others read it.
    each_role(
        |sender| vec![frame(sender, 0xC1, &FINAL[..7]), frame(sender, 0xC1, HELLO)],
        TAKEOVER,
        &hello(2),
    );
}

#[test]
fn a_block_with_bfinal_that_ends_in_the_tail() {
    // After "Hello", an empty block without compression, whose length is what the sender has left out.
    let payload = [&FINAL[..7], b"\x01"].concat();
    let again = b"\xf2\x00\x11\x00\x00";
    each_role(
        |sender| vec![frame(sender, 0xC1, &payload), frame(sender, 0xC1, again)],
        TAKEOVER,
        &hello(2),
    );
}

#[test]
fn two_blocks() {
    let payload = b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00";
    each_role(|sender| vec![frame(sender, 0xC1, payload)], TAKEOVER, &hello(1));
}

#[test]
fn an_empty_message_is_one_byte() {
    for sender in [TAKEOVER, NO_TAKEOVER] {
        each_role(
            |sender| {
                vec![
                    frame(sender, 0xC1, b"\x00"),
                    frame(sender, 0xC1, b"\x00"),
                    frame(sender, 0xC1, HELLO),
                ]
            },
            sender,
            &(["", "", "Hello"].map(Message::from).to_vec(), None),
        );
    }
}
