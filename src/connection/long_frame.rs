//! Frames that are too long to be copied next to others.

use alloc::vec::Vec;

use bytes::Bytes;

use crate::connection::outgoing::{Outgoing, SEGMENT};
use crate::frame::{MaskingKey, append_payload};
use crate::message::Payload;

/// From this size on a payload has segments of its own, and isn't copied if it can be shared; below, copying it
/// next to its header costs less.
pub(super) const LONG_FROM: usize = 4 * 1024;

/// Queues a frame with a payload of some length, or what is left of one.
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
    // hand. Each has a multiple of four bytes, so that the key begins anew behind it.
    let mut parts = payload.chunks(SEGMENT);
    if outgoing.has_tail() {
        outgoing.push_header(header);
    } else {
        // The header begins the first one.
        let first = parts.next().unwrap_or_default();
        outgoing.push(segment(header, mask, first));
    }
    for part in parts {
        outgoing.push(segment(&[], mask, part));
    }
}

/// A segment with a part of a payload behind other bytes, and no room for more.
fn segment(before: &[u8], mask: Option<MaskingKey>, part: &[u8]) -> Bytes {
    let mut segment = Vec::with_capacity(before.len() + part.len());
    segment.extend_from_slice(before);
    append_payload(mask, part, &mut segment);
    segment.into()
}
