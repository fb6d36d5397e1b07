//! What holds for any two sockets that are connected to each other.

use std::io::{ErrorKind, IoSlice};
use std::net::Shutdown;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use sansocket::blocking::CloneSocket;

const SHORT: Option<Duration> = Some(Duration::from_millis(20));

/// Either may say that time is up.
const TIMED_OUT: [ErrorKind; 2] = [ErrorKind::WouldBlock, ErrorKind::TimedOut];

/// Either may say that the peer is gone.
const GONE: [ErrorKind; 2] = [ErrorKind::BrokenPipe, ErrorKind::ConnectionReset];

pub(crate) fn bytes_arrive_whole_and_in_order_in_both_directions_at_once<S>((near, far): (S, S))
where
    S: CloneSocket + Send + 'static,
{
    let threads: Vec<JoinHandle<()>> = [(near, 3), (far, 5)]
        .into_iter()
        .flat_map(|(socket, step)| {
            let (mut writing, mut reading) = (socket.try_clone().unwrap(), socket);
            [
                thread::spawn(move || {
                    let bytes = numbered(20_000);
                    let mut rest = &bytes[..];
                    for size in (1..).step_by(step) {
                        let (piece, behind) = rest.split_at(rest.len().min(size));
                        writing.write_all(piece).unwrap();
                        rest = behind;
                        if rest.is_empty() {
                            return writing.shutdown(Shutdown::Write).unwrap();
                        }
                    }
                }),
                thread::spawn(move || {
                    let (mut bytes, mut room) = (Vec::new(), vec![0; step]);
                    while let read @ 1.. = reading.read(&mut room).unwrap() {
                        bytes.extend_from_slice(&room[..read]);
                        room.resize(room.len() + step, 0);
                    }
                    assert!(bytes == numbered(20_000));
                }),
            ]
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

pub(crate) fn a_read_takes_what_is_there<S: CloneSocket>((mut near, mut far): (S, S)) {
    let written = near.write(b"Hello").unwrap();
    let mut heard = Vec::new();
    let mut room = [0; 16];
    while heard.len() < written {
        let read = far.read(&mut room).unwrap();
        heard.extend_from_slice(&room[..read]);
    }
    assert_eq!(heard, b"Hello"[..written]);
}

pub(crate) fn an_empty_write_does_nothing<S: CloneSocket>((mut near, mut far): (S, S)) {
    far.set_read_timeout(SHORT).unwrap();
    near.set_write_timeout(SHORT).unwrap();
    let nothing = [IoSlice::new(&[]), IoSlice::new(&[])];
    assert_eq!(near.write(&[]).unwrap(), 0);
    assert_eq!(near.write_vectored(&nothing).unwrap(), 0);
    near.flush().unwrap();
    assert!(TIMED_OUT.contains(&far.read(&mut [0]).unwrap_err().kind()));
    // It needs no room either.
    assert!(TIMED_OUT.contains(&write_until_it_fails(&mut near)));
    assert_eq!(near.write_vectored(&nothing).unwrap(), 0);
}

pub(crate) fn slices_are_written_one_behind_the_other<S: CloneSocket>((mut near, mut far): (S, S)) {
    let slices = [b"".as_slice(), b"He", b"", b"l", b"lo"].map(IoSlice::new);
    let written = near.write_vectored(&slices).unwrap();
    assert!(written > 0);
    let mut heard = vec![0; written];
    far.read_exact(&mut heard).unwrap();
    assert_eq!(heard, b"Hello"[..written]);
    far.set_read_timeout(SHORT).unwrap();
    assert!(TIMED_OUT.contains(&far.read(&mut [0]).unwrap_err().kind()));
}

pub(crate) fn a_read_that_timed_out_takes_nothing<S: CloneSocket>((mut near, mut far): (S, S)) {
    far.set_read_timeout(SHORT).unwrap();
    for byte in *b"abc" {
        let mut room = [0; 16];
        assert!(TIMED_OUT.contains(&far.read(&mut room).unwrap_err().kind()));
        assert_eq!(near.write(&[byte]).unwrap(), 1);
        assert_eq!(far.read(&mut room).unwrap(), 1);
        assert_eq!(room[0], byte);
    }
}

pub(crate) fn a_write_that_timed_out_writes_nothing<S: CloneSocket>((mut near, mut far): (S, S)) {
    near.set_write_timeout(SHORT).unwrap();
    let bytes = numbered(16 << 20);
    let mut rest = &bytes[..];
    let refused = loop {
        match near.write(rest) {
            Ok(written) => rest = &rest[written..],
            Err(error) => break error,
        }
    };
    assert!(TIMED_OUT.contains(&refused.kind()), "{refused}");

    near.set_write_timeout(None).unwrap();
    let mut heard = vec![0; bytes.len() - rest.len() + 1];
    let (last, others) = heard.split_last_mut().unwrap();
    far.read_exact(others).unwrap();
    near.write_all(&rest[..1]).unwrap();
    far.read_exact(std::slice::from_mut(last)).unwrap();
    assert!(heard == bytes[..heard.len()]);
}

pub(crate) fn a_timeout_holds_for_all_handles_and_can_be_lifted<S>((mut near, mut far): (S, S))
where
    S: CloneSocket + Send + 'static,
{
    let mut clone = far.try_clone().unwrap();
    clone.set_read_timeout(SHORT).unwrap();
    assert!(TIMED_OUT.contains(&far.read(&mut [0]).unwrap_err().kind()));
    far.set_read_timeout(None).unwrap();
    let reading = thread::spawn(move || clone.read(&mut [0]).unwrap());
    thread::sleep(2 * SHORT.unwrap());
    near.write_all(b"a").unwrap();
    assert_eq!(reading.join().unwrap(), 1);
}

pub(crate) fn a_timeout_is_not_zero<S: CloneSocket>((near, _far): (S, S)) {
    let zero = Some(Duration::ZERO);
    assert_eq!(near.set_read_timeout(zero).unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(near.set_write_timeout(zero).unwrap_err().kind(), ErrorKind::InvalidInput);
}

pub(crate) fn the_end_of_writing_is_read_behind_the_last_byte<S: CloneSocket>(
    (mut near, mut far): (S, S),
) {
    near.write_all(b"a").unwrap();
    near.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_to_end(&mut far), b"a");
    assert_eq!(far.read(&mut [0]).unwrap(), 0, "and again");
    // The other direction is none of its business.
    far.write_all(b"b").unwrap();
    far.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_to_end(&mut near), b"b");
}

pub(crate) fn what_is_written_behind_the_end_is_a_broken_pipe<S: CloneSocket>(
    (near, mut far): (S, S),
) {
    let mut clone = near.try_clone().unwrap();
    near.shutdown(Shutdown::Write).unwrap();
    for _ in 0..2 {
        assert_eq!(clone.write(b"a").unwrap_err().kind(), ErrorKind::BrokenPipe);
    }
    assert_eq!(read_to_end(&mut far), b"");
}

pub(crate) fn the_end_of_reading_wakes_who_reads<S>((near, mut far): (S, S))
where
    S: CloneSocket + Send + 'static,
{
    let mut clone = near.try_clone().unwrap();
    let reading = thread::spawn(move || clone.read(&mut [0]).unwrap());
    thread::sleep(SHORT.unwrap());
    near.shutdown(Shutdown::Read).unwrap();
    assert_eq!(reading.join().unwrap(), 0);
    // The other direction is none of its business.
    let mut near = near;
    near.write_all(b"a").unwrap();
    assert_eq!(far.read(&mut [0]).unwrap(), 1);
}

pub(crate) fn the_end_of_reading_leaves_what_has_arrived<S: CloneSocket>(
    (mut near, mut far): (S, S),
) {
    far.write_all(b"a").unwrap();
    near.shutdown(Shutdown::Read).unwrap();
    assert_eq!(read_to_end(&mut near), b"a");
}

pub(crate) fn the_end_of_writing_wakes_who_writes<S>((near, _far): (S, S))
where
    S: CloneSocket + Send + 'static,
{
    let mut clone = near.try_clone().unwrap();
    let writing = thread::spawn(move || write_until_it_fails(&mut clone));
    thread::sleep(SHORT.unwrap());
    near.shutdown(Shutdown::Write).unwrap();
    assert_eq!(writing.join().unwrap(), ErrorKind::BrokenPipe);
}

pub(crate) fn the_end_of_both_is_that_of_each<S>((near, far): (S, S))
where
    S: CloneSocket + Send + 'static,
{
    near.shutdown(Shutdown::Both).unwrap();
    assert_both_directions_ended(near, far);
}

pub(crate) fn one_end_after_the_other_is_the_end_of_both<S>((near, far): (S, S))
where
    S: CloneSocket + Send + 'static,
{
    near.shutdown(Shutdown::Read).unwrap();
    near.shutdown(Shutdown::Write).unwrap();
    assert_both_directions_ended(near, far);
}

fn assert_both_directions_ended<S: CloneSocket>(mut near: S, mut far: S) {
    assert_eq!(near.read(&mut [0]).unwrap(), 0);
    assert_eq!(near.write(b"a").unwrap_err().kind(), ErrorKind::BrokenPipe);
    assert_eq!(far.read(&mut [0]).unwrap(), 0);
    assert!(GONE.contains(&write_until_it_fails(&mut far)));
}

pub(crate) fn the_last_handle_ends_the_connection<S: CloneSocket>((mut near, mut far): (S, S)) {
    let clone = near.try_clone().unwrap();
    near.write_all(b"a").unwrap();
    drop(near);
    far.set_read_timeout(SHORT).unwrap();
    assert_eq!(far.read(&mut [0]).unwrap(), 1);
    assert!(TIMED_OUT.contains(&far.read(&mut [0]).unwrap_err().kind()), "a clone is left");
    drop(clone);
    assert_eq!(read_to_end(&mut far), b"");
    assert!(GONE.contains(&write_until_it_fails(&mut far)));
    assert_eq!(far.read(&mut [0]).unwrap(), 0, "the end stays the end");
}

pub(crate) fn a_peer_that_goes_away_wakes_who_reads<S>((near, mut far): (S, S))
where
    S: CloneSocket + Send + 'static,
{
    let reading = thread::spawn(move || far.read(&mut [0]).unwrap());
    thread::sleep(SHORT.unwrap());
    drop(near);
    assert_eq!(reading.join().unwrap(), 0);
}

pub(crate) fn a_peer_that_goes_away_wakes_who_writes<S>((near, mut far): (S, S))
where
    S: CloneSocket + Send + 'static,
{
    let writing = thread::spawn(move || write_until_it_fails(&mut far));
    thread::sleep(SHORT.unwrap());
    drop(near);
    assert!(GONE.contains(&writing.join().unwrap()));
}

/// RFC 1122, section 4.2.2.13.
pub(crate) fn bytes_that_nobody_read_make_the_end_a_reset<S: CloneSocket>(
    (mut near, mut far): (S, S),
) {
    far.write_all(b"a").unwrap();
    near.write_all(b"b").unwrap();
    drop(near);
    assert_eq!(far.read(&mut [0]).unwrap(), 1, "what has arrived is there");
    assert_eq!(far.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(far.read(&mut [0]).unwrap(), 0, "once");
    assert!(GONE.contains(&far.write(b"a").unwrap_err().kind()));
}

pub(crate) fn an_end_that_was_said_is_not_taken_back<S: CloneSocket>((near, mut far): (S, S)) {
    near.shutdown(Shutdown::Write).unwrap();
    assert_eq!(far.read(&mut [0]).unwrap(), 0);
    far.write_all(b"a").unwrap();
    drop(near);
    assert_eq!(far.read(&mut [0]).unwrap(), 0);
}

pub(crate) fn a_peer_that_only_stopped_reading_is_written_to<S: CloneSocket>(
    (mut near, far): (S, S),
) {
    far.shutdown(Shutdown::Read).unwrap();
    near.set_write_timeout(SHORT).unwrap();
    assert!(TIMED_OUT.contains(&write_until_it_fails(&mut near)));
}

/// Bytes that tell their position.
fn numbered(count: usize) -> Vec<u8> {
    (0u32..).flat_map(u32::to_be_bytes).take(count).collect()
}

fn read_to_end(socket: &mut impl CloneSocket) -> Vec<u8> {
    let mut bytes = Vec::new();
    socket.read_to_end(&mut bytes).unwrap();
    bytes
}

fn write_until_it_fails(socket: &mut impl CloneSocket) -> ErrorKind {
    loop {
        if let Err(error) = socket.write(&[7; 4096]) {
            return error.kind();
        }
    }
}
