use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use crate::blocking::socket::{CloneSocket, Socket};
#[cfg(feature = "rustls")]
use crate::blocking::tls::TlsStream;

/// The stream of a client that connects by itself: TCP, with TLS over it for `wss`.
///
/// A server that serves both can use it too, made of either, to have one type for all its connections.
#[derive(Debug)]
pub struct ClientStream(Layers);

#[derive(Debug)]
enum Layers {
    Tcp(TcpStream),
    #[cfg(feature = "rustls")]
    Tls(TlsStream),
}

impl ClientStream {
    /// The TCP connection below everything.
    pub const fn tcp(&self) -> &TcpStream {
        match &self.0 {
            Layers::Tcp(stream) => stream,
            #[cfg(feature = "rustls")]
            Layers::Tls(stream) => stream.socket(),
        }
    }

    /// The TLS connection, if the URL's scheme is `wss`.
    #[cfg(feature = "rustls")]
    pub const fn tls(&self) -> Option<&TlsStream> {
        match &self.0 {
            Layers::Tcp(_) => None,
            Layers::Tls(stream) => Some(stream),
        }
    }
}

impl From<TcpStream> for ClientStream {
    fn from(stream: TcpStream) -> Self {
        Self(Layers::Tcp(stream))
    }
}

#[cfg(feature = "rustls")]
impl From<TlsStream> for ClientStream {
    fn from(stream: TlsStream) -> Self {
        Self(Layers::Tls(stream))
    }
}

/// Makes the same call on whichever stream it is.
macro_rules! on_stream {
    ($layers:expr, $stream:ident => $call:expr) => {
        match $layers {
            Layers::Tcp($stream) => $call,
            #[cfg(feature = "rustls")]
            Layers::Tls($stream) => $call,
        }
    };
}

impl Read for ClientStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        on_stream!(&mut self.0, stream => stream.read(buffer))
    }
}

impl Write for ClientStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        on_stream!(&mut self.0, stream => stream.write(bytes))
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        on_stream!(&mut self.0, stream => stream.write_vectored(slices))
    }

    fn flush(&mut self) -> io::Result<()> {
        on_stream!(&mut self.0, stream => stream.flush())
    }
}

impl Socket for ClientStream {
    fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        on_stream!(&self.0, stream => Socket::set_read_timeout(stream, timeout))
    }

    fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        on_stream!(&self.0, stream => Socket::set_write_timeout(stream, timeout))
    }

    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        on_stream!(&self.0, stream => Socket::shutdown(stream, how))
    }

    fn set_nodelay(&self) -> io::Result<()> {
        on_stream!(&self.0, stream => Socket::set_nodelay(stream))
    }

    fn set_blocking(&self) -> io::Result<()> {
        on_stream!(&self.0, stream => Socket::set_blocking(stream))
    }
}

impl CloneSocket for ClientStream {
    fn try_clone(&self) -> io::Result<Self> {
        on_stream!(&self.0, stream => CloneSocket::try_clone(stream).map(Self::from))
    }
}
