//! The opening handshakes of both sides, driven over a stream before one deadline.

use std::io::{self, Read, Write};
use std::net::Shutdown;

use bytes::Bytes;

use crate::blocking::deadline::Deadline;
use crate::blocking::error::{AcceptError, ConnectError};
use crate::blocking::read_buffer::ReadBuffer;
use crate::blocking::stream::Stream;
#[cfg(feature = "rustls")]
use crate::blocking::tls::TlsError;
use crate::handshake::{
    Accepted, Answer, ClientHandshake, Decision, DecisionError, HeadLimits, Outcome, Refusal,
    Rejection, RequestError, RequestHead, ServerHandshake, UpgradeRequest,
};
use http::Response;

/// A stream on which the opening handshake takes place.
pub(super) struct Opening<'s, S> {
    pub(super) stream: &'s mut Stream<S>,
    /// What was read; after the handshake, the first frames.
    pub(super) buffer: &'s mut ReadBuffer,
    pub(super) deadline: Deadline,
}

impl<S: Read + Write> Opening<'_, S> {
    /// Sends the request and waits for its outcome.
    pub(super) fn connect(
        &mut self,
        mut handshake: ClientHandshake,
    ) -> Result<Outcome, ConnectError> {
        let outgoing = handshake.outgoing();
        self.stream.write_before(self.deadline, outgoing).map_err(client_error)?;
        loop {
            match self.buffer.consume(|input| handshake.receive(input))? {
                Some(outcome) => return Ok(outcome),
                None if self.fill().map_err(client_error)? == 0 => {
                    return Err(handshake.receive_eof().into());
                }
                None => {}
            }
        }
    }

    /// Waits for the body of a rejection. The head is already an answer: what can't be read of the body is
    /// left out.
    pub(super) fn read_body(&mut self, mut rejection: Rejection) -> Box<Response<Vec<u8>>> {
        self.buffer.consume(|input| rejection.receive(input));
        while !rejection.is_complete() && matches!(self.fill(), Ok(1..)) {
            self.buffer.consume(|input| rejection.receive(input));
        }
        Box::new(rejection.into_response())
    }

    /// Waits for the request, and answers it as `decide` says.
    pub(super) fn accept(
        &mut self,
        limits: HeadLimits,
        decide: impl Fn(
            &RequestHead<'_>,
            Result<&UpgradeRequest<'_>, &RequestError>,
        ) -> Result<Decision, RequestError>,
    ) -> Result<Accepted, AcceptError> {
        let mut handshake = ServerHandshake::new(limits);
        loop {
            let received = self.buffer.consume(|input| {
                handshake.receive_head(input, |request| {
                    request.judge(|upgrade| decide(&request, upgrade))
                })
            });
            match received {
                Ok(Some(answer)) => return self.answer(answer),
                Ok(None) => {}
                Err(error) => return Err(self.refuse(error.into())),
            }
            if self.fill().map_err(server_error)? == 0 {
                return Err(AcceptError::Truncated);
            }
        }
    }

    fn answer(&mut self, answer: Result<Answer, DecisionError>) -> Result<Accepted, AcceptError> {
        match answer {
            Ok(Answer::Accepted(mut accepted)) => {
                let outgoing = accepted.outgoing();
                self.stream.write_before(self.deadline, outgoing).map_err(server_error)?;
                Ok(accepted)
            }
            Ok(Answer::Refused(refusal)) => Err(self.refuse(refusal)),
            Err(decision) => Err(self.fail(decision)),
        }
    }

    /// Sends the refusal and ends the transport so that the client gets to read it.
    fn refuse(&mut self, refusal: Refusal) -> AcceptError {
        let (status, error) = (refusal.response().status(), refusal.error());
        match self.send_last(refusal) {
            Ok(()) => AcceptError::Refused { status, error },
            Err(error) => server_error(error),
        }
    }

    fn fail(&mut self, error: DecisionError) -> AcceptError {
        match self.send_last(Refusal::from(error.clone())) {
            Ok(()) => error.into(),
            Err(error) => server_error(error),
        }
    }

    fn send_last(&mut self, mut refusal: Refusal) -> io::Result<()> {
        let outgoing: &mut Bytes = refusal.outgoing();
        self.stream.write_before(self.deadline, outgoing)?;
        // The client may have read the answer and be gone already.
        let _ = self.stream.shutdown(Shutdown::Write);
        // RFC 9112, §9.6: closing with unread bytes would reset the connection, and the answer
        // could be lost with it.
        if self.stream.is_controlled() {
            self.stream.drain_before(self.deadline);
        }
        Ok(())
    }

    fn fill(&mut self) -> io::Result<usize> {
        let deadline = self.deadline;
        self.buffer.fill(self.stream, |stream, buffer| stream.read_before(deadline, buffer))
    }
}

fn client_error(error: io::Error) -> ConnectError {
    // A TLS stream performs its handshake with the first read or write.
    #[cfg(feature = "rustls")]
    if let Some(error) = TlsError::from_io(&error) {
        return error.clone().into();
    }
    match error.kind() {
        io::ErrorKind::TimedOut => ConnectError::TimedOut,
        _ => ConnectError::Io(error),
    }
}

fn server_error(error: io::Error) -> AcceptError {
    #[cfg(feature = "rustls")]
    if let Some(error) = TlsError::from_io(&error) {
        return error.clone().into();
    }
    match error.kind() {
        io::ErrorKind::TimedOut => AcceptError::TimedOut,
        _ => AcceptError::Io(error),
    }
}
