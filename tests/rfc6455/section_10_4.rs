//! §10.4, implementation-specific limits: on frames and on messages over all their fragments, by
//! what the headers announce. What they cost in memory is shown in `tests/memory`.

use sansocket::{Config, Connection, Delivery, ProtocolError, SendError};

use crate::endpoint::{Endpoint, ROLES, bytes_message, message, ping_event};
use crate::wire::{announce, binary, continuation, ping, pong, sent_by, text};

const MIB_16: u64 = 16 << 20;

#[test]
fn a_frame_over_the_limit_is_refused_by_its_header() {
    for role in ROLES {
        let config = Config::default().max_frame_size(100_000);
        for size in [100_001, 1 << 40, (1 << 63) - 1] {
            let header = announce(role.peer(), 0x82, size);
            let outcome = Endpoint::new(role).config(config).receives_bytes(&header);
            outcome.assert_failed(ProtocolError::FrameTooLarge { size, limit: 100_000 }, 1009);
        }
    }
}

#[test]
fn the_frame_limit_leaves_control_frames_alone() {
    for role in ROLES {
        let config = Config::default().max_frame_size(10);
        let payload = [b'p'; 125];
        let outcome = Endpoint::new(role).config(config).receives(&[ping(payload)]);
        outcome.assert_open(&[ping_event(payload)], &[pong(payload)]);
    }
}

#[test]
fn a_message_over_the_limit_is_refused_by_its_header() {
    for role in ROLES {
        for delivery in [Delivery::Messages, Delivery::Chunks] {
            let config = Config::default()
                .max_frame_size(u64::MAX)
                .max_message_size(100_000)
                .delivery(delivery);
            for size in [100_001, 1 << 40, (1 << 63) - 1] {
                let header = announce(role.peer(), 0x01, size);
                let outcome = Endpoint::new(role).config(config).receives_bytes(&header);
                let refused = ProtocolError::MessageTooLarge { size, limit: 100_000 };
                outcome.assert_failed(refused, 1009);
            }
        }
    }
}

#[test]
fn a_message_at_the_limit_is_received() {
    for role in ROLES {
        let config = Config::default().max_frame_size(10).max_message_size(10);
        let endpoint = Endpoint::new(role).config(config);
        let ten = "0123456789";
        endpoint.receives(&[text(ten)]).assert_open(&[message(ten)], &[]);
        let fragmented = [
            text("01234").unfinished(),
            continuation("56789").unfinished(),
            continuation("").unfinished(),
            continuation(""),
        ];
        endpoint.receives(&fragmented).assert_open(&[message(ten)], &[]);
    }
}

#[test]
fn the_limit_holds_over_all_fragments_before_the_payload_arrives() {
    for role in ROLES {
        let config = Config::default().max_message_size(70_000);
        let mut bytes = sent_by(role.peer(), &[binary("four").unfinished()]);
        bytes.extend(sent_by(role.peer(), &[continuation("four").unfinished()]));
        bytes.extend(announce(role.peer(), 0x00, 70_000));
        let outcome = Endpoint::new(role).config(config).receives_bytes(&bytes);
        let refused = ProtocolError::MessageTooLarge { size: 70_008, limit: 70_000 };
        outcome.assert_failed(refused, 1009);
    }
}

#[test]
fn fragments_that_announce_more_than_can_be_counted_do_not_wrap() {
    for role in ROLES {
        let config = Config::default().max_frame_size(u64::MAX).max_message_size(u64::MAX - 1);
        let mut bytes = sent_by(role.peer(), &[binary("four").unfinished()]);
        bytes.extend(announce(role.peer(), 0x80, (1 << 63) - 1));
        // The most that a header can say, after four bytes, is still within this limit.
        Endpoint::new(role).config(config).receives_bytes(&bytes).assert_open(&[], &[]);

        let config = config.max_message_size((1 << 63) - 1);
        let outcome = Endpoint::new(role).config(config).receives_bytes(&bytes);
        let (size, limit) = ((1 << 63) + 3, (1 << 63) - 1);
        outcome.assert_failed(ProtocolError::MessageTooLarge { size, limit }, 1009);
    }
}

#[test]
fn each_message_is_counted_anew() {
    for role in ROLES {
        let config = Config::default().max_message_size(4);
        let frames = [
            text("aa").unfinished(),
            continuation("aa"),
            text("bbbb"),
            binary("").unfinished(),
            continuation("cccc"),
        ];
        let outcome = Endpoint::new(role).config(config).receives(&frames);
        outcome.assert_open(&[message("aaaa"), message("bbbb"), bytes_message("cccc")], &[]);
    }
}

#[test]
fn control_frames_do_not_count_to_a_message() {
    for role in ROLES {
        let config = Config::default().max_message_size(4);
        let frames = [text("aa").unfinished(), ping("not part of the message"), continuation("aa")];
        let outcome = Endpoint::new(role).config(config).receives(&frames);
        outcome.assert_open(
            &[ping_event("not part of the message"), message("aaaa")],
            &[pong("not part of the message")],
        );
    }
}

#[test]
fn a_limit_of_frames_does_not_limit_messages() {
    for role in ROLES {
        let config = Config::default().max_frame_size(4);
        let frames = [text("aaaa").unfinished(), continuation("bbbb").unfinished()];
        let endpoint = Endpoint::new(role).config(config);
        let fits = [&frames[..], &[continuation("cccc")]].concat();
        endpoint.receives(&fits).assert_open(&[message("aaaabbbbcccc")], &[]);
        let too_large = [&frames[..], &[continuation("ccccc")]].concat();
        let refused = ProtocolError::FrameTooLarge { size: 5, limit: 4 };
        endpoint.receives(&too_large).assert_failed(refused, 1009);
    }
}

#[test]
fn what_came_before_the_limit_is_delivered_and_answered() {
    for role in ROLES {
        let config = Config::default().max_message_size(4);
        let endpoint = Endpoint::new(role).config(config).echoing();
        let outcome = endpoint.receives(&[text("fits"), text("fails"), text("late")]);
        outcome.assert_failed_after(
            &[message("fits")],
            &[text("fits")],
            ProtocolError::MessageTooLarge { size: 5, limit: 4 },
            1009,
        );
    }
}

#[test]
fn the_default_limits_are_16_mib() {
    for role in ROLES {
        let endpoint = Endpoint::new(role);
        endpoint.receives_bytes(&announce(role.peer(), 0x82, MIB_16)).assert_open(&[], &[]);
        let size = MIB_16 + 1;
        let outcome = endpoint.receives_bytes(&announce(role.peer(), 0x82, size));
        outcome.assert_failed(ProtocolError::FrameTooLarge { size, limit: MIB_16 }, 1009);

        let mut bytes = sent_by(role.peer(), &[binary("1").unfinished()]);
        bytes.extend(announce(role.peer(), 0x80, MIB_16));
        let outcome = endpoint.receives_bytes(&bytes);
        outcome.assert_failed(ProtocolError::MessageTooLarge { size, limit: MIB_16 }, 1009);
    }
}

#[test]
fn by_default_16_mib_may_be_outgoing() {
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default());
        let mebibyte = vec![7; 1 << 20];
        for _ in 0..16 {
            assert_eq!(connection.send(&mebibyte), Ok(()));
        }
        assert_eq!(connection.send("one more"), Err(SendError::BufferFull("one more".into())));
    }
}

#[test]
fn a_message_that_may_be_longer_may_be_so_in_one_frame() {
    for role in ROLES {
        for limit in [MIB_16 + 1, MIB_16 << 10] {
            let config = Config::default().max_message_size(limit);
            let endpoint = || Endpoint::new(role).config(config);
            endpoint().receives_bytes(&announce(role.peer(), 0x82, limit)).assert_open(&[], &[]);
            let size = limit + 1;
            let outcome = endpoint().receives_bytes(&announce(role.peer(), 0x82, size));
            outcome.assert_failed(ProtocolError::FrameTooLarge { size, limit }, 1009);

            // Unless frames are limited further.
            let endpoint = Endpoint::new(role).config(config.max_frame_size(limit - 1));
            let outcome = endpoint.receives_bytes(&announce(role.peer(), 0x82, limit));
            let refused = ProtocolError::FrameTooLarge { size: limit, limit: limit - 1 };
            outcome.assert_failed(refused, 1009);
        }
        // A shorter message limit leaves frames alone.
        let endpoint = Endpoint::new(role).config(Config::default().max_message_size(70_000));
        let outcome = endpoint.receives_bytes(&announce(role.peer(), 0x82, 70_001));
        outcome.assert_failed(ProtocolError::MessageTooLarge { size: 70_001, limit: 70_000 }, 1009);
    }
}
