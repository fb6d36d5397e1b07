use std::io::{self, BufRead, Read, Write};

use crate::blocking::buffered;
use crate::blocking::reader::Reader;
use crate::blocking::received::Received;

/// The receiving end of a connection as [`Read`]: the bytes of its binary messages, for a tunnel.
///
/// It reads as a [`ByteStream`](super::ByteStream) does, while other threads send with
/// [`ByteWriter`](super::ByteWriter)s. Pings and Close frames are answered while it reads, so read to the end
/// even when nothing more is expected.
///
/// ```no_run
/// use std::{io, net::{Shutdown, TcpStream}, thread};
/// use sansocket::CloseCode;
/// use sansocket::blocking::{ByteReader, ByteWriter};
///
/// let (reader, writer) = sansocket::blocking::connect("ws://localhost:9001/ssh")?.split()?;
/// let (mut reader, mut writer) = (ByteReader::new(reader), ByteWriter::new(writer));
/// let mut tcp = TcpStream::connect("localhost:22")?;
/// let mut answers = tcp.try_clone()?;
///
/// let ends = writer.get_ref().clone();
///
/// let answering = thread::spawn(move || match io::copy(&mut answers, &mut writer) {
///     Ok(_) => writer.close(),
///     Err(error) => {
///         writer.get_ref().close(CloseCode::INTERNAL_ERROR, "")?;
///         Err(error)
///     }
/// });
/// let asked = io::copy(&mut reader, &mut tcp);
/// if asked.is_err() {
///     // First, so that the peer doesn't take the end of TCP for the end of the stream.
///     let _ = ends.close(CloseCode::INTERNAL_ERROR, "");
/// }
/// // Where one side is lost, the other isn't left waiting.
/// let _ = tcp.shutdown(if asked.is_ok() { Shutdown::Write } else { Shutdown::Both });
/// asked?;
/// answering.join().unwrap()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ByteReader<S> {
    reader: Reader<S>,
    received: Received,
}

impl<S: Read + Write> ByteReader<S> {
    /// The bytes of the messages that come from now on.
    pub fn new(reader: Reader<S>) -> Self {
        Self { reader, received: Received::default() }
    }

    /// The reader of messages.
    pub const fn get_ref(&self) -> &Reader<S> {
        &self.reader
    }

    /// The reader of messages, positioned after the message from which bytes were last read. The unread rest
    /// of that is lost.
    pub fn into_inner(self) -> Reader<S> {
        self.reader
    }
}

impl<S: Read + Write> BufRead for ByteReader<S> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.received.fill_from(&mut self.reader.driver)
    }

    fn consume(&mut self, count: usize) {
        self.received.consume(count);
    }
}

impl<S: Read + Write> Read for ByteReader<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        buffered::read(self, buffer)
    }
}
