//! A proxy's answer, read to its last byte and no further.

use std::io::{self, Read};
use std::net::TcpStream;

use crate::blocking::deadline::Deadline;
use crate::blocking::error::ConnectError;
use crate::blocking::stream::Stream;
use crate::handshake::{ClientRequest, Proxy, ProxyHandshake, ProxyOutcome, Rejection};

/// Asks the proxy at the other end of this connection for a tunnel to the request's server.
pub(super) fn open_tunnel(
    stream: TcpStream,
    proxy: &Proxy,
    request: &ClientRequest,
    deadline: Deadline,
) -> Result<TcpStream, ConnectError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::TimedOut => ConnectError::ProxyTimedOut,
        _ => ConnectError::ProxyConnect { proxy: proxy.to_string(), source },
    };
    let mut handshake = ProxyHandshake::new(proxy, request);
    let mut stream = Stream::socket(stream);
    stream.write_before(deadline, handshake.outgoing()).map_err(failed)?;
    let mut answer = Answer { stream: stream.into_inner(), deadline };
    loop {
        match answer.take(|input| handshake.receive(input)).map_err(failed)? {
            Some(outcome) => match outcome? {
                Some(ProxyOutcome::Tunnel(_)) => return answer.end().map_err(failed),
                Some(ProxyOutcome::Refused(rejection)) => return Err(answer.refusal(rejection)),
                None => {}
            },
            None => return Err(handshake.receive_eof().into()),
        }
    }
}

/// What a proxy sends: the rest is the server's, and left to the reader of the tunnel.
struct Answer {
    stream: TcpStream,
    deadline: Deadline,
}

impl Answer {
    /// Lets `take` cut what it needs off the front of what has arrived; returns `None` at the end.
    fn take<T>(&mut self, take: impl FnOnce(&mut &mut [u8]) -> T) -> io::Result<Option<T>> {
        let mut buffer = [0; 1024];
        let count = self.peek(&mut buffer)?;
        if count == 0 {
            return Ok(None);
        }
        let mut input = buffer.get_mut(..count).unwrap_or_default();
        let taken = take(&mut input);
        let length = count - input.len();
        // The bytes are there, so this doesn't wait.
        self.stream.read_exact(buffer.get_mut(..length).unwrap_or_default())?;
        Ok(Some(taken))
    }

    /// Waits for bytes, and leaves them where they are.
    fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.stream.set_read_timeout(self.deadline.remaining()?)?;
            match self.stream.peek(buffer) {
                // The deadline decides whether to go on.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => return outcome,
            }
        }
    }

    /// Returns the stream as it was, after what the proxy has said.
    fn end(self) -> io::Result<TcpStream> {
        self.stream.set_read_timeout(None)?;
        self.stream.set_write_timeout(None)?;
        Ok(self.stream)
    }

    /// The head is already an answer: what can't be read of the body is left out.
    fn refusal(&mut self, mut rejection: Rejection) -> ConnectError {
        while !rejection.is_complete()
            && matches!(self.take(|input| rejection.receive(input)), Ok(Some(())))
        {}
        ConnectError::ProxyRefused(Box::new(rejection.into_response()))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::TcpListener;
    use std::thread;
    use std::time::Duration;

    use super::*;

    /// TLS begins on the stream itself: reading too far, or a timeout, would break it.
    #[test]
    fn the_stream_that_leads_through_the_tunnel_is_as_it_was_connected() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let proxying = thread::spawn(move || {
            let (mut peer, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                peer.read_exact(&mut byte).unwrap();
                request.extend(byte);
            }
            let head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
            let behind = vec![b'x'; 3000];
            peer.write_all(&[head.as_bytes(), &behind].concat()).unwrap();
            peer
        });
        let proxy = "http://127.0.0.1".parse().unwrap();
        let request = ClientRequest::new("ws://a/".parse().unwrap());
        let deadline = Deadline::after(Duration::from_secs(20));
        let stream = open_tunnel(stream, &proxy, &request, deadline).unwrap();
        assert_eq!(stream.read_timeout().unwrap(), None);
        assert_eq!(stream.write_timeout().unwrap(), None);
        drop(proxying.join().unwrap());
        let mut behind = Vec::new();
        (&stream).read_to_end(&mut behind).unwrap();
        assert_eq!(behind, vec![b'x'; 3000]);
    }
}
