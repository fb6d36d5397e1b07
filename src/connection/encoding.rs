use bytes::Buf;

use crate::config::Config;
use crate::connection::control::ControlPayload;
use crate::connection::error::{SendError, UsageError};
use crate::connection::framing::{Fragment, Framing, opcode_of};
use crate::connection::lent::Lent;
use crate::connection::long_frame::LONG_FROM;
use crate::connection::prepared::PreparedMessage;
use crate::entropy::Entropy;
#[cfg(feature = "deflate")]
use crate::extension::{AgreedDeflate, Deflation};
use crate::frame::{FirstByte, Opcode, Rsv};
use crate::message::{Message, Payload};
use crate::role::Role;

/// Turns messages into the payloads of frames, whole or in fragments, compressed or not, and reports
/// what stands in their way.
#[derive(Debug)]
pub(crate) struct Encoding {
    /// Queues the frames that the protocol owes, whatever stands in the way of messages.
    pub(super) framing: Framing,
    max_outgoing_size: usize,
    #[cfg(feature = "deflate")]
    deflation: Deflation,
}

impl Encoding {
    pub(crate) fn new(sender: Role, config: &Config, entropy: Entropy) -> Self {
        Self {
            framing: Framing::new(sender, entropy),
            // No message is longer than half of what can be counted, so the sum never overflows.
            max_outgoing_size: config.max_outgoing_size.min(usize::MAX / 4),
            #[cfg(feature = "deflate")]
            deflation: Deflation::default(),
        }
    }

    /// Compresses messages from now on.
    #[cfg(feature = "deflate")]
    pub(crate) fn deflate(&mut self, agreed: &AgreedDeflate) {
        self.deflation = Deflation::new(self.framing.role(), agreed);
    }

    /// Queues a message. The caller has checked that [nothing stands in its way](Self::obstacle).
    #[inline(always)]
    pub(crate) fn queue(&mut self, message: Message<'_>) {
        // Most messages are like this. They are read where they lie and not moved about.
        if message.as_bytes().len() < LONG_FROM && !self.compresses() {
            self.framing
                .short_frame(FirstByte::whole(opcode_of(message.kind())), message.as_bytes());
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
        self.framing.frame(FirstByte::whole(opcode_of(message.kind())), message.into_payload());
    }

    /// Whether messages may be compressed on their way out.
    #[cfg(feature = "deflate")]
    #[inline]
    const fn compresses(&self) -> bool {
        !self.deflation.is_off()
    }

    /// Whether messages may be compressed on their way out.
    #[cfg(not(feature = "deflate"))]
    #[expect(clippy::unused_self, reason = "nothing is compressed")]
    const fn compresses(&self) -> bool {
        false
    }

    /// Lends a message, to be written from where it lies, if that saves a copy; otherwise queues it. The
    /// caller has checked that [nothing stands in its way](Self::obstacle).
    #[inline]
    pub(crate) fn lend<'m>(&'m mut self, message: Message<'m>) -> Lent<'m> {
        if self.compresses() || !self.framing.is_worth_lending(message.len()) {
            self.queue(message);
            return Lent::queued(self.framing.outgoing_mut());
        }
        self.framing.lend(FirstByte::whole(opcode_of(message.kind())), message.into_payload())
    }

    pub(crate) fn fragment(
        &mut self,
        piece: Message<'_>,
        fragment: Fragment,
    ) -> Result<(), SendError> {
        let kind = piece.kind();
        let open = self.framing.open_message();
        if open.is_some_and(|open| open != kind) {
            return Err(UsageError::OtherKind.into());
        }
        if self.is_full() {
            return Err(Obstacle::BufferFull.refuse(piece));
        }
        let (rsv, payload) = self.fragment_payload(fragment, piece);
        self.framing.fragment(kind, fragment, rsv, payload);
        Ok(())
    }

    /// Queues a prepared message. The caller has checked that
    /// [nothing stands in its way](Self::obstacle).
    #[cfg_attr(
        not(feature = "deflate"),
        expect(unused_variables, reason = "it was prepared to be compressed")
    )]
    pub(crate) fn queue_prepared(&mut self, message: Message<'_>, prepared: &PreparedMessage) {
        #[cfg(feature = "deflate")]
        if self.compresses() {
            let compressed = self.deflation.prepared(message.as_bytes(), prepared.compression());
            return self.smaller(compressed.map(Payload::from), message);
        }
        self.queue(message);
    }

    /// Queues a message compressed, or unchanged if compression was not worthwhile.
    #[cfg(feature = "deflate")]
    fn smaller(&mut self, compressed: Option<Payload<'_>>, message: Message<'_>) {
        let opcode = opcode_of(message.kind());
        let (first, payload) = match compressed {
            Some(compressed) => (FirstByte::new(true, Rsv::RSV1, opcode), compressed),
            None => (FirstByte::whole(opcode), message.into_payload()),
        };
        self.framing.frame(first, payload);
    }

    /// Queues a Ping or Pong of the application.
    pub(crate) fn control(
        &mut self,
        opcode: Opcode,
        payload: ControlPayload<'_>,
    ) -> Result<(), UsageError> {
        if self.is_full() {
            return Err(UsageError::BacklogFull);
        }
        self.framing.frame(FirstByte::whole(opcode), payload.into_payload());
        Ok(())
    }

    /// What a fragment carries, and whether it marks its message as compressed.
    #[cfg(not(feature = "deflate"))]
    #[expect(clippy::unused_self, reason = "nothing is compressed")]
    fn fragment_payload<'m>(&mut self, _: Fragment, piece: Message<'m>) -> (Rsv, Payload<'m>) {
        (Rsv::NONE, piece.into_payload())
    }

    /// What a fragment carries, and whether it marks its message as compressed.
    #[cfg(feature = "deflate")]
    fn fragment_payload<'m>(
        &mut self,
        fragment: Fragment,
        piece: Message<'m>,
    ) -> (Rsv, Payload<'m>) {
        let payload = piece.as_bytes();
        // RFC 7692, §6.1: the mark on the first fragment is for all.
        let (rsv, compressed) = match (self.framing.open_message(), fragment) {
            (Some(_), Fragment::More) => (Rsv::NONE, self.deflation.next_fragment(payload)),
            (Some(_), Fragment::Last) => (Rsv::NONE, self.deflation.last_fragment(payload)),
            (None, Fragment::More) => (Rsv::RSV1, self.deflation.first_fragment(payload)),
            (None, Fragment::Last) => (Rsv::RSV1, self.deflation.message(payload)),
        };
        match compressed {
            Some(compressed) => (rsv, compressed.into()),
            None => (Rsv::NONE, piece.into_payload()),
        }
    }

    /// What stands in the way of a whole message now.
    #[inline]
    pub(crate) fn obstacle(&self) -> Option<Obstacle> {
        // §5.4: a message is not interleaved with the fragments of another.
        if self.framing.open_message().is_some() {
            return Some(Obstacle::Refused(UsageError::MessageUnfinished));
        }
        self.is_full().then_some(Obstacle::BufferFull)
    }

    /// While nothing waits, there is always room, so a retry after draining succeeds.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        let waiting = self.framing.outgoing().remaining();
        waiting > 0 && waiting >= self.max_outgoing_size
    }
}

/// What stands in the way of a message.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Obstacle {
    Refused(UsageError),
    /// Too much is already waiting.
    BufferFull,
}

impl Obstacle {
    #[cold]
    pub(crate) fn refuse(self, message: Message<'_>) -> SendError {
        match self {
            Self::Refused(error) => SendError::Refused(error),
            Self::BufferFull => SendError::BufferFull(message.into_owned()),
        }
    }
}
