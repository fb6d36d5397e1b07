//! The reader writes when nobody else does, and no more than it has to.

use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use sansocket::CloseCode;
use sansocket::blocking::{Reader, Server, Writer};
use sansocket::frame::Opcode;

use crate::altered::{Alteration, Altered};
use crate::bounded::bounded;
use crate::faulty_stream::Call;
use crate::pipe::{Pipe, pipe};
use crate::raw_peer::{RawPeer, from_client};

/// Keeps what is written until it is flushed, and does something first at each of these calls.
struct Buffering {
    buffer: Mutex<Vec<u8>>,
    first: Box<dyn Fn(Call) + Send + Sync>,
}

type Buffered = Altered<Pipe, Buffering>;

impl Alteration<Pipe> for Buffering {
    fn write(&self, _: &mut Pipe, bytes: &[u8]) -> io::Result<usize> {
        (self.first)(Call::Write);
        self.buffer.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&self, pipe: &mut Pipe) -> io::Result<()> {
        (self.first)(Call::Flush);
        let bytes = std::mem::take(&mut *self.buffer.lock().unwrap());
        pipe.write_all(&bytes)
    }

    fn set_write_timeout(&self, _: &Pipe, _: Option<Duration>) -> io::Result<()> {
        Ok(())
    }
}

/// A server's connection over such a socket, split, and its peer.
fn split(
    first: impl Fn(Call) + Send + Sync + 'static,
) -> (Reader<Buffered>, Writer<Buffered>, RawPeer<Pipe>) {
    let (pipe, theirs) = pipe(1 << 20);
    let buffering = Buffering { buffer: Mutex::default(), first: Box::new(first) };
    let socket = Altered::new(pipe, Arc::new(buffering));
    let accepting = thread::spawn(move || Server::new().accept(socket).unwrap());
    let peer = RawPeer::new(theirs).open();
    let (reader, writer) = accepting.join().unwrap().split().unwrap();
    (reader, writer, peer)
}

#[test]
fn the_end_waits_for_what_another_thread_has_not_flushed_yet() {
    const SLOWNESS: Duration = Duration::from_millis(50);

    bounded(|| {
        // The server is the one that ends the transport.
        let (mut reader, writer, mut peer) = split(|_| thread::sleep(SLOWNESS));
        let sending = thread::spawn(move || writer.send("hello"));
        // While that is written, the answer is queued, and the writer writes and flushes it.
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
        let (mut reader, writer, mut peer) = split(move |call| {
            if call == Call::Flush && count.fetch_add(1, Ordering::Relaxed) < 1000 {
                // Right after what is written now, another thread has something to say.
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
