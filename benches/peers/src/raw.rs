//! The yardstick: servers that read bytes and write them back, at most 64 KiB at a time, without knowing
//! anything about WebSocket.

use std::io::{self, ErrorKind, Read, Write};
use std::thread;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Registry, Token};
use slab::Slab;

use crate::servers::listen;

const BUFFER: usize = 64 * 1024;
const LISTENER: Token = Token(usize::MAX);

/// Serves with a thread for each connection.
pub fn serve_blocking() -> io::Result<()> {
    for stream in listen()?.incoming() {
        let mut stream = stream?;
        stream.set_nodelay(true)?;
        thread::spawn(move || -> io::Result<()> {
            let mut buffer = vec![0; BUFFER];
            loop {
                match stream.read(&mut buffer)? {
                    0 => return Ok(()),
                    count => stream.write_all(&buffer[..count])?,
                }
            }
        });
    }
    Ok(())
}

/// Serves with one thread for all connections.
pub fn serve() -> io::Result<()> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(1024);
    let listener = listen()?;
    listener.set_nonblocking(true)?;
    let mut listener = TcpListener::from_std(listener);
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut buffer = vec![0; BUFFER];
    let mut peers: Slab<Peer> = Slab::new();
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            let Token(key) = event.token();
            if event.token() == LISTENER {
                while let Ok((mut stream, _)) = listener.accept() {
                    stream.set_nodelay(true)?;
                    let entry = peers.vacant_entry();
                    let token = Token(entry.key());
                    poll.registry().register(&mut stream, token, Interest::READABLE)?;
                    entry.insert(Peer { stream, left: Vec::new() });
                }
            } else if let Some(peer) = peers.get_mut(key) {
                let closed = event.is_read_closed();
                if peer.echo(&mut buffer, closed, poll.registry(), event.token()).is_err() {
                    peers.remove(key);
                }
            }
        }
    }
}

struct Peer {
    stream: TcpStream,
    /// What the socket had no room for; nothing is read until it does.
    left: Vec<u8>,
}

impl Peer {
    fn echo(
        &mut self,
        buffer: &mut [u8],
        closed: bool,
        registry: &Registry,
        token: Token,
    ) -> io::Result<()> {
        if !self.left.is_empty() {
            let left = std::mem::take(&mut self.left);
            if !self.write(&left, registry, token)? {
                return Ok(());
            }
            registry.reregister(&mut self.stream, token, Interest::READABLE)?;
        }
        loop {
            let count = match self.stream.read(buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            let all = self.write(&buffer[..count], registry, token)?;
            if !all || (count < buffer.len() && !closed) {
                return Ok(());
            }
        }
    }

    /// Writes, and returns whether there was room for all of it.
    fn write(&mut self, mut bytes: &[u8], registry: &Registry, token: Token) -> io::Result<bool> {
        while !bytes.is_empty() {
            match self.stream.write(bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.left = bytes.to_vec();
                    let both = Interest::READABLE | Interest::WRITABLE;
                    registry.reregister(&mut self.stream, token, both)?;
                    return Ok(false);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}
