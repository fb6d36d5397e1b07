//! The reader writes when nobody else does, and no more than it has to.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use sansocket::CloseCode;
use sansocket::blocking::{CloneSocket, Reader, Server, Socket, Writer};
use sansocket::frame::Opcode;

use crate::bounded::bounded;
use crate::faulty_stream::Call;
use crate::pipe::{Pipe, pipe};
use crate::raw_peer::{RawPeer, from_client};

/// A socket that keeps what is written until it is flushed, for all its handles, and at each of these
/// calls does something first.
struct Buffered {
    pipe: Pipe,
    buffer: Arc<Mutex<Vec<u8>>>,
    first: Arc<dyn Fn(Call) + Send + Sync>,
}

impl Buffered {
    /// A server's connection over such a socket, split, and its peer.
    fn split(
        first: impl Fn(Call) + Send + Sync + 'static,
    ) -> (Reader<Self>, Writer<Self>, RawPeer<Pipe>) {
        let (pipe, theirs) = pipe(1 << 20);
        let socket = Self { pipe, buffer: Arc::default(), first: Arc::new(first) };
        let accepting = thread::spawn(move || Server::new().accept(socket).unwrap());
        let peer = RawPeer::new(theirs).open();
        let (reader, writer) = accepting.join().unwrap().split().unwrap();
        (reader, writer, peer)
    }
}

impl Read for Buffered {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.pipe.read(room)
    }
}

impl Write for Buffered {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (self.first)(Call::Write);
        self.buffer.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        (self.first)(Call::Flush);
        let bytes = std::mem::take(&mut *self.buffer.lock().unwrap());
        self.pipe.write_all(&bytes)
    }
}

impl Socket for Buffered {
    fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.pipe.set_read_timeout(timeout)
    }

    fn set_write_timeout(&self, _: Option<Duration>) -> io::Result<()> {
        Ok(())
    }

    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.pipe.shutdown(how)
    }
}

impl CloneSocket for Buffered {
    fn try_clone(&self) -> io::Result<Self> {
        let (buffer, first) = (Arc::clone(&self.buffer), Arc::clone(&self.first));
        Ok(Self { pipe: self.pipe.try_clone()?, buffer, first })
    }
}

#[test]
fn the_end_waits_for_what_another_thread_has_not_flushed_yet() {
    const SLOWNESS: Duration = Duration::from_millis(50);

    bounded(|| {
        // The server is the one that ends the transport.
        let (mut reader, writer, mut peer) = Buffered::split(|_| thread::sleep(SLOWNESS));
        let sending = thread::spawn(move || writer.send("hello"));
        // While that is written the answer is queued, and is written and flushed by the writer.
        thread::sleep(SLOWNESS / 2);
        peer.send(from_client(Opcode::Close, &CloseCode::NORMAL.get().to_be_bytes()));
        assert_matches!(reader.read(), Ok(None));
        peer.expect_frame(Opcode::Text, b"hello");
        peer.expect_close(1000);
        peer.expect_eof();
        sending.join().unwrap().unwrap();
    });
}

#[test]
fn the_reader_reads_between_two_writes_though_there_is_always_more_to_write() {
    bounded(|| {
        let writers: Arc<Mutex<Vec<Writer<Buffered>>>> = Arc::default();
        let written = Arc::new(AtomicUsize::new(0));
        let (busy, count) = (Arc::clone(&writers), Arc::clone(&written));
        let (mut reader, writer, mut peer) = Buffered::split(move |call| {
            if call == Call::Flush && count.fetch_add(1, Ordering::Relaxed) < 1000 {
                // Just behind what is written now, another thread has something to say.
                for writer in &*busy.lock().unwrap() {
                    writer.write("more").unwrap();
                }
            }
        });
        writers.lock().unwrap().push(writer);
        written.store(0, Ordering::Relaxed);
        peer.send(from_client(Opcode::Ping, b"?"));
        peer.send(from_client(Opcode::Text, b"hello"));
        assert_eq!(reader.read().unwrap(), Some("hello".into()));
        peer.send(from_client(Opcode::Text, b"hello"));
        assert_eq!(reader.read().unwrap(), Some("hello".into()));
        let written = written.load(Ordering::Relaxed);
        assert!((1..10).contains(&written), "{written} writes for two reads");
        writers.lock().unwrap().clear();
    });
}
