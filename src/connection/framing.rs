use alloc::vec::Vec;

use crate::connection::close_frame::CloseFrame;
use crate::connection::lent::Lent;
use crate::connection::long_frame::{self, LONG_FROM};
use crate::connection::outgoing::{Outgoing, SEGMENT};
use crate::entropy::Entropy;
use crate::frame::{EncodedHeader, FirstByte, MaskingKey, Opcode, Rsv, append_payload};
use crate::message::{MessageKind, Payload};
use crate::role::Role;

/// Queues payloads as frames of this end: with their headers, and masked if this is a client.
///
/// What the protocol owes comes here directly; what the application sends comes through
/// [`Encoding`](super::encoding::Encoding), which knows whether there is room for it and no other
/// message is open.
#[derive(Debug)]
pub(crate) struct Framing {
    sender: Role,
    /// Where the masking keys come from. A server draws none.
    entropy: Entropy,
    /// The kind of the message whose last fragment is still to come.
    open_message: Option<MessageKind>,
    outgoing: Outgoing,
}

/// Whether a fragment ends its message (§5.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fragment {
    More,
    Last,
}

impl Framing {
    pub(crate) fn new(sender: Role, entropy: Entropy) -> Self {
        Self { sender, entropy, open_message: None, outgoing: Outgoing::new() }
    }

    pub(crate) const fn role(&self) -> Role {
        self.sender
    }

    pub(crate) const fn open_message(&self) -> Option<MessageKind> {
        self.open_message
    }

    pub(crate) const fn outgoing(&self) -> &Outgoing {
        &self.outgoing
    }

    pub(crate) const fn outgoing_mut(&mut self) -> &mut Outgoing {
        &mut self.outgoing
    }

    /// Queues a frame.
    pub(crate) fn frame(&mut self, first: FirstByte, payload: Payload<'_>) {
        if payload.len() < LONG_FROM {
            return self.short_frame(first, &payload);
        }
        let (header, mask) = self.header(first, payload.len());
        long_frame::push(&mut self.outgoing, header.as_ref(), mask, payload);
    }

    /// Queues a fragment of the open message, which is of this kind, or of a new one.
    pub(crate) fn fragment(
        &mut self,
        kind: MessageKind,
        fragment: Fragment,
        rsv: Rsv,
        payload: Payload<'_>,
    ) {
        debug_assert!(
            self.open_message.is_none_or(|open| open == kind),
            "one message has one kind"
        );
        // §5.4: the first fragment has the opcode of the message, the others have none of their own.
        let opcode = self.open_message.map_or(opcode_of(kind), |_| Opcode::Continuation);
        self.frame(FirstByte::new(fragment == Fragment::Last, rsv, opcode), payload);
        self.open_message = (fragment == Fragment::More).then_some(kind);
    }

    /// Queues a frame with less than [`LONG_FROM`] bytes of payload.
    ///
    /// Never inlined into the callers that choose it, so that it gets what it needs in registers.
    #[inline(never)]
    pub(crate) fn short_frame(&mut self, first: FirstByte, payload: &[u8]) {
        match self.sender {
            Role::Server => append_frame(&mut self.outgoing, first, None, payload),
            Role::Client => self.short_masked_frame(first, payload),
        }
    }

    #[inline(never)]
    fn short_masked_frame(&mut self, first: FirstByte, payload: &[u8]) {
        let mask = Some(self.fresh_key());
        append_frame(&mut self.outgoing, first, mask, payload);
    }

    /// Whether lending a payload of this length saves a copy.
    #[inline]
    pub(crate) const fn is_worth_lending(&self, payload_len: usize) -> bool {
        let least = match self.sender {
            Role::Server => LONG_FROM,
            // §5.1: what a client sends is masked, which copies it, though not all of it at once.
            Role::Client => SEGMENT,
        };
        payload_len >= least
    }

    /// Lends a frame whose payload is written from where it lies.
    #[inline]
    pub(crate) fn lend<'m>(&'m mut self, first: FirstByte, payload: Payload<'m>) -> Lent<'m> {
        let (header, mask) = self.header(first, payload.len());
        Lent::frame(&mut self.outgoing, header, mask, payload)
    }

    /// Queues a keepalive Ping. There is one at a time, so no limit has to hold it back.
    #[cfg(feature = "std")]
    pub(crate) fn keepalive_ping(&mut self, payload: [u8; 4]) {
        let payload = Payload::from(&payload[..]);
        self.frame(FirstByte::whole(Opcode::Ping), payload);
    }

    /// Queues or defers the Pong that answers a Ping.
    #[inline]
    pub(crate) fn automatic_pong(&mut self, payload: &[u8]) {
        let header_size = match self.sender {
            Role::Server => 2,
            Role::Client => 2 + MaskingKey::SIZE,
        };
        if self.outgoing.reserve_pong(header_size + payload.len()) {
            self.short_frame(PONG, payload);
        } else {
            self.defer_pong(payload);
        }
    }

    #[inline(never)]
    fn defer_pong(&mut self, payload: &[u8]) {
        let (header, mask) = self.header(PONG, payload.len());
        let deferred = self.outgoing.deferred_pong();
        deferred.extend(header.as_ref());
        deferred.extend_masked(mask, payload);
    }

    /// Queues the Close frame, after the Pong that was waiting its turn.
    pub(crate) fn close(&mut self, frame: Option<&CloseFrame<'_>>) {
        self.outgoing.flush_deferred();
        let body = frame.map(CloseFrame::encode).unwrap_or_default();
        self.frame(FirstByte::whole(Opcode::Close), body.into());
    }

    /// Makes the header of the next frame, and the key to mask its payload with.
    #[inline(always)]
    fn header(&self, first: FirstByte, payload_len: usize) -> (EncodedHeader, Option<MaskingKey>) {
        // §5.1: a client masks every frame, a server none.
        let mask = match self.sender {
            Role::Client => Some(self.fresh_key()),
            Role::Server => None,
        };
        (EncodedHeader::new(first, mask, payload_len as u64), mask)
    }

    /// §5.3: a fresh key for every frame, which the application that supplies payloads can't predict.
    #[inline]
    fn fresh_key(&self) -> MaskingKey {
        MaskingKey::new(self.entropy.draw())
    }
}

pub(super) const fn opcode_of(kind: MessageKind) -> Opcode {
    match kind {
        MessageKind::Text => Opcode::Text,
        MessageKind::Binary => Opcode::Binary,
    }
}

const PONG: FirstByte = FirstByte::whole(Opcode::Pong);

/// Appends a frame to what is outgoing. Compiled once for masked frames and once for unmasked ones.
///
/// If there is room, nothing is called for a short payload, and no register has to be saved.
#[inline(always)]
fn append_frame(
    outgoing: &mut Outgoing,
    first: FirstByte,
    mask: Option<MaskingKey>,
    payload: &[u8],
) {
    match outgoing.tail_with_room(EncodedHeader::ROOM + payload.len()) {
        Some(tail) => append_frame_in_room(tail, first, mask, payload),
        None => append_frame_in_new_room(outgoing, first, mask, payload),
    }
}

#[inline(always)]
fn append_frame_in_room(
    tail: &mut Vec<u8>,
    first: FirstByte,
    mask: Option<MaskingKey>,
    payload: &[u8],
) {
    EncodedHeader::new(first, mask, payload.len() as u64).append_to(tail);
    append_payload(mask, payload, tail);
}

#[inline(never)]
fn append_frame_in_new_room(
    outgoing: &mut Outgoing,
    first: FirstByte,
    mask: Option<MaskingKey>,
    payload: &[u8],
) {
    let tail = outgoing.tail(EncodedHeader::ROOM + payload.len());
    append_frame_in_room(tail, first, mask, payload);
}
