//! What the properties are tried on.

use std::ops::Range;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use sansocket::{CloseCode, Delivery, MessageKind, Role};

#[cfg(feature = "deflate")]
use crate::compressed;
use crate::laws::reference::{BINARY, CLOSE, CONTINUATION, Frame, PING, PONG, TEXT};
use crate::laws::script::pieces;
use crate::laws::setup::Setup;

pub(crate) fn role() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::Client), Just(Role::Server)]
}

pub(crate) fn kind() -> impl Strategy<Value = MessageKind> {
    prop_oneof![Just(MessageKind::Text), Just(MessageKind::Binary)]
}

/// Any role and delivery, with limits that are rarely exceeded, and often with compression if it is there.
pub(crate) fn setup() -> impl Strategy<Value = Setup> {
    let delivery = prop_oneof![Just(Delivery::Messages), Just(Delivery::Chunks)];
    let plain =
        (role(), delivery, limit(), limit()).prop_map(|(role, delivery, frame, message)| Setup {
            delivery,
            max_frame_size: frame,
            max_message_size: message,
            ..Setup::new(role)
        });
    #[cfg(feature = "deflate")]
    return (plain, option::weighted(0.4, compressed::parameters()))
        .prop_map(|(plain, deflate)| Setup { deflate, ..plain });
    #[cfg(not(feature = "deflate"))]
    plain
}

fn limit() -> impl Strategy<Value = u64> {
    prop_oneof![4 => Just(1 << 20), 1 => 0..300_u64, 1 => Just(u64::MAX)]
}

/// Sizes of pieces to cut something into.
pub(crate) fn sizes() -> impl Strategy<Value = Vec<usize>> {
    vec(prop_oneof![1..8_usize, 1..200_usize], 0..6)
}

/// Sizes of payloads, most of them small, including all forms of the length.
pub(crate) fn payload_size() -> impl Strategy<Value = usize> {
    let edge = |edge: usize| edge - 2..edge + 2;
    prop_oneof![
        20 => 0..40_usize,
        2 => edge(126),
        2 => 0..5000_usize,
        1 => edge(4096),
        1 => edge(65_536),
    ]
}

/// Bytes that are rarely UTF-8, but mostly begin like it.
pub(crate) fn nearly_utf8() -> impl Strategy<Value = Vec<u8>> {
    let text = vec(character(), 0..20).prop_map(|text| String::from_iter(text).into_bytes());
    (text, option::of((any::<prop::sample::Index>(), any::<u8>()))).prop_map(|(text, spoiled)| {
        let mut bytes = text;
        if let (Some((index, byte)), false) = (spoiled, bytes.is_empty()) {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        bytes
    })
}

/// Characters of each length, most of them at the edges.
fn character() -> impl Strategy<Value = char> {
    let edges = "\0a\u{7F}\u{80}\u{7FF}\u{800}\u{D7FF}\u{E000}\u{FFFF}\u{10000}\u{10FFFF}";
    let edges: Vec<_> = edges.chars().collect();
    prop_oneof![any::<char>(), prop::sample::select(edges)]
}

/// A whole message in one frame or in several, with control frames after some of them.
fn message() -> impl Strategy<Value = Vec<Frame>> {
    let between = vec(option::weighted(0.2, control()), 8);
    (text_or_binary(), sizes(), between).prop_map(|((opcode, payload), sizes, between)| {
        let mut between = between.into_iter().cycle();
        let mut frames = Vec::new();
        for fragment in fragments(opcode, &payload, &sizes) {
            frames.push(fragment);
            frames.extend(between.next().flatten());
        }
        frames
    })
}

/// The frames of a message in fragments of these sizes.
pub(crate) fn fragments(opcode: u8, payload: &[u8], sizes: &[usize]) -> Vec<Frame> {
    let mut fragments = pieces(payload, sizes);
    if fragments.is_empty() {
        fragments.push(&[]);
    }
    let last = fragments.len() - 1;
    let frame = |(index, payload): (usize, &[u8])| Frame {
        fin: index == last,
        opcode: if index == 0 { opcode } else { CONTINUATION },
        payload: payload.to_vec(),
    };
    fragments.into_iter().enumerate().map(frame).collect()
}

pub(crate) fn text_or_binary() -> impl Strategy<Value = (u8, Vec<u8>)> {
    let text =
        vec(character(), 0..60).prop_map(|text| (TEXT, String::from_iter(text).into_bytes()));
    let binary = (payload_size(), any::<u8>())
        .prop_map(|(size, first)| (BINARY, (first..=255).cycle().take(size).collect()));
    prop_oneof![text, binary]
}

fn control() -> impl Strategy<Value = Frame> {
    let opcode = prop_oneof![Just(PING), Just(PONG)];
    (opcode, vec(any::<u8>(), 0..126)).prop_map(|(opcode, payload)| Frame::whole(opcode, payload))
}

fn close() -> impl Strategy<Value = Frame> {
    let body = (any::<u16>(), vec(character(), 0..20)).prop_map(|(number, reason)| {
        let code = CloseCode::new(number).map_or(1000, CloseCode::get);
        [&code.to_be_bytes(), String::from_iter(reason).as_bytes()].concat()
    });
    option::of(body).prop_map(|body| Frame::whole(CLOSE, body.unwrap_or_default()))
}

/// Frames as a peer that keeps to the protocol sends them, with or without a Close frame at the end.
pub(crate) fn conversation() -> impl Strategy<Value = Vec<Frame>> {
    (vec(message(), 0..5), option::of(close())).prop_map(|(messages, close)| {
        let mut frames = messages.concat();
        frames.extend(close);
        frames
    })
}

/// What comes in on a connection of this role when its peer sends these frames.
pub(crate) fn input(frames: &[Frame], role: Role) -> Vec<u8> {
    frames.iter().flat_map(|frame| frame.encode(role.peer())).collect()
}

/// Something that goes wrong in a conversation.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// A byte becomes this one.
    Byte(prop::sample::Index, u8),
    /// A frame is missing.
    Lost(prop::sample::Index),
    /// A frame comes again, elsewhere.
    Misplaced(prop::sample::Index, prop::sample::Index),
    /// A frame has this for its first byte and this for its payload.
    Odd(prop::sample::Index, u8, Vec<u8>),
    /// These bytes follow.
    Garbage(Vec<u8>),
}

impl Fault {
    pub(crate) fn any() -> impl Strategy<Value = Self> {
        let payload = prop_oneof![nearly_utf8(), vec(any::<u8>(), 0..130)];
        let index = any::<prop::sample::Index>;
        prop_oneof![
            3 => (index(), any::<u8>()).prop_map(|(index, byte)| Self::Byte(index, byte)),
            1 => index().prop_map(Self::Lost),
            1 => (index(), index()).prop_map(|(from, to)| Self::Misplaced(from, to)),
            3 => (index(), any::<u8>(), payload)
                .prop_map(|(index, first, payload)| Self::Odd(index, first, payload)),
            1 => vec(any::<u8>(), 1..20).prop_map(Self::Garbage),
        ]
    }

    /// What comes in when the fault has happened.
    pub(crate) fn input(&self, mut frames: Vec<Frame>, role: Role) -> Vec<u8> {
        let count = frames.len();
        match self {
            Self::Lost(index) if count > 0 => {
                frames.remove(index.index(count));
            }
            Self::Misplaced(from, to) if count > 0 => {
                let frame = frames[from.index(count)].clone();
                frames.insert(to.index(count), frame);
            }
            Self::Odd(index, first, payload) => {
                let (fin, opcode, payload) = (first & 0x80 != 0, first & 0x7F, payload.clone());
                frames.insert(index.index(count + 1), Frame { fin, opcode, payload });
            }
            _ => {}
        }
        let mut bytes = input(&frames, role);
        match self {
            Self::Byte(index, byte) if !bytes.is_empty() => {
                let index = index.index(bytes.len());
                bytes[index] = *byte;
            }
            Self::Garbage(garbage) => bytes.extend(garbage),
            _ => {}
        }
        bytes
    }
}

/// How many operations.
pub(crate) const OPERATIONS: Range<usize> = 0..40;
