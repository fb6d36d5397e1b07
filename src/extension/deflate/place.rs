/// Where a direction that has a compressor or decompressor of its own stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    InsideMessage,
    BetweenMessages,
}
