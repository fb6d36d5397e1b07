//! Frames that are too long to be copied next to others.

use alloc::vec::Vec;

use bytes::Bytes;

use crate::connection::outgoing::{Outgoing, SEGMENT};
use crate::frame::{MaskingKey, append_payload};
use crate::message::Payload;

/// From this size on, a payload has segments of its own and isn't copied if it can be shared; below it,
/// copying the payload next to its header costs less.
pub(super) const LONG_FROM: usize = 4 * 1024;

/// Queues a frame with a long payload, or what is left of one.
pub(super) fn push(
    outgoing: &mut Outgoing,
    header: &[u8],
    mask: Option<MaskingKey>,
    payload: Payload<'_>,
) {
    if mask.is_none() && !payload.is_borrowed() {
        outgoing.push_header(header);
        outgoing.push(payload.into_bytes());
        return;
    }
    // Segments of this size stay in cache while they are filled, and the allocator keeps them at
    // hand. Their length is a multiple of four, so that the key starts over after each.
    let mut parts = payload.chunks(SEGMENT);
    if outgoing.has_tail() {
        outgoing.push_header(header);
    } else {
        // The first one begins with the header.
        let first = parts.next().unwrap_or_default();
        outgoing.push(segment(header, mask, first));
    }
    for part in parts {
        outgoing.push(segment(&[], mask, part));
    }
}

/// Makes a segment of `before` and a part of a payload, with no spare room.
fn segment(before: &[u8], mask: Option<MaskingKey>, part: &[u8]) -> Bytes {
    let mut segment = Vec::with_capacity(before.len() + part.len());
    segment.extend_from_slice(before);
    append_payload(mask, part, &mut segment);
    segment.into()
}
