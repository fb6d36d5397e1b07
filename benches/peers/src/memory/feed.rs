use std::hint::black_box;
use std::io::{self, IoSlice, Read, Write};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::browser_request::REQUEST;
use super::{Job, Run};
use crate::wire::{self, Kind};

/// A stream from which the same bytes can be read forever, after others that come once. What is written is
/// gone.
#[derive(Clone)]
pub struct Feed {
    bytes: Rc<[u8]>,
    at: usize,
    /// Where the bytes that come again begin.
    again: usize,
    /// How long each message among them is.
    message: usize,
}

impl Feed {
    /// The bytes that a client sends for this job.
    pub fn new(job: Job) -> Self {
        let message = match job {
            Job::Decode(kind, size) => wire::client_message(kind, size),
            Job::Ping => {
                let mut both = wire::client_frame(0x80 | wire::PING, b"ping");
                both.extend(wire::client_message(Kind::Binary, 8));
                both
            }
            Job::Fragments => wire::client_fragments(Kind::Binary, 16 << 10, 64),
            Job::Handshake => REQUEST.to_vec(),
            Job::EncodeAsServer(_) | Job::EncodeAsClient(_) => Vec::new(),
        };
        let times = match job {
            Job::Handshake => 1,
            // Many short messages in one read.
            _ => (64 * 1024 / message.len().max(1)).clamp(1, 4096),
        };
        Self { bytes: message.repeat(times).into(), at: 0, again: 0, message: message.len() }
    }

    /// The same after an opening handshake.
    pub fn behind_request(job: Job) -> Self {
        let messages = Self::new(job);
        let bytes = [wire::REQUEST, &messages.bytes].concat();
        Self { bytes: bytes.into(), again: wire::REQUEST.len(), ..messages }
    }

    /// How many bytes a message has, with its frame headers.
    pub fn message(&self) -> usize {
        self.message
    }

    fn next(&mut self, most: usize) -> &[u8] {
        if self.at == self.bytes.len() {
            self.at = self.again;
        }
        let start = self.at;
        self.at = (start + most).min(self.bytes.len());
        &self.bytes[start..self.at]
    }
}

impl Read for Feed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let taken = self.next(buffer.len());
        buffer[..taken.len()].copy_from_slice(taken);
        Ok(taken.len())
    }
}

impl Write for Feed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(black_box(bytes).len())
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        Ok(black_box(slices).iter().map(|slice| slice.len()).sum())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncRead for Feed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let most = buffer.remaining();
        buffer.put_slice(self.next(most));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Feed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.write(bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.write_vectored(slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// What the bytes of the message alone cost: one copy.
pub fn copy(job: Job) -> Option<Run> {
    let (Job::Decode(_, size) | Job::EncodeAsServer(size) | Job::EncodeAsClient(size)) = job else {
        return None;
    };
    let from = vec![7_u8; size];
    let mut to = vec![0_u8; size + PAGE];
    // Half a page apart: where both are at the same place of a page, some processors copy much more slowly.
    let apart = (from.as_ptr().addr() + PAGE / 2).wrapping_sub(to.as_ptr().addr()) % PAGE;
    Some(Box::new(move |times| {
        for _ in 0..times {
            black_box(&mut to[apart..apart + size]).copy_from_slice(black_box(&from));
        }
    }))
}

const PAGE: usize = 4096;
