//! §6.1, sending data: only while open, in order, and no more than the transport takes.

use std::io::IoSlice;

use bytes::{Buf, Bytes};
use sansocket::{
    Config, Connection, Message, PreparedMessage, Role, SendError, Transport, UsageError,
};

use crate::endpoint::{ROLES, drain, drain_frames, feed, message};
use crate::wire::{self, Frame, binary, close, empty_close, ping, pong, text};

#[test]
fn messages_are_sent_in_order() {
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default());
        let frames: Vec<Frame> = (0..100).map(|n| text(n.to_string())).collect();
        for n in 0..100 {
            connection.send(n.to_string()).unwrap();
        }
        assert_eq!(drain_frames(&mut connection), frames);
    }
}

#[test]
fn nothing_is_sent_when_the_connection_is_not_open() {
    let refused = Err(SendError::Refused(UsageError::NotOpen));
    for role in ROLES {
        let mut connections = [(); 4].map(|()| Connection::new(role, Config::default()));
        let [closing, closed_by_peer, failed, lost] = &mut connections;
        closing.close(None);
        feed(closed_by_peer, &[empty_close()]);
        let mut broken = text("").with_rsv(1).sent_by(role.peer());
        failed.next_event(&mut &mut broken[..]).unwrap_err();
        lost.receive_eof();
        for connection in &mut connections {
            drain(connection);
            assert_eq!(connection.send("late"), refused);
            assert_eq!(connection.fragments().write("late"), refused);
            assert_eq!(connection.send_prepared(&PreparedMessage::new("late")), refused);
            assert_eq!(connection.ping(b""), Err(UsageError::NotOpen));
            assert_eq!(connection.pong(b""), Err(UsageError::NotOpen));
            connection.close(None);
            assert_eq!(drain(connection), b"");
        }
    }
}

#[test]
fn a_message_that_finds_no_room_comes_back_and_can_be_sent_after_writing() {
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default().max_outgoing_size(600));
        connection.send(vec![1; 600]).unwrap();
        let Err(SendError::BufferFull(refused)) = connection.send(vec![2; 600]) else {
            panic!("there is no room for both");
        };
        assert_eq!(refused, Message::from(vec![2; 600]));
        assert_eq!(drain_frames(&mut connection), [binary(vec![1; 600])]);
        connection.send(refused).unwrap();
        assert_eq!(drain_frames(&mut connection), [binary(vec![2; 600])]);
    }
}

#[test]
fn a_refused_message_comes_back_as_it_was() {
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default().max_outgoing_size(5));
        connection.send("waits").unwrap();
        for refused in [Message::from("text"), Message::from(b"bytes"), Message::from("")] {
            let full = Err(SendError::BufferFull(refused.clone()));
            assert_eq!(connection.send(refused.clone()), full);
            assert_eq!(connection.send_prepared(&PreparedMessage::new(refused)), full);
        }
        assert_eq!(drain_frames(&mut connection), [text("waits")]);
    }
}

#[test]
fn a_message_larger_than_the_limit_is_sent_when_nothing_waits() {
    for role in ROLES {
        for limit in [0, 1, 10] {
            let mut connection = Connection::new(role, Config::default().max_outgoing_size(limit));
            for _ in 0..3 {
                connection.send(vec![3; 100_000]).unwrap();
                connection.send("").unwrap_err();
                assert_eq!(drain_frames(&mut connection), [binary(vec![3; 100_000])]);
            }
        }
    }
}

#[test]
fn what_waits_passes_the_limit_by_one_message_at_most() {
    for role in ROLES {
        let (limit, size) = (5_000, 300);
        let mut connection = Connection::new(role, Config::default().max_outgoing_size(limit));
        let mut taken = 0;
        while connection.send(vec![0; size]).is_ok() {
            taken += 1;
        }
        let waiting = connection.outgoing().remaining();
        assert!((limit..limit + size + 14).contains(&waiting), "{waiting} bytes wait");
        assert_eq!(drain_frames(&mut connection), vec![binary(vec![0; size]); taken]);
    }
}

#[test]
fn there_is_room_again_as_soon_as_less_than_the_limit_waits() {
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default().max_outgoing_size(100));
        connection.send(vec![1; 100]).unwrap();
        let surplus = connection.outgoing().remaining() - 100;
        connection.outgoing().advance(surplus);
        connection.send("full").unwrap_err();
        connection.outgoing().advance(1);
        connection.send("room").unwrap();
    }
}

#[test]
fn the_transport_is_kept_until_everything_is_written() {
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default());
        connection.send("last words").unwrap();
        feed(&mut connection, &[close(1000, "")]);
        while connection.outgoing().has_remaining() {
            assert_eq!(connection.transport(), Transport::KeepOpen);
            connection.outgoing().advance(1);
        }
        assert_ne!(connection.transport(), Transport::KeepOpen);
    }
}

#[test]
fn a_prepared_message_is_sent_on_any_number_of_connections() {
    for prepared in [String::from("small"), "large".repeat(20_000)] {
        for role in ROLES {
            let news = PreparedMessage::new(&*prepared);
            assert_eq!(news.message(), &Message::from(&*prepared));
            for _ in 0..3 {
                let mut connection = Connection::new(role, Config::default());
                connection.send_prepared(&news).unwrap();
                connection.send_prepared(&news).unwrap();
                let sent = drain_frames(&mut connection);
                assert_eq!(sent, [text(&prepared), text(&prepared)]);
                let mut peer = Connection::new(role.peer(), Config::default());
                let expected = message(prepared.clone());
                assert_eq!(feed(&mut peer, &sent), [expected.clone(), expected]);
            }
        }
    }
}

#[test]
fn prepared_messages_are_equal_if_the_messages_are() {
    assert_eq!(PreparedMessage::new("news"), PreparedMessage::new("news"));
    assert_ne!(PreparedMessage::new("news"), PreparedMessage::new("other"));
    assert_ne!(PreparedMessage::new("news"), PreparedMessage::new(b"news"));
}

#[test]
fn a_server_queues_a_large_payload_without_copying_it() {
    let payload = Bytes::from(vec![0xAB; 200_000]);
    let shared = PreparedMessage::new(payload.clone());
    let mut server = Connection::new(Role::Server, Config::default());
    server.send("before").unwrap();
    server.send(payload.clone()).unwrap();
    server.fragments().write(payload.clone()).unwrap();
    server.fragments().finish(payload.slice(1000..)).unwrap();
    server.send_prepared(&shared).unwrap();

    let starts: Vec<*const u8> = segments(&mut server).iter().map(|(start, _)| *start).collect();
    let queued = starts.iter().filter(|&&start| start == payload.as_ptr()).count();
    assert_eq!(queued, 3, "the message, the fragment and the prepared message");
    assert!(starts.contains(&payload[1000..].as_ptr()));
    let sent = [
        text("before"),
        binary(&payload),
        binary(&payload).unfinished(),
        wire::continuation(&payload[1000..]),
        binary(&payload),
    ];
    assert_eq!(drain_frames(&mut server), sent);
}

#[test]
fn a_client_leaves_the_payload_that_it_shares_as_it_is() {
    let payload = Bytes::from(vec![0xAB; 200_000]);
    let mut client = Connection::new(Role::Client, Config::default());
    client.send(payload.clone()).unwrap();
    assert_eq!(drain_frames(&mut client), [binary(vec![0xAB; 200_000])]);
    assert!(payload.iter().all(|&byte| byte == 0xAB), "only a copy is masked");
}

#[test]
fn written_in_any_steps_the_bytes_are_the_same() {
    let frames = queue_frames();
    for role in ROLES {
        for step in [1, 2, 3, 7, 100, 4_095, 4_096, 65_536, 100_000, usize::MAX] {
            let mut connection = Connection::new(role, Config::default());
            queue(&mut connection);
            let mut bytes = Vec::new();
            let mut left = connection.outgoing().remaining();
            while connection.outgoing().has_remaining() {
                let outgoing = connection.outgoing();
                assert_eq!(outgoing.remaining(), left);
                let taken = step.min(outgoing.chunk().len());
                bytes.extend_from_slice(&outgoing.chunk()[..taken]);
                outgoing.advance(taken);
                left -= taken;
            }
            assert_eq!(left, 0);
            assert_eq!(connection.outgoing().chunk(), b"");
            assert_eq!(wire::frames_of(role, &bytes), frames, "by {step}");
        }
    }
}

#[test]
fn vectored_writes_of_any_size_give_the_same_bytes() {
    let frames = queue_frames();
    for role in ROLES {
        for slots in [1, 2, 3, 64] {
            for step in [1_000, 65_537, usize::MAX] {
                let mut connection = Connection::new(role, Config::default());
                queue(&mut connection);
                let mut bytes = Vec::new();
                while connection.outgoing().has_remaining() {
                    let outgoing = connection.outgoing();
                    let gathered = gather(outgoing, slots);
                    let written = step.min(gathered.len());
                    bytes.extend_from_slice(&gathered[..written]);
                    outgoing.advance(written);
                }
                assert_eq!(wire::frames_of(role, &bytes), frames, "{slots} slots by {step}");
            }
        }
    }
}

#[test]
fn all_that_waits_can_leave_in_one_vectored_write() {
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default());
        queue(&mut connection);
        let outgoing = connection.outgoing();
        let remaining = outgoing.remaining();
        assert_eq!(gather(outgoing, 64).len(), remaining);
        outgoing.advance(remaining);
        assert_eq!(gather(outgoing, 64), b"", "and nothing is left");
    }
}

#[test]
fn what_is_queued_between_partial_writes_follows() {
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default());
        let (mut bytes, mut expected) = (Vec::new(), Vec::new());
        for round in 0..50_usize {
            let payload = vec![u8::try_from(round).unwrap(); round * 997 % 9_000];
            connection.send(payload.clone()).unwrap();
            expected.push(binary(payload));
            let outgoing = connection.outgoing();
            let written = outgoing.chunk().len().min(round * 61);
            bytes.extend_from_slice(&outgoing.chunk()[..written]);
            outgoing.advance(written);
        }
        bytes.extend(drain(&mut connection));
        assert_eq!(wire::frames_of(role, &bytes), expected);
    }
}

#[test]
fn a_queue_that_is_shared_again_and_again_is_not_cut_into_small_pieces() {
    let mut server = Connection::new(Role::Server, Config::default());
    for _ in 0..1000 {
        server.send("x").unwrap();
        assert!(server.outgoing().share(4).len() <= 4);
    }
    let outgoing = server.outgoing();
    assert!(outgoing.share(usize::MAX).len() <= 5);
    assert_eq!(&outgoing.copy_to_bytes(outgoing.remaining())[..], b"\x81\x01x".repeat(1000));
}

/// Small and large payloads, borrowed and shared, and control frames between them.
fn queue(connection: &mut Connection) {
    connection.send("small").unwrap();
    connection.send(Bytes::from(vec![1; 5_000])).unwrap();
    connection.ping(b"ping").unwrap();
    connection.send(&vec![2; 150_000][..]).unwrap();
    connection.send(Bytes::from(vec![3; 70_000])).unwrap();
    connection.send(Bytes::from(vec![4; 4_096])).unwrap();
    connection.send("").unwrap();
    feed(connection, &[ping("asked"), close(1000, "")]);
}

fn queue_frames() -> Vec<Frame> {
    vec![
        text("small"),
        binary(vec![1; 5_000]),
        ping("ping"),
        binary(vec![2; 150_000]),
        binary(vec![3; 70_000]),
        binary(vec![4; 4_096]),
        text(""),
        pong("asked"),
        close(1000, ""),
    ]
}

/// What a vectored write of this many slices would write.
fn gather(outgoing: &impl Buf, slots: usize) -> Vec<u8> {
    let mut slices = vec![IoSlice::new(&[]); slots];
    let filled = outgoing.chunks_vectored(&mut slices);
    slices[..filled].iter().flat_map(|slice| slice.iter().copied()).collect()
}

/// Where each segment that waits lies.
fn segments(connection: &mut Connection) -> Vec<(*const u8, usize)> {
    let mut slices = vec![IoSlice::new(&[]); 64];
    let outgoing = connection.outgoing();
    let filled = outgoing.chunks_vectored(&mut slices);
    slices[..filled].iter().map(|slice| (slice.as_ptr(), slice.len())).collect()
}
