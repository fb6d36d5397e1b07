//! What only a socket in memory can promise.

use std::io::{ErrorKind, Read, Write};
use std::time::Duration;

use sansocket::blocking::Socket;
use sansocket::testing::MemorySocket;

use crate::bounded::bounded;

const SHORT: Option<Duration> = Some(Duration::from_millis(5));

#[test]
fn as_many_bytes_wait_as_the_capacity_says() {
    bounded(|| {
        for capacity in [0, 1, 2, 7, 1000] {
            let (mut near, mut far) = MemorySocket::pair_with_capacity(capacity);
            for socket in [&mut near, &mut far] {
                socket.set_write_timeout(SHORT).unwrap();
                assert_eq!(socket.write(&[7; 2000]).unwrap(), capacity.max(1));
                assert_eq!(socket.write(&[7]).unwrap_err().kind(), ErrorKind::WouldBlock);
            }
            let mut room = [0; 2000];
            assert_eq!(near.read(&mut room).unwrap(), capacity.max(1));
            assert_eq!(far.write(&[7; 2000]).unwrap(), capacity.max(1), "there is room again");
        }
    });
}

/// A socket of the system waits, although there is no room for what it waits for.
#[test]
fn a_read_into_no_room_returns_at_once() {
    bounded(|| assert_eq!(MemorySocket::pair().0.read(&mut []).unwrap(), 0));
}

#[test]
fn both_ends_of_a_socket_that_was_reset_find_out() {
    bounded(|| {
        let (mut near, mut far) = MemorySocket::pair();
        near.write_all(b"a").unwrap();
        far.write_all(b"b").unwrap();
        near.reset();
        for (socket, arrived) in [(&mut near, b'b'), (&mut far, b'a')] {
            let mut room = [0];
            assert_eq!(socket.read(&mut room).unwrap(), 1);
            assert_eq!(room, [arrived]);
            assert_eq!(socket.read(&mut room).unwrap_err().kind(), ErrorKind::ConnectionReset);
            assert_eq!(socket.read(&mut room).unwrap(), 0);
            assert_eq!(socket.write(&room).unwrap_err().kind(), ErrorKind::BrokenPipe);
        }
    });
}

#[test]
fn a_reset_wakes_who_reads() {
    bounded(|| {
        let (mut near, far) = MemorySocket::pair();
        let reading = std::thread::spawn(move || near.read(&mut [0]).unwrap_err().kind());
        std::thread::sleep(SHORT.unwrap());
        far.reset();
        assert_eq!(reading.join().unwrap(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn what_happened_to_a_socket_can_be_done_to_it_again() {
    bounded(|| {
        let (near, mut far) = MemorySocket::pair();
        for _ in 0..2 {
            near.shutdown(std::net::Shutdown::Both).unwrap();
            near.reset();
        }
        assert_eq!(far.read(&mut [0]).unwrap(), 0);
    });
}

#[test]
fn it_may_be_sent_to_other_threads_and_shared_with_them() {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<MemorySocket>();
}
