//! Two threads and more on one connection.

use std::thread;

use sansocket::blocking::Server;
use sansocket::{CloseCode, Message};

use crate::bounded::bounded;
use crate::loopback::pair;

#[test]
fn every_message_of_every_writer_arrives_whole_and_in_its_order() {
    bounded(|| {
        let (client, server) = pair(Server::new(), |client| client);
        let (mut echo, _writer) = server.split().unwrap();
        let serving = thread::spawn(move || echo.serve(|message, outbox| outbox.send(message)));

        let (mut reader, writer) = client.split().unwrap();
        let writers: Vec<_> = (0..4_u8)
            .map(|number| {
                let writer = writer.clone();
                thread::spawn(move || {
                    for index in 0..2000_u32 {
                        let mut message = vec![number; length(index)];
                        message[4..8].copy_from_slice(&index.to_be_bytes());
                        writer.send(message).unwrap();
                        if index % 100 == 0 {
                            writer.ping(b"hello").unwrap();
                        }
                    }
                })
            })
            .collect();
        let mut next = [0_u32; 4];
        for _ in 0..8000 {
            let message = reader.read().unwrap().unwrap();
            let Message::Binary(bytes) = message else { panic!() };
            let number = usize::from(bytes[0]);
            let index = u32::from_be_bytes(bytes[4..8].try_into().unwrap());
            assert_eq!(index, next[number]);
            assert_eq!(bytes.len(), length(index));
            next[number] += 1;
        }
        for writer in writers {
            writer.join().unwrap();
        }
        writer.close(CloseCode::NORMAL, "done").unwrap();
        assert_eq!(reader.read().unwrap(), None);
        serving.join().unwrap().unwrap();
    });
}

fn length(index: u32) -> usize {
    usize::try_from(index % 3000).unwrap() + 8
}
