//! What clients do, one thing after the other.

use std::io::Write;
use std::thread;
use std::time::Duration;

use sansocket::{Message, MessageKind, PreparedMessage};

use crate::conversation::{Conversation, Fault};
use crate::random::Random;
use crate::world::Tally;

/// Does one thing at random.
pub(crate) fn perform(
    conversation: &mut impl Conversation,
    random: &mut Random,
    tally: &Tally,
) -> Result<(), Fault> {
    match random.below(100) {
        0..40 => one(conversation, random)?,
        40..65 => burst(conversation, random)?,
        65..80 => bit_by_bit(conversation, random)?,
        80..90 => prepared(conversation, random)?,
        _ => {
            ping(conversation, random)?;
            tally.pings.add(1);
        }
    }
    if !random.one_in(3) {
        conversation.catch_up()?;
    }
    rest(random);
    Ok(())
}

/// Says something every now and then, so that there is little under way when the server goes: it has
/// deadlines for what it owes, which a busy machine knows nothing of.
pub(crate) fn small_talk(
    conversation: &mut impl Conversation,
    random: &mut Random,
) -> Result<(), Fault> {
    rest(random);
    let size = small_size(random);
    let message = content(random, size);
    conversation.announce(&message)?;
    conversation.write(message)?;
    conversation.flush()?;
    // A client that never reads doesn't answer the server's Pings either.
    if random.one_in(2) { Ok(()) } else { conversation.catch_up() }
}

/// Hundreds of clients that never rest would measure how long a busy machine keeps one of them waiting: the
/// server gives up clients that say nothing for too long.
fn rest(random: &mut Random) {
    thread::sleep(Duration::from_millis(random.below(1000) as u64));
}

fn one(conversation: &mut impl Conversation, random: &mut Random) -> Result<(), Fault> {
    let size = size(random);
    let message = content(random, size);
    conversation.announce(&message)?;
    conversation.write(message)?;
    Ok(conversation.flush()?)
}

/// Many messages in a row, without waiting in between.
fn burst(conversation: &mut impl Conversation, random: &mut Random) -> Result<(), Fault> {
    for _ in 0..=random.below(30) {
        let size = small_size(random);
        let message = content(random, size);
        conversation.announce(&message)?;
        conversation.write(message)?;
    }
    Ok(conversation.flush()?)
}

/// A message that is cut anywhere, and into fragments wherever it is flushed.
fn bit_by_bit(conversation: &mut impl Conversation, random: &mut Random) -> Result<(), Fault> {
    let size = size(random);
    let message = content(random, size);
    conversation.announce(&message)?;
    let mut stream = conversation.message(message.kind());
    let mut rest = message.as_bytes();
    while !rest.is_empty() {
        let (piece, later) = rest.split_at(1 + random.below(rest.len()));
        stream.write_all(piece).map_err(Fault::Streaming)?;
        if random.one_in(2) {
            stream.flush().map_err(Fault::Streaming)?;
        }
        rest = later;
    }
    stream.finish().map_err(Fault::Streaming)
}

fn prepared(conversation: &mut impl Conversation, random: &mut Random) -> Result<(), Fault> {
    let size = small_size(random);
    let message = PreparedMessage::new(content(random, size));
    for _ in 0..=random.below(3) {
        conversation.announce(message.message())?;
        conversation.write_prepared(&message)?;
    }
    Ok(conversation.flush()?)
}

fn ping(conversation: &mut impl Conversation, random: &mut Random) -> Result<(), Fault> {
    let mut payload = [0; 4];
    random.fill(&mut payload);
    conversation.ping(payload)?;
    Ok(())
}

/// Characters of one to four bytes.
const ALPHABET: [char; 16] =
    ['a', 'e', 'n', 'r', ' ', '\n', '0', '"', 'ä', 'ß', 'Ж', 'ם', '€', '世', '界', '🦀'];

/// A size that a message may well have: most are small, some 0, a few hundreds of KiB.
fn size(random: &mut Random) -> usize {
    match random.below(100) {
        0..4 => 0,
        4..60 => random.below(126),
        60..85 => random.below(4 << 10),
        85..96 => random.below(64 << 10),
        _ => random.below(400 << 10),
    }
}

/// A size for a message that goes out among many in a row.
fn small_size(random: &mut Random) -> usize {
    match random.below(10) {
        0 => 0,
        1..8 => random.below(126),
        _ => random.below(2 << 10),
    }
}

fn kind(random: &mut Random) -> MessageKind {
    if random.one_in(2) { MessageKind::Text } else { MessageKind::Binary }
}

/// A message of about this many bytes: noise, or something that repeats itself.
fn content(random: &mut Random, size: usize) -> Message<'static> {
    let kind = kind(random);
    // What comes back twice in 32 KiB is what compression is for.
    let period = if random.one_in(2) { 1 + random.below(600) } else { size };
    match kind {
        MessageKind::Binary => {
            let mut bytes = vec![0; period.min(size)];
            random.fill(&mut bytes);
            bytes.iter().copied().cycle().take(size).collect::<Vec<u8>>().into()
        }
        MessageKind::Text => {
            let mut seeds = vec![0; period.min(size)];
            random.fill(&mut seeds);
            let mut text = String::with_capacity(size + 4);
            let letters = seeds.iter().filter_map(|seed| ALPHABET.get(usize::from(seed % 16)));
            for letter in letters.cycle() {
                if text.len() >= size {
                    break;
                }
                text.push(*letter);
            }
            text.into()
        }
    }
}
