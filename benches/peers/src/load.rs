//! The load: connections that keep messages in flight, and know nothing about WebSocket except how long
//! a reply is.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};

use crate::cells::Cell;
use crate::process::Process;
use crate::wire::REQUEST;

/// Nothing here should take this long. A server that does is given up on.
const PATIENCE: Duration = Duration::from_secs(10);

/// The size of the largest read or write.
const BUFFER: usize = 256 * 1024;

/// How many replies, at least, each connection gets in a run on average, however long they are. If fifty
/// long messages arrive side by side, nothing is answered for a while and then everything: a run should
/// see both.
const CYCLES: usize = 3;

/// What one run found.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// Processor time of the server for each message, in nanoseconds.
    pub processor: f64,
    /// Time that passes for each message, in nanoseconds.
    pub elapsed: f64,
}

/// What comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaks {
    WebSocket,
    /// The bytes that were sent come back.
    Raw,
}

/// Runs a cell against a server for about this long.
pub fn run(
    process: &Process,
    speaks: Speaks,
    cell: &Cell,
    duration: Duration,
) -> io::Result<Measured> {
    let request = cell.request();
    let reply = match speaks {
        Speaks::WebSocket => cell.reply(),
        Speaks::Raw => request.clone(),
    };
    let mut load = Load::connect(process.port, speaks, cell, &request, reply.len())?;
    load.check(&reply)?;
    load.run_for(duration / 4, 1)?;

    let (started, before, first) = (Instant::now(), process.processor_time()?, load.received());
    load.run_for(duration, CYCLES)?;
    let (elapsed, after, last) = (started.elapsed(), process.processor_time()?, load.received());
    let messages = (last - first) as f64 / reply.len() as f64;
    Ok(Measured {
        processor: after.saturating_sub(before).as_nanos() as f64 / messages,
        elapsed: elapsed.as_nanos() as f64 / messages,
    })
}

struct Load {
    poll: Poll,
    events: Events,
    peers: Vec<Peer>,
    shape: Shape,
    buffer: Vec<u8>,
}

struct Shape {
    /// The request, repeated so that one write has many.
    requests: Vec<u8>,
    request: usize,
    reply: usize,
}

struct Peer {
    stream: mio::net::TcpStream,
    sent: u64,
    /// Where in the requests it continues.
    at: usize,
    received: u64,
    /// How many bytes may be sent in total until there are more replies.
    allowed: u64,
    /// How many messages are in flight, sent or about to be.
    depth: u64,
}

impl Load {
    fn connect(
        port: u16,
        speaks: Speaks,
        cell: &Cell,
        request: &[u8],
        reply: usize,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut peers = Vec::new();
        for index in 0..cell.connections {
            let mut stream = open(port, speaks)?;
            poll.registry().register(
                &mut stream,
                Token(index),
                Interest::READABLE | Interest::WRITABLE,
            )?;
            let depth = cell.depth as u64;
            peers.push(Peer {
                stream,
                sent: 0,
                at: 0,
                received: 0,
                allowed: depth * request.len() as u64,
                depth,
            });
        }
        let requests = request.repeat((BUFFER / request.len()).clamp(1, cell.depth));
        let shape = Shape { requests, request: request.len(), reply };
        Ok(Self {
            poll,
            events: Events::with_capacity(1024),
            peers,
            shape,
            buffer: vec![0; BUFFER],
        })
    }

    /// Has the first reply of each connection looked at to the byte.
    fn check(&mut self, reply: &[u8]) -> io::Result<()> {
        for peer in &mut self.peers {
            let mut first = Vec::with_capacity(reply.len());
            let deadline = Instant::now() + PATIENCE;
            while first.len() < reply.len() {
                peer.write(&self.shape)?;
                let most = (reply.len() - first.len()).min(BUFFER);
                match peer.stream.read(&mut self.buffer[..most]) {
                    Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                    Ok(count) => first.extend_from_slice(&self.buffer[..count]),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::yield_now(),
                    Err(error) => return Err(error),
                }
                if Instant::now() > deadline {
                    return Err(ErrorKind::TimedOut.into());
                }
            }
            if first != reply {
                return Err(io::Error::other("the reply is another than was expected"));
            }
            peer.receive(reply.len(), &self.shape);
        }
        Ok(())
    }

    /// Runs for at least this long, and until each connection has had this many replies on average.
    fn run_for(&mut self, duration: Duration, replies: usize) -> io::Result<()> {
        let started = Instant::now();
        let enough = self.received() + (replies * self.peers.len() * self.shape.reply) as u64;
        // Anything that a run left unread has already raised its event.
        for peer in &mut self.peers {
            peer.turn(&mut self.buffer, &self.shape)?;
        }
        loop {
            // Never sleeps: waking this thread would be charged to the server, on a virtual machine at
            // several times what its part of the echo costs, and each batch would wait for it.
            self.poll.poll(&mut self.events, Some(Duration::ZERO))?;
            for event in &self.events {
                self.peers[event.token().0].turn(&mut self.buffer, &self.shape)?;
            }
            let elapsed = started.elapsed();
            if elapsed >= duration && self.received() >= enough {
                return Ok(());
            }
            if elapsed > duration + PATIENCE {
                return Err(ErrorKind::TimedOut.into());
            }
        }
    }

    fn received(&self) -> u64 {
        self.peers.iter().map(|peer| peer.received).sum()
    }
}

impl Peer {
    /// Reads once and writes what may be sent then; repeats that while reads fill the buffer.
    fn turn(&mut self, buffer: &mut [u8], shape: &Shape) -> io::Result<()> {
        loop {
            let count = match self.stream.read(buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
                Err(error) => return Err(error),
            };
            self.receive(count, shape);
            self.write(shape)?;
            if count < buffer.len() {
                return Ok(());
            }
        }
    }

    fn receive(&mut self, count: usize, shape: &Shape) {
        self.received += count as u64;
        let replies = self.received / shape.reply as u64;
        self.allowed = (replies + self.depth) * shape.request as u64;
    }

    fn write(&mut self, shape: &Shape) -> io::Result<()> {
        while self.sent < self.allowed {
            let rest = &shape.requests[self.at..];
            let most = usize::try_from(self.allowed - self.sent).unwrap_or(usize::MAX);
            match self.stream.write(&rest[..most.min(rest.len())]) {
                Ok(count) => {
                    self.sent += count as u64;
                    self.at = (self.at + count) % shape.requests.len();
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Opens a connection, including its opening handshake.
fn open(port: u16, speaks: Speaks) -> io::Result<mio::net::TcpStream> {
    let stream = connect(port, speaks)?;
    stream.set_nonblocking(true)?;
    Ok(mio::net::TcpStream::from_std(stream))
}

/// Does the same, but with blocking calls.
pub fn connect(port: u16, speaks: Speaks) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    if speaks == Speaks::WebSocket {
        stream.write_all(REQUEST)?;
        let mut response = Vec::new();
        let mut byte = [0];
        while !response.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte)?;
            response.push(byte[0]);
        }
        if !response.starts_with(b"HTTP/1.1 101 ") {
            return Err(io::Error::other("the server has refused the handshake"));
        }
    }
    Ok(stream)
}
