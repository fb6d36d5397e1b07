use alloc::vec::Vec;

use bytes::Buf;

use crate::config::Config;
use crate::connection::close_frame::CloseFrame;
use crate::connection::control::ControlPayload;
use crate::connection::error::{SendError, UsageError};
use crate::connection::lent::Lent;
use crate::connection::long_frame::{self, LONG_FROM};
use crate::connection::outgoing::{Outgoing, SEGMENT};
use crate::connection::prepared::PreparedMessage;
use crate::entropy::Entropy;
#[cfg(feature = "deflate")]
use crate::extension::{AgreedDeflate, Deflation};
use crate::frame::{EncodedHeader, FirstByte, MaskingKey, Opcode, Rsv, append_payload};
use crate::message::{Message, MessageKind, Payload};
use crate::role::Role;

/// Turns messages into bytes.
#[derive(Debug)]
pub(crate) struct Encoding {
    sender: Role,
    /// Where the masking keys come from. A server draws none.
    entropy: Entropy,
    max_outgoing_size: usize,
    /// The kind of the fragmented message that is being sent.
    open_message: Option<MessageKind>,
    outgoing: Outgoing,
    #[cfg(feature = "deflate")]
    deflation: Deflation,
}

/// Whether a fragment ends its message (§5.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fragment {
    More,
    Last,
}

impl Encoding {
    pub(crate) fn new(sender: Role, config: &Config, entropy: Entropy) -> Self {
        Self {
            sender,
            entropy,
            max_outgoing_size: config.max_outgoing_size,
            open_message: None,
            outgoing: Outgoing::default(),
            #[cfg(feature = "deflate")]
            deflation: Deflation::default(),
        }
    }

    /// Compresses messages from now on.
    #[cfg(feature = "deflate")]
    pub(crate) fn deflate(&mut self, agreed: &AgreedDeflate) {
        self.deflation = Deflation::new(self.sender, agreed);
    }

    pub(crate) const fn role(&self) -> Role {
        self.sender
    }

    pub(crate) const fn outgoing(&self) -> &Outgoing {
        &self.outgoing
    }

    pub(crate) const fn outgoing_mut(&mut self) -> &mut Outgoing {
        &mut self.outgoing
    }

    /// Takes a message, where [nothing stands in its way](Self::obstacle).
    #[inline(always)]
    pub(crate) fn queue(&mut self, message: Message<'_>) {
        // What most messages are. They are looked at where they lie and not moved about.
        if message.as_bytes().len() < LONG_FROM && !self.compresses() {
            self.short_frame(FirstByte::whole(opcode_of(message.kind())), message.as_bytes());
        } else {
            self.queue_other(message);
        }
    }

    /// Queues a message that is long or may be compressed.
    #[inline(never)]
    fn queue_other(&mut self, message: Message<'_>) {
        #[cfg(feature = "deflate")]
        if self.compresses() {
            let compressed = self.deflation.message(message.as_bytes()).map(Payload::from);
            return self.smaller(compressed, message);
        }
        self.frame(FirstByte::whole(opcode_of(message.kind())), message.into_payload());
    }

    /// Whether messages may become other bytes on their way out.
    #[cfg(feature = "deflate")]
    #[inline]
    const fn compresses(&self) -> bool {
        !self.deflation.is_off()
    }

    /// Whether messages may become other bytes on their way out.
    #[cfg(not(feature = "deflate"))]
    #[expect(clippy::unused_self, reason = "nothing is compressed")]
    const fn compresses(&self) -> bool {
        false
    }

    /// Takes a message that is looked at where it lies while it is written, if that spares a copy; where
    /// [nothing stands in its way](Self::obstacle).
    #[inline]
    pub(crate) fn lend<'m>(&'m mut self, message: Message<'m>) -> Lent<'m> {
        if !self.can_lend(&message) {
            self.queue(message);
            return Lent::queued(&mut self.outgoing);
        }
        let first = FirstByte::whole(opcode_of(message.kind()));
        let (header, mask) = self.header(first, message.len());
        Lent::frame(&mut self.outgoing, header, mask, message.into_payload())
    }

    #[inline]
    fn can_lend(&self, message: &Message<'_>) -> bool {
        let least = match self.sender {
            Role::Server => LONG_FROM,
            // §5.1: what a client sends is masked, which makes a copy of it, though not of all of it at once.
            Role::Client => SEGMENT,
        };
        message.len() >= least && !self.compresses()
    }

    pub(crate) fn fragment(
        &mut self,
        piece: Message<'_>,
        fragment: Fragment,
    ) -> Result<(), SendError> {
        let kind = piece.kind();
        let opcode = match self.open_message {
            None => opcode_of(kind),
            Some(open) if open == kind => Opcode::Continuation,
            Some(_) => return Err(UsageError::OtherKind.into()),
        };
        if self.is_full() {
            return Err(Obstacle::BufferFull.refuse(piece));
        }
        let (rsv, payload) = self.fragment_payload(opcode, fragment, piece);
        self.frame(FirstByte::new(fragment == Fragment::Last, rsv, opcode), payload);
        self.open_message = (fragment == Fragment::More).then_some(kind);
        Ok(())
    }

    pub(crate) fn prepared(&mut self, prepared: &PreparedMessage) -> Result<(), SendError> {
        let message = prepared.message().clone();
        if let Some(obstacle) = self.obstacle() {
            return Err(obstacle.refuse(message));
        }
        #[cfg(feature = "deflate")]
        if self.compresses() {
            let compressed = self.deflation.prepared(message.as_bytes(), prepared.compression());
            self.smaller(compressed.map(Payload::from), message);
            return Ok(());
        }
        self.queue(message);
        Ok(())
    }

    /// Sends a message compressed, or as it is if that was not worth it.
    #[cfg(feature = "deflate")]
    fn smaller(&mut self, compressed: Option<Payload<'_>>, message: Message<'_>) {
        let opcode = opcode_of(message.kind());
        match compressed {
            Some(compressed) => self.frame(FirstByte::new(true, Rsv::RSV1, opcode), compressed),
            None => self.frame(FirstByte::whole(opcode), message.into_payload()),
        }
    }

    /// A Ping or Pong of the application.
    pub(crate) fn control(
        &mut self,
        opcode: Opcode,
        payload: ControlPayload<'_>,
    ) -> Result<(), UsageError> {
        if self.is_full() {
            return Err(UsageError::BacklogFull);
        }
        self.frame(FirstByte::whole(opcode), payload.into_payload());
        Ok(())
    }

    /// A Ping that nobody asked for. There is one at a time, so that no limit has to hold it back.
    #[cfg(feature = "std")]
    pub(crate) fn keepalive_ping(&mut self, payload: [u8; 4]) {
        let payload = Payload::from(&payload[..]);
        self.frame(FirstByte::whole(Opcode::Ping), payload);
    }

    /// The Pong that answers a Ping.
    #[inline]
    pub(crate) fn automatic_pong(&mut self, payload: &[u8]) {
        let header_size = match self.sender {
            Role::Server => 2,
            Role::Client => 2 + MaskingKey::SIZE,
        };
        if self.outgoing.admits_pong(header_size + payload.len()) {
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

    pub(crate) fn close(&mut self, frame: Option<&CloseFrame<'_>>) {
        self.outgoing.flush_deferred();
        let body = frame.map(CloseFrame::encode).unwrap_or_default();
        self.frame(FirstByte::whole(Opcode::Close), body.into());
    }

    /// What a fragment carries, and whether it says that its message is compressed.
    #[cfg(not(feature = "deflate"))]
    #[expect(clippy::unused_self, reason = "nothing is compressed")]
    fn fragment_payload<'m>(
        &mut self,
        _: Opcode,
        _: Fragment,
        piece: Message<'m>,
    ) -> (Rsv, Payload<'m>) {
        (Rsv::NONE, piece.into_payload())
    }

    /// What a fragment carries, and whether it says that its message is compressed.
    #[cfg(feature = "deflate")]
    fn fragment_payload<'m>(
        &mut self,
        opcode: Opcode,
        fragment: Fragment,
        piece: Message<'m>,
    ) -> (Rsv, Payload<'m>) {
        let payload = piece.as_bytes();
        // RFC 7692, §6.1: the first fragment says it for all.
        let (rsv, compressed) = match (opcode, fragment) {
            (Opcode::Continuation, Fragment::More) => {
                (Rsv::NONE, self.deflation.next_fragment(payload))
            }
            (Opcode::Continuation, Fragment::Last) => {
                (Rsv::NONE, self.deflation.last_fragment(payload))
            }
            (_, Fragment::More) => (Rsv::RSV1, self.deflation.first_fragment(payload)),
            (_, Fragment::Last) => (Rsv::RSV1, self.deflation.message(payload)),
        };
        match compressed {
            Some(compressed) => (rsv, compressed.into()),
            None => (Rsv::NONE, piece.into_payload()),
        }
    }

    /// Why no whole message may be sent now.
    #[inline]
    pub(crate) fn obstacle(&self) -> Option<Obstacle> {
        // §5.4: a message is not interleaved with the fragments of another.
        if self.open_message.is_some() {
            return Some(Obstacle::MessageUnfinished);
        }
        self.is_full().then_some(Obstacle::BufferFull)
    }

    /// While nothing waits there is always room, so that a retry after draining succeeds.
    #[inline]
    fn is_full(&self) -> bool {
        let waiting = self.outgoing.remaining();
        waiting > 0 && waiting >= self.max_outgoing_size
    }

    /// The header of the next frame, and what its payload is masked with.
    #[inline(always)]
    fn header(&self, first: FirstByte, payload_len: usize) -> (EncodedHeader, Option<MaskingKey>) {
        // §5.1: a client masks every frame, a server none.
        let mask = match self.sender {
            Role::Client => Some(self.fresh_key()),
            Role::Server => None,
        };
        (EncodedHeader::new(first, mask, payload_len as u64), mask)
    }

    /// §5.3: a fresh key for every frame, which nobody who supplies payloads can predict.
    #[inline]
    fn fresh_key(&self) -> MaskingKey {
        MaskingKey::new(self.entropy.draw())
    }

    fn frame(&mut self, first: FirstByte, payload: Payload<'_>) {
        if payload.len() < LONG_FROM {
            return self.short_frame(first, &payload);
        }
        let (header, mask) = self.header(first, payload.len());
        long_frame::push(&mut self.outgoing, header.as_ref(), mask, payload);
    }

    /// Never a part of who decides about it, so that it gets in registers what it needs.
    #[inline(never)]
    fn short_frame(&mut self, first: FirstByte, payload: &[u8]) {
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
}

const PONG: FirstByte = FirstByte::whole(Opcode::Pong);

/// Appends a frame to what is outgoing. Compiled once for frames that are masked and once for those that are not.
///
/// Where there is room, nothing is called for a short payload, and no register has to be saved.
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

/// What stands in the way of a message.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Obstacle {
    MessageUnfinished,
    /// Too much is waiting already.
    BufferFull,
}

impl Obstacle {
    #[cold]
    pub(crate) fn refuse(self, message: Message<'_>) -> SendError {
        match self {
            Self::MessageUnfinished => UsageError::MessageUnfinished.into(),
            Self::BufferFull => SendError::BufferFull(message.into_owned()),
        }
    }
}

const fn opcode_of(kind: MessageKind) -> Opcode {
    match kind {
        MessageKind::Text => Opcode::Text,
        MessageKind::Binary => Opcode::Binary,
    }
}
