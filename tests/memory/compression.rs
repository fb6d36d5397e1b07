//! What compression costs: with context takeover one compressor and one decompressor for each
//! connection, without it nothing between two messages, and while a bomb is inflated no more than the
//! limit.

use bytes::Buf;
use sansocket::extension::{
    AgreedDeflate, ContextTakeover, Deflate, DeflateParameters, SenderParameters, WindowBits,
};
use sansocket::frame::{FrameHeader, MaskingKey, Opcode, Rsv};
use sansocket::{Config, Connection, Delivery, Event, Message, ProtocolError, Role};

use crate::{Measured, ROLES, assert_is_kept_in_little};

fn agreed(context_takeover: ContextTakeover) -> AgreedDeflate {
    let sender = SenderParameters { context_takeover, max_window_bits: None };
    Deflate::default().agree(DeflateParameters { server: sender, client: sender })
}

fn compressing(role: Role, config: Config, agreed: &AgreedDeflate) -> Measured {
    let Measured { connection, heap } = Measured::new(role, config);
    Measured { connection: connection.with_deflate(agreed), heap }
}

fn text() -> String {
    "compressible, ".repeat(100)
}

/// A compressed message, as this end sends it.
fn message(sender: Role, agreed: &AgreedDeflate, payload: &[u8]) -> Vec<u8> {
    let mut connection = compressing(sender, Config::default(), agreed).connection;
    connection.send(payload).unwrap();
    take(&mut connection)
}

/// What is outgoing.
fn take(connection: &mut Connection) -> Vec<u8> {
    let outgoing = connection.outgoing();
    outgoing.copy_to_bytes(outgoing.remaining()).to_vec()
}

#[test]
fn without_takeover_an_idle_connection_keeps_nothing() {
    let agreed = agreed(ContextTakeover::No);
    for role in ROLES {
        let mut incoming = message(role.peer(), &agreed, text().as_bytes());
        // The very first connection fills the pool.
        let mut first = compressing(role, Config::default(), &agreed);
        first.receive(&mut incoming.clone());
        first.act(|connection| connection.send(text()).unwrap());

        let mut measured = compressing(role, Config::default(), &agreed);
        assert_eq!(measured.heap, 0, "new");
        measured.receive(&mut incoming);
        measured.act(|connection| connection.send(text()).unwrap());
        measured.act(|connection| {
            connection.fragments().write(text()).unwrap();
            connection.fragments().finish(text()).unwrap();
        });
        measured.drain();
        assert_eq!(measured.heap, 0, "after messages");
    }
}

#[test]
fn what_is_short_takes_little_where_it_is_kept() {
    let agreed = agreed(ContextTakeover::No);
    for role in ROLES {
        for payload in [Message::from("x"), Message::from(b"x")] {
            let mut sender = compressing(role.peer(), Config::default(), &agreed).connection;
            sender.fragments().write(payload.clone()).unwrap();
            let first = take(&mut sender);
            sender.fragments().finish(payload.clone()).unwrap();
            let whole = [first.clone(), take(&mut sender)].concat();
            let mut receiver = compressing(role, Config::default(), &agreed).connection;
            assert_is_kept_in_little(&mut receiver, &whole);

            // And in pieces, of a message that has no end.
            let config = Config::default().delivery(Delivery::Chunks);
            let mut receiver = compressing(role, config, &agreed).connection;
            receiver.next_event(&mut &mut first.clone()[..]).unwrap();
            sender.fragments().write(payload.clone()).unwrap();
            drop(take(&mut sender));
            sender.fragments().write(payload).unwrap();
            assert_is_kept_in_little(&mut receiver, &take(&mut sender));
        }
    }
}

#[test]
fn what_waits_compressed_takes_little_more_than_its_length() {
    let agreed = agreed(ContextTakeover::No);
    let zeros = vec![0; 8 << 20];
    for role in ROLES {
        let mut measured = compressing(role, Config::default(), &agreed);
        measured.act(|connection| connection.send(&zeros[..]).unwrap());
        measured.drain();
        let before = measured.heap;
        for _ in 0..4 {
            measured.act(|connection| connection.send(&zeros[..]).unwrap());
            measured.act(|connection| connection.fragments().write(&zeros[..]).unwrap());
            measured.act(|connection| connection.fragments().finish(&zeros[..]).unwrap());
        }
        let waiting = i64::try_from(measured.connection.outgoing().remaining()).unwrap();
        let kept = measured.heap - before;
        assert!(kept <= 2 * waiting + 4096, "{kept} bytes for {waiting}");
    }
}

#[test]
fn with_takeover_a_connection_keeps_what_the_readme_says() {
    // Window bits and memory level; KiB to send, and KiB to receive from a peer of the same kind.
    for (bits, memory_level, to_send, to_receive) in
        [(15, 8, 372, 94), (12, 5, 162, 53), (9, 1, 135, 48)]
    {
        let sender = SenderParameters {
            context_takeover: ContextTakeover::Yes,
            max_window_bits: WindowBits::new(bits),
        };
        let deflate = Deflate::default().memory_level(memory_level);
        let agreed = deflate.agree(DeflateParameters { server: sender, client: sender });
        for role in ROLES {
            let mut measured = compressing(role, Config::default(), &agreed);
            assert_eq!(measured.heap, 0, "before the first message");
            measured.act(|connection| connection.send(text()).unwrap());
            measured.drain();
            assert_eq!((measured.heap + 1023) / 1024, to_send, "{bits} bits to send");
            let before = measured.heap;
            for _ in 0..40 {
                measured.receive(&mut message(role.peer(), &agreed, &[7; 3000]));
            }
            assert_eq!(
                (measured.heap - before + 1023) / 1024,
                to_receive,
                "{bits} bits to receive"
            );
        }
    }
}

#[test]
fn a_bomb_stops_at_the_limit_with_no_more_memory_than_that() {
    // A megabyte that would become a gigabyte: a block of a mebibyte, again and again.
    const LIMIT: u64 = 4 << 20;
    let agreed = agreed(ContextTakeover::No);
    for role in ROLES {
        let inflated = vec![b'a'; 1 << 20];
        let mut block = message(role.peer(), &agreed, &inflated);
        let (header, size) = FrameHeader::decode(&block).unwrap().unwrap();
        let block = block.get_mut(size..).unwrap();
        if let Some(key) = header.mask {
            key.apply(block);
        }
        let payload = [&*block, b"\x00\x00\xff\xff"].concat().repeat(1024);
        assert!(payload.len() > 1_000_000);
        for delivery in [Delivery::Messages, Delivery::Chunks] {
            let mut bytes = frame(role.peer(), &payload);
            let config = Config::default().max_message_size(LIMIT).delivery(delivery);
            let mut measured = compressing(role, config, &agreed);
            let mut error = None;
            let info = allocation_counter::measure(|| {
                let mut input = &mut bytes[..];
                error = loop {
                    match measured.connection.next_event(&mut input) {
                        Ok(Some(Event::Chunk(_))) => {}
                        Ok(_) => break None,
                        Err(error) => break Some(error),
                    }
                };
            });
            assert_eq!(
                error,
                Some(ProtocolError::MessageTooLarge { size: LIMIT + 1, limit: LIMIT })
            );
            // While a message grows, it has its old and its new storage.
            let limit = match delivery {
                Delivery::Messages => 2 * LIMIT + 200_000,
                Delivery::Chunks => 200_000,
            };
            assert!(info.bytes_max <= limit, "{} in {delivery:?}", info.bytes_max);
        }
    }
}

/// In fragments of one byte, each followed by an empty one.
#[test]
fn compressed_fragments_cost_what_comes_out_of_them() {
    // A decompressor with its window, and the least that a message costs.
    const CONSTANT: i64 = 128 * 1024;
    let agreed = agreed(ContextTakeover::No);
    // Bytes in which there is little to refer back to.
    let mut state = 1_u32;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0] & 0x3F
    });
    let noise: Vec<_> = noise.take(20_000).collect();
    for role in ROLES {
        let mut bytes = message(role.peer(), &agreed, &noise);
        let (header, size) = FrameHeader::decode(&bytes).unwrap().unwrap();
        let payload = bytes.get_mut(size..).unwrap();
        if let Some(key) = header.mask {
            key.apply(payload);
        }
        for delivery in [Delivery::Messages, Delivery::Chunks] {
            let config = Config::default().delivery(delivery);
            let mut measured = compressing(role, config, &agreed);
            let (mut received, last) = (0, payload.len() - 1);
            for (at, byte) in payload.iter().enumerate() {
                let opcode = if at == 0 { Opcode::Binary } else { Opcode::Continuation };
                let mut fragments = fragment(role.peer(), false, opcode, &[*byte]);
                let end = fragment(role.peer(), at == last, Opcode::Continuation, &[]);
                fragments.extend(end);
                measured.receive(&mut fragments);
                received += 1;
                let limit = CONSTANT + 2 * received;
                assert!(measured.heap <= limit, "{} for {received} bytes", measured.heap);
            }
        }
    }
}

#[test]
fn a_compressed_frame_that_announces_2_to_the_63_costs_nothing() {
    for role in ROLES {
        for delivery in [Delivery::Messages, Delivery::Chunks] {
            let config = Config::default().max_frame_size(u64::MAX).delivery(delivery);
            let mut measured = compressing(role, config, &agreed(ContextTakeover::Yes));
            let mask = (role == Role::Server).then_some(MaskingKey::new([1, 2, 3, 4]));
            let payload_len = (1 << 63) - 1;
            let header = FrameHeader {
                fin: true,
                rsv: Rsv::RSV1,
                opcode: Opcode::Binary,
                mask,
                payload_len,
            };
            measured.receive(&mut header.encode().as_ref().to_vec());
            assert!(measured.heap <= 128 * 1024, "{} bytes", measured.heap);
        }
    }
}

/// A fragment of a compressed message: a first one has RSV1.
fn fragment(sender: Role, fin: bool, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mask = (sender == Role::Client).then_some(MaskingKey::new([1, 2, 3, 4]));
    let rsv = if opcode == Opcode::Continuation { Rsv::NONE } else { Rsv::RSV1 };
    let header = FrameHeader { fin, rsv, opcode, mask, payload_len: payload.len() as u64 };
    let mut bytes = header.encode().as_ref().to_vec();
    match mask {
        Some(key) => key.append(payload, &mut bytes),
        None => bytes.extend_from_slice(payload),
    }
    bytes
}

fn frame(sender: Role, payload: &[u8]) -> Vec<u8> {
    fragment(sender, true, Opcode::Binary, payload)
}
