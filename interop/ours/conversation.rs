//! What is the same for both ends once the connection is open.

use std::thread;

use sansocket::blocking::{CloneSocket, Error, WebSocket};
use sansocket::{CloseCode, ControlPayload};

use crate::Failure;
use crate::command::{Content, Piece, Step};
use crate::report::{Ended, Report, Seen, close};

/// Plays the steps, and then receives until the end.
pub(crate) fn play<S>(mut socket: WebSocket<S>, steps: &[Step]) -> Result<Report, Failure>
where
    S: CloneSocket + Send,
{
    let subprotocol = socket.subprotocol().map(str::to_owned);
    let mut messages = Vec::new();
    for step in steps {
        match step {
            Step::Send(content) => socket.write(content)?,
            Step::Fragments(pieces) => send_fragments(&mut socket, pieces)?,
            Step::Ping(payload) => socket.ping(ControlPayload::new(payload.as_bytes())?)?,
            Step::Receive(count) => {
                for message in socket.messages().take(*count) {
                    messages.push(Seen::from(&message?));
                }
            }
            Step::Exchange(contents) => socket = exchange(socket, contents, &mut messages)?,
            Step::Echo => socket.serve(|message, outbox| {
                messages.push(Seen::from(&message));
                outbox.send(message)
            })?,
            Step::Keepalive => await_round_trip(&mut socket)?,
            Step::Close(code, reason) => {
                let code = CloseCode::new(*code).ok_or("a code that can't be sent")?;
                socket.close(code, reason)?;
            }
        }
    }
    for message in socket.messages() {
        messages.push(Seen::from(&message?));
    }
    Ok(Report::Ended(Ended {
        subprotocol,
        messages,
        close: socket.close_status().as_ref().map(close),
    }))
}

/// The last piece must be a fragment.
fn send_fragments<S>(socket: &mut WebSocket<S>, pieces: &[Piece]) -> Result<(), Failure>
where
    S: CloneSocket,
{
    let Some((Piece::Fragment(last), others)) = pieces.split_last() else {
        return Err("a message without an end".into());
    };
    for piece in others {
        match piece {
            Piece::Fragment(content) => socket.write_fragment(content)?,
            Piece::Ping { ping } => socket.ping(ControlPayload::new(ping.as_bytes())?)?,
        }
    }
    Ok(socket.finish_fragments(last)?)
}

/// Sends from one thread and receives in another.
fn exchange<S>(
    socket: WebSocket<S>,
    contents: &[Content],
    messages: &mut Vec<Seen>,
) -> Result<WebSocket<S>, Failure>
where
    S: CloneSocket + Send,
{
    let (mut reader, writer) = socket.split()?;
    thread::scope(|scope| -> Result<(), Failure> {
        let sending = scope.spawn(|| {
            contents.iter().try_for_each(|content| writer.write(content))?;
            writer.flush()
        });
        for message in reader.messages().take(contents.len()) {
            messages.push(Seen::from(&message?));
        }
        Ok(sending.join().map_err(|_| "the sending thread panicked")??)
    })?;
    reader.reunite(writer).map_err(|error| error.to_string().into())
}

fn await_round_trip<S: CloneSocket>(socket: &mut WebSocket<S>) -> Result<(), Failure> {
    const ATTEMPTS: usize = 500; // of 20 ms each
    for _ in 0..ATTEMPTS {
        if socket.round_trip_time().is_some() {
            return Ok(());
        }
        match socket.read() {
            Err(Error::ReadTimedOut) => {}
            Ok(_) => return Err("a message, where only Pongs were to come".into()),
            Err(error) => return Err(error.into()),
        }
    }
    Err("no Ping was answered".into())
}
