//! Frames as a peer sends them, and what a connection makes of them.

use bytes::Buf;
use sansocket::extension::{
    AgreedDeflate, ContextTakeover, Deflate, DeflateParameters, SenderParameters, WindowBits,
};
use sansocket::frame::{FrameHeader, MaskingKey, Opcode, Rsv};
use sansocket::{Config, Connection, Event, Message, MessageKind, ProtocolError, Role};

pub(crate) const ROLES: [Role; 2] = [Role::Client, Role::Server];

/// "Hello" as section 7.2.3.1 compresses it.
pub(crate) const HELLO: &[u8] = b"\xf2\x48\xcd\xc9\xc9\x07\x00";

pub(crate) const TAKEOVER: SenderParameters =
    SenderParameters { context_takeover: ContextTakeover::Yes, max_window_bits: None };
pub(crate) const NO_TAKEOVER: SenderParameters =
    SenderParameters { context_takeover: ContextTakeover::No, max_window_bits: None };

/// Every way in which one end may compress.
pub(crate) fn every_sender() -> impl Iterator<Item = SenderParameters> + Clone {
    [ContextTakeover::Yes, ContextTakeover::No].into_iter().flat_map(|context_takeover| {
        (8..=15)
            .map(WindowBits::new)
            .chain([None])
            .map(move |max_window_bits| SenderParameters { context_takeover, max_window_bits })
    })
}

/// The same parameters in both directions.
pub(crate) fn both(sender: SenderParameters) -> DeflateParameters {
    DeflateParameters { server: sender, client: sender }
}

/// Compresses everything.
pub(crate) fn agreed(sender: SenderParameters) -> AgreedDeflate {
    Deflate::default().threshold(0).agree(both(sender))
}

pub(crate) fn connection(role: Role, config: Config, sender: SenderParameters) -> Connection {
    Connection::new(role, config).with_deflate(&agreed(sender))
}

/// One frame of a sender.
pub(crate) fn frame(sender: Role, first_byte: u8, payload: &[u8]) -> Vec<u8> {
    let mask = (sender == Role::Client).then(|| MaskingKey::new([0x37, 0xFA, 0x21, 0x3D]));
    let header = FrameHeader {
        fin: first_byte & 0x80 != 0,
        rsv: Rsv::from_first_byte(first_byte),
        opcode: Opcode::from_bits(first_byte & 0x0F).expect("a known opcode"),
        mask,
        payload_len: payload.len() as u64,
    };
    let mut frame = header.encode().as_ref().to_vec();
    match mask {
        Some(key) => key.append(payload, &mut frame),
        None => frame.extend_from_slice(payload),
    }
    frame
}

/// The frames that wait to be sent: first byte and payload.
pub(crate) fn sent(connection: &mut Connection) -> Vec<(u8, Vec<u8>)> {
    let outgoing = connection.outgoing();
    let bytes = outgoing.copy_to_bytes(outgoing.remaining());
    let mut bytes = &bytes[..];
    let mut frames = Vec::new();
    while let Some((header, size)) = FrameHeader::decode(bytes).expect("what was sent is valid") {
        let end = size + usize::try_from(header.payload_len).expect("it is in memory");
        let mut payload = bytes[size..end].to_vec();
        if let Some(key) = header.mask {
            key.apply(&mut payload);
        }
        frames.push((bytes[0], payload));
        bytes = &bytes[end..];
    }
    assert!(bytes.is_empty(), "only whole frames are sent");
    frames
}

pub(crate) fn take_outgoing(connection: &mut Connection) -> Vec<u8> {
    let outgoing = connection.outgoing();
    outgoing.copy_to_bytes(outgoing.remaining()).to_vec()
}

/// The messages, joined from their chunks, and how it ended.
pub(crate) type Received = (Vec<Message<'static>>, Option<ProtocolError>);

/// Gives the connection the bytes in reads of this size.
pub(crate) fn receive(connection: &mut Connection, bytes: &[u8], read: usize) -> Received {
    let mut messages = Vec::new();
    let mut open: Option<(MessageKind, Vec<u8>)> = None;
    for read in bytes.to_vec().chunks_mut(read.max(1)) {
        let mut input = read;
        loop {
            match connection.next_event(&mut input) {
                Ok(Some(Event::Message(message))) => messages.push(message.into_owned()),
                Ok(Some(Event::Chunk(chunk))) => {
                    assert_eq!(chunk.first, open.is_none());
                    assert!(chunk.last || !chunk.piece.is_empty());
                    let (kind, bytes) =
                        open.get_or_insert_with(|| (chunk.piece.kind(), Vec::new()));
                    assert_eq!(*kind, chunk.piece.kind());
                    bytes.extend_from_slice(chunk.piece.as_bytes());
                    if chunk.last {
                        let (kind, bytes) = open.take().expect("it was just there");
                        messages.push(match kind {
                            MessageKind::Text => String::from_utf8(bytes).expect("text").into(),
                            MessageKind::Binary => bytes.into(),
                        });
                    }
                }
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(error) => return (messages, Some(error)),
            }
        }
        assert!(input.is_empty(), "nothing is left to carry over");
    }
    (messages, None)
}

/// What becomes of bytes on a fresh connection, which has to be the same however they are cut and
/// however messages are delivered.
pub(crate) fn received(
    role: Role,
    config: Config,
    sender: SenderParameters,
    bytes: &[u8],
) -> Received {
    let whole = receive(&mut connection(role, config, sender), bytes, bytes.len());
    for delivery in [sansocket::Delivery::Messages, sansocket::Delivery::Chunks] {
        let smallest = if cfg!(miri) { 1 } else { 24 };
        for read in (1..=bytes.len().min(smallest)).chain([bytes.len()]) {
            let mut connection = connection(role, config.delivery(delivery), sender);
            let cut = receive(&mut connection, bytes, read);
            assert_eq!(cut, whole, "{delivery:?} in reads of {read}: {bytes:x?}");
        }
    }
    whole
}

/// What each end makes of the frames of its peer, written with the role of the sender.
pub(crate) fn each_role(
    frames: impl Fn(Role) -> Vec<Vec<u8>>,
    sender: SenderParameters,
    expected: &Received,
) {
    for role in ROLES {
        let bytes = frames(role.peer()).concat();
        assert_eq!(&received(role, Config::default(), sender, &bytes), expected, "{role:?}");
    }
}

pub(crate) fn hello(count: usize) -> Received {
    (vec![Message::from("Hello"); count], None)
}
