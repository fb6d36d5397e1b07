//! How plaintext is put into records, and how much of it waits.

use std::io::{IoSlice, Write};

use sansocket::rustls::version::TLS13;

use crate::authority::AUTHORITY;
use crate::bounded::bounded;
use crate::faulty_socket::FaultySocket;
use crate::tls_peer::TlsPeer;

#[test]
fn slices_that_are_written_together_are_one_record() {
    bounded(|| {
        let socket = FaultySocket::to(TlsPeer::server(&TLS13));
        let mut stream = AUTHORITY.connector().stream("localhost", socket.clone()).unwrap();
        stream.handshake().unwrap();
        let before = socket.state().peer.records;
        let slices = [IoSlice::new(b"a frame"); 64];
        assert_eq!(stream.write_vectored(&slices).unwrap(), 64 * 7);
        assert_eq!(socket.state().peer.records, before, "nothing is sent before a flush");
        stream.flush().unwrap();
        assert_eq!(socket.state().peer.records, before + 1);
        assert_eq!(socket.state().peer.heard, b"a frame".repeat(64));
    });
}

#[test]
fn one_write_takes_64_kib_in_whole_records() {
    bounded(|| {
        let socket = FaultySocket::to(TlsPeer::server(&TLS13));
        let mut stream = AUTHORITY.connector().stream("localhost", socket.clone()).unwrap();
        stream.handshake().unwrap();
        let before = socket.state().peer.records;
        let bytes = vec![7; 1 << 20];
        assert_eq!(stream.write(&bytes).unwrap(), 64 << 10);
        // Before it takes more, it sends this.
        assert_eq!(stream.write(&bytes).unwrap(), 64 << 10);
        assert_eq!(socket.state().peer.records, before + 4);
        assert_eq!(socket.state().peer.heard.len(), 64 << 10);
    });
}
