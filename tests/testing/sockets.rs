//! The laws, each for a socket in memory, for one that passes on single bytes, and for those of the
//! system: what holds for all of them is how a socket behaves.

use std::net::{TcpListener, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;

use sansocket::testing::MemorySocket;

use crate::bounded::bounded;
use crate::laws;

fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (near, listener.accept().unwrap().0)
}

macro_rules! of_every_socket {
    ($($(#[$only:meta])? $law:ident)*) => {
        mod memory {
            use super::*;
            $(#[test] fn $law() { bounded(|| laws::$law(MemorySocket::pair())) })*
        }

        mod memory_byte_by_byte {
            use super::*;
            $(#[test] fn $law() { bounded(|| laws::$law(MemorySocket::pair_with_capacity(1))) })*
        }

        mod tcp {
            use super::*;
            $($(#[$only])? #[test] fn $law() { bounded(|| laws::$law(tcp_pair())) })*
        }

        #[cfg(unix)]
        mod unix {
            use super::*;
            $($(#[$only])? #[test] fn $law() {
                bounded(|| laws::$law(UnixStream::pair().unwrap()));
            })*
        }
    };
}

of_every_socket! {
    bytes_arrive_whole_and_in_order_in_both_directions_at_once
    a_read_takes_what_is_there
    an_empty_write_does_nothing
    slices_are_written_one_behind_the_other
    a_read_that_timed_out_takes_nothing
    a_write_that_timed_out_writes_nothing
    a_timeout_holds_for_all_handles_and_can_be_lifted
    a_timeout_is_not_zero
    the_end_of_writing_is_read_behind_the_last_byte
    what_is_written_behind_the_end_is_a_broken_pipe
    the_end_of_reading_wakes_who_reads
    the_end_of_reading_leaves_what_has_arrived
    the_end_of_writing_wakes_who_writes
    the_end_of_both_is_that_of_each
    one_end_after_the_other_is_the_end_of_both
    the_last_handle_ends_the_connection
    a_peer_that_goes_away_wakes_who_reads
    a_peer_that_goes_away_wakes_who_writes
    #[cfg(target_os = "linux")] bytes_that_nobody_read_make_the_end_a_reset
}

/// Where a Unix socket has ways of its own, a socket in memory behaves like TCP.
mod unlike_unix {
    use super::*;

    #[test]
    fn a_peer_that_only_stopped_reading_is_written_to() {
        bounded(|| {
            laws::a_peer_that_only_stopped_reading_is_written_to(MemorySocket::pair());
            #[cfg(target_os = "linux")]
            laws::a_peer_that_only_stopped_reading_is_written_to(tcp_pair());
        });
    }

    #[test]
    fn an_end_that_was_said_is_not_taken_back() {
        bounded(|| {
            laws::an_end_that_was_said_is_not_taken_back(MemorySocket::pair());
            #[cfg(target_os = "linux")]
            laws::an_end_that_was_said_is_not_taken_back(tcp_pair());
        });
    }
}
