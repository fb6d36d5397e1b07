//! What users of a library that writes every message separately do by hand: gather what is written, and
//! write it when the library wants to read more.

use std::io::{self, IoSlice, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Beyond this size, what is gathered is written, as in sansocket.
const MOST: usize = 64 * 1024;

/// Writes of at least this size go out at once, without a copy.
const LONG: usize = 16 * 1024;

/// A stream that gathers what is written until something is read.
pub struct Coalesced<S> {
    stream: S,
    gathered: Vec<u8>,
    written: usize,
}

impl<S> Coalesced<S> {
    pub const fn new(stream: S) -> Self {
        Self { stream, gathered: Vec::new(), written: 0 }
    }

    fn advance(&mut self, count: usize) {
        self.written += count;
        if self.written == self.gathered.len() {
            self.gathered.clear();
            self.written = 0;
        }
    }
}

impl<S: Write> Coalesced<S> {
    fn write_gathered(&mut self) -> io::Result<()> {
        self.stream.write_all(&self.gathered)?;
        self.gathered.clear();
        Ok(())
    }
}

impl<S: Read + Write> Read for Coalesced<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.write_gathered()?;
        self.stream.read(buffer)
    }
}

impl<S: Write> Write for Coalesced<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.gathered.len() + bytes.len() > MOST {
            self.write_gathered()?;
        }
        if bytes.len() >= LONG && self.gathered.is_empty() {
            return self.stream.write(bytes);
        }
        self.gathered.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<S: AsyncWrite + Unpin> Coalesced<S> {
    fn poll_write_gathered(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.gathered.is_empty() {
            let count = ready!(
                Pin::new(&mut self.stream).poll_write(context, &self.gathered[self.written..])
            )?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.advance(count);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Coalesced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_write_gathered(context))?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Coalesced<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length: usize = slices.iter().map(|slice| slice.len()).sum();
        if self.gathered.len() + length > MOST {
            ready!(self.poll_write_gathered(context))?;
        }
        if length >= LONG && self.gathered.is_empty() {
            return Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        }
        for slice in slices {
            self.gathered.extend_from_slice(slice);
        }
        Poll::Ready(Ok(length))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_write_gathered(context))?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
