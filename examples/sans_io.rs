//! The core driven by hand over a `TcpStream`, on both ends, without the blocking adapter: what to do
//! with a transport that is not one of `std`'s.
//!
//!     cargo run --example sans_io
//!
//! The core takes bytes and holds bytes. All reading, writing and waiting is done here.
#![expect(clippy::disallowed_types, reason = "a program does the I/O that the core leaves to it")]

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use sansocket::bytes::Buf;
use sansocket::handshake::{
    Answer, ClientHandshake, ClientRequest, Decision, Outcome, Refusal, ServerHandshake, negotiate,
};
use sansocket::{CloseCode, CloseFrame, Config, Connection, Event, Message, SendError, Transport};

/// How long a peer that has to close the connection may be silent, and how much it may still send.
const GRACE: Duration = Duration::from_secs(5);
const MOST: u64 = 1 << 20;

type BoxedError = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), BoxedError> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let server = thread::spawn(move || server(&listener));
    client(address)?;
    server.join().map_err(|_| "the server panicked")?
}

fn client(address: SocketAddr) -> Result<(), BoxedError> {
    let mut stream = TcpStream::connect(address)?;
    let mut buffer = [0; 4096];

    let request = ClientRequest::new(format!("ws://{address}/").parse()?);
    let mut handshake = ClientHandshake::new(&request);
    write(&mut stream, handshake.outgoing())?;
    let (established, input) = loop {
        let mut input = read(&mut stream, &mut buffer)?;
        if input.is_empty() {
            return Err(handshake.receive_eof().into());
        }
        match handshake.receive(&mut input)? {
            // What follows the response is the first input of the connection.
            Some(Outcome::Established(established)) => break (established, input),
            Some(Outcome::Rejected(rejection)) => {
                return Err(format!("the server answered {}", rejection.response().status()).into());
            }
            None => {}
        }
    };

    writeln!(io::stdout(), "client: {}", established.response().status())?;
    let mut connection = established.into_connection(Config::default());
    connection.send("an echo, please")?;
    drive("client", stream, connection, input, |_, connection| {
        connection.close(Some(CloseFrame::from(CloseCode::NORMAL)));
        Ok(())
    })
}

fn server(listener: &TcpListener) -> Result<(), BoxedError> {
    let (mut stream, _) = listener.accept()?;
    let mut buffer = [0; 4096];

    let mut handshake = ServerHandshake::default();
    let (request, input) = loop {
        let mut input = read(&mut stream, &mut buffer)?;
        if input.is_empty() {
            return Err(handshake.receive_eof().into());
        }
        match handshake.receive(&mut input) {
            Ok(Some(request)) => break (request, input),
            Ok(None) => {}
            Err(error) => return refuse(stream, error.into()),
        }
    };
    writeln!(io::stdout(), "server: {} {}", request.method(), request.uri())?;
    let mut accepted = match negotiate(&request, |_, _| Decision::accept())? {
        Answer::Accepted(accepted) => accepted,
        Answer::Refused(refusal) => return refuse(stream, refusal),
    };
    write(&mut stream, accepted.outgoing())?;

    let connection = accepted.into_connection(Config::default());
    drive("server", stream, connection, input, |message, connection| connection.send(message))
}

fn refuse(mut stream: TcpStream, mut refusal: Refusal) -> Result<(), BoxedError> {
    write(&mut stream, refusal.outgoing())?;
    stream.shutdown(Shutdown::Write)?;
    read_to_end(&mut stream)?;
    Err(format!("the server refused with {}", refusal.response().status()).into())
}

/// Drives a connection to its end. The loop is the same for both roles, whatever the transport.
fn drive(
    name: &str,
    mut stream: TcpStream,
    mut connection: Connection,
    behind_handshake: &mut [u8],
    mut on_message: impl FnMut(Message<'_>, &mut Connection) -> Result<(), SendError>,
) -> Result<(), BoxedError> {
    let mut buffer = [0; 4096];
    let mut input = behind_handshake;
    let mut stdout = io::stdout();
    loop {
        // Take every event out of what was read. What the protocol itself has to answer is already
        // answered: Pings, a Close frame, a breach of the rules.
        loop {
            match connection.next_event(&mut input) {
                Ok(Some(event)) => {
                    writeln!(stdout, "{name}: {event:?}")?;
                    if let Event::Message(message) = event {
                        on_message(message, &mut connection)?;
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    writeln!(stdout, "{name}: {error} ({})", error.section())?;
                    break;
                }
            }
        }
        // Everything that is queued goes out before a read may block.
        write(&mut stream, connection.outgoing())?;
        if connection.transport() != Transport::KeepOpen {
            break;
        }
        input = read(&mut stream, &mut buffer)?;
        if input.is_empty() {
            break;
        }
    }
    // The server closes first, and the client waits for it: section 7.1.1.
    if connection.transport() == Transport::Close {
        stream.shutdown(Shutdown::Write)?;
    }
    read_to_end(&mut stream)?;
    connection.receive_eof();

    let status = connection.close_status().ok_or("the connection has not ended")?;
    writeln!(stdout, "{name}: {status:?}")?;
    if status.is_clean() { Ok(()) } else { Err(format!("{name}: not closed cleanly").into()) }
}

/// Reads once; returns nothing at the end of the stream.
fn read<'buffer>(
    stream: &mut TcpStream,
    buffer: &'buffer mut [u8],
) -> io::Result<&'buffer mut [u8]> {
    let count = stream.read(buffer)?;
    Ok(buffer.get_mut(..count).unwrap_or_default())
}

/// Reads what is no longer needed, until the peer has closed its side too: closing with unread bytes
/// would reset the connection, and what was written last could be lost.
fn read_to_end(stream: &mut TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(GRACE))?;
    io::copy(&mut stream.take(MOST), &mut io::sink())?;
    Ok(())
}

/// Writes everything, be it the bytes of a handshake or of a connection.
fn write(stream: &mut TcpStream, outgoing: &mut impl Buf) -> io::Result<()> {
    while outgoing.has_remaining() {
        let written = outgoing.chunk().len();
        stream.write_all(outgoing.chunk())?;
        outgoing.advance(written);
    }
    Ok(())
}
