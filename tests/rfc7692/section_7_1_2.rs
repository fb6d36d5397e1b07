//! Section 7.1.2: the sizes of the windows.

use sansocket::extension::{
    Deflate, DeflateParameters, DeflateResponseError, SenderParameters, WindowBits,
};
use sansocket::{Config, Connection, Message, ProtocolError, Role};

use crate::section_5::{answer, bits, check};
use crate::wire::{self, NO_TAKEOVER, ROLES, TAKEOVER};

#[test]
fn a_server_answers_with_the_window_that_was_asked_for_or_a_smaller_one() {
    for asked in 9..=15 {
        let offer = format!("permessage-deflate; server_max_window_bits={asked}");
        assert_eq!(answer(&Deflate::default(), &offer).as_ref(), Some(&offer));
        for own in 9..=15 {
            let server = Deflate::default().server_max_window_bits(bits(own));
            let least = asked.min(own);
            let expected = format!("permessage-deflate; server_max_window_bits={least}");
            assert_eq!(answer(&server, &offer), Some(expected));
        }
    }
}

#[test]
fn a_server_that_can_not_compress_with_so_small_a_window_declines() {
    let offer = "permessage-deflate; server_max_window_bits=8";
    assert_eq!(answer(&Deflate::default(), offer), None);
    let two = "permessage-deflate; server_max_window_bits=8, permessage-deflate";
    assert_eq!(answer(&Deflate::default(), two).as_deref(), Some("permessage-deflate"));
}

#[test]
fn a_server_may_limit_its_window_unasked() {
    let server = Deflate::default().server_max_window_bits(bits(11));
    let said = "permessage-deflate; server_max_window_bits=11";
    assert_eq!(answer(&server, "permessage-deflate").as_deref(), Some(said));
    assert_eq!(check(&Deflate::default(), said).as_deref(), Ok(said));
}

#[test]
fn a_client_takes_the_window_it_asked_for_or_a_smaller_one() {
    for asked in 8..=15 {
        let client = Deflate::default().server_max_window_bits(bits(asked));
        for answered in 8..=15 {
            let answer = format!("permessage-deflate; server_max_window_bits={answered}");
            let exceeded = DeflateResponseError::Exceeded("server_max_window_bits");
            let expected = if answered <= asked { Ok(answer.clone()) } else { Err(exceeded) };
            assert_eq!(check(&client, &answer), expected);
        }
        let unconfirmed = DeflateResponseError::Unconfirmed("server_max_window_bits");
        assert_eq!(check(&client, "permessage-deflate"), Err(unconfirmed));
    }
}

#[test]
fn a_server_limits_the_clients_window_only_if_the_client_offered_that() {
    let server = Deflate::default().client_max_window_bits(bits(10));
    for (offer, expected) in [
        ("permessage-deflate", "permessage-deflate"),
        (
            "permessage-deflate; client_max_window_bits",
            "permessage-deflate; client_max_window_bits=10",
        ),
        (
            "permessage-deflate; client_max_window_bits=15",
            "permessage-deflate; client_max_window_bits=10",
        ),
        (
            "permessage-deflate; client_max_window_bits=9",
            "permessage-deflate; client_max_window_bits=9",
        ),
        (
            "permessage-deflate; client_max_window_bits=8",
            "permessage-deflate; client_max_window_bits=8",
        ),
    ] {
        assert_eq!(answer(&server, offer).as_deref(), Some(expected), "{offer}");
    }
    let offer = "permessage-deflate; client_max_window_bits";
    assert_eq!(answer(&Deflate::default(), offer).as_deref(), Some("permessage-deflate"));
}

#[test]
fn a_client_always_offers_to_limit_its_window_and_takes_any_smaller_one() {
    assert_eq!(
        Deflate::default().offer().to_string(),
        "permessage-deflate; client_max_window_bits"
    );
    for hint in 8..=15 {
        let client = Deflate::default().client_max_window_bits(bits(hint));
        assert_eq!(
            client.offer().to_string(),
            format!("permessage-deflate; client_max_window_bits={hint}")
        );
        for answered in 8..=15 {
            let answer = format!("permessage-deflate; client_max_window_bits={answered}");
            let exceeded = DeflateResponseError::Exceeded("client_max_window_bits");
            let expected = if answered <= hint { Ok(answer.clone()) } else { Err(exceeded) };
            assert_eq!(check(&client, &answer), expected);
            assert_eq!(check(&Deflate::default(), &answer).as_ref(), Ok(&answer));
        }
        // What it said of itself holds even if the server doesn't take it up.
        let kept = format!("permessage-deflate; client_max_window_bits={hint}");
        assert_eq!(check(&client, "permessage-deflate"), Ok(kept));
    }
}

/// The end of a long message repeats its beginning, at this distance.
fn with_a_repetition_at(distance: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut bytes: Vec<u8> = (0..distance)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            // Few enough bits that it can be compressed, too many for repetitions.
            (state >> 26) as u8
        })
        .collect();
    bytes.extend_from_within(..distance.min(200));
    bytes
}

#[test]
fn no_message_refers_further_back_than_the_window() {
    for role in ROLES {
        for window in 9..=15_u8 {
            let sender = SenderParameters { max_window_bits: WindowBits::new(window), ..TAKEOVER };
            let distance = 1_usize << window;
            let mut connection = wire::connection(role, Config::default(), sender);
            // Once within one message, and once from one message to the next.
            for message in [with_a_repetition_at(distance), with_a_repetition_at(distance)] {
                connection.send(Message::from(message)).expect("open");
            }
            for (_, payload) in wire::sent(&mut connection) {
                let longest = longest_distance(&payload);
                assert!(longest <= distance, "{longest} in a window of {distance}");
            }
        }
    }
}

#[test]
fn each_end_compresses_by_what_was_agreed_on_for_its_own_direction() {
    let agreed = Deflate::default().threshold(0).agree(DeflateParameters {
        server: SenderParameters { max_window_bits: WindowBits::new(9), ..NO_TAKEOVER },
        client: SenderParameters { max_window_bits: WindowBits::new(15), ..TAKEOVER },
    });
    for role in ROLES {
        let mut connection = Connection::new(role, Config::default()).with_deflate(&agreed);
        for _ in 0..2 {
            connection.send(Message::from(with_a_repetition_at(2000))).expect("open");
        }
        let frames = wire::sent(&mut connection);
        let goes_far_back = longest_distance(&frames[0].1) > 1 << 9;
        let refers_to_the_first = frames[1].1.len() < frames[0].1.len() / 2;
        let keeps_context = role == Role::Client;
        assert_eq!(
            (goes_far_back, refers_to_the_first),
            (keeps_context, keeps_context),
            "{role:?}"
        );

        // The second refers to the first.
        let mut bytes = wire::frame(role.peer(), 0xC1, wire::HELLO);
        bytes.extend(wire::frame(role.peer(), 0xC1, b"\xf2\x00\x11\x00\x00"));
        let (messages, error) = wire::receive(&mut connection, &bytes, bytes.len());
        let expected = match role {
            Role::Server => (2, None),
            Role::Client => (1, Some(ProtocolError::CorruptCompression)),
        };
        assert_eq!((messages.len(), error), expected, "{role:?}");
    }
}

#[test]
fn each_end_is_read_with_a_window_as_long_as_was_agreed_for_it() {
    // 4096 bytes without compression, and then the first three of them once more. No more than the window is kept
    // behind a block with BFINAL (section 7.2.3.4).
    let first: Vec<u8> = (0..=255).cycle().take(4096).collect();
    let stored = [b"\x01\x00\x10\xFF\xEF", &first[..], b"\x00"].concat();
    let again = b"\x02\xF6\xFF\x01\x00";
    let expected = (vec![Message::from(&first[..]), Message::from(&first[..3])], None);
    let narrow = SenderParameters { max_window_bits: WindowBits::new(9), ..TAKEOVER };
    let wide = SenderParameters { max_window_bits: Some(WindowBits::MAX), ..TAKEOVER };
    for role in ROLES {
        let agreed = Deflate::default().agree(match role {
            Role::Server => DeflateParameters { server: narrow, client: wide },
            Role::Client => DeflateParameters { server: wide, client: narrow },
        });
        let mut connection = Connection::new(role, Config::default()).with_deflate(&agreed);
        let frames = [&stored[..], again].map(|payload| wire::frame(role.peer(), 0xC2, payload));
        let bytes = frames.concat();
        let received = wire::receive(&mut connection, &bytes, bytes.len());
        assert!(received == expected, "{role:?}: {:?}", received.1);
    }
}

#[test]
fn with_the_smallest_window_messages_are_sent_as_they_are() {
    let sender = SenderParameters { max_window_bits: Some(WindowBits::MIN), ..TAKEOVER };
    for role in ROLES {
        let mut connection = wire::connection(role, Config::default(), sender);
        let text = "a".repeat(1000);
        connection.send(&*text).expect("open");
        connection.fragments().write("a").expect("open");
        connection.fragments().finish("b").expect("open");
        let expected = [(0x81, text.into_bytes()), (0x01, b"a".to_vec()), (0x80, b"b".to_vec())];
        assert_eq!(wire::sent(&mut connection), expected);
    }
}

#[test]
fn a_peer_with_the_smallest_window_is_read() {
    let sender = SenderParameters { max_window_bits: Some(WindowBits::MIN), ..TAKEOVER };
    wire::each_role(
        |sender| {
            vec![
                wire::frame(sender, 0xC1, wire::HELLO),
                wire::frame(sender, 0xC1, b"\xf2\x00\x11\x00\x00"),
            ]
        },
        sender,
        &wire::hello(2),
    );
}

/// The longest distance in a compressed message, read with a decoder of its own.
fn longest_distance(payload: &[u8]) -> usize {
    let mut bits = Bits { bytes: [payload, b"\x00\x00\xff\xff"].concat(), at: 0 };
    let mut longest = 0;
    while bits.at + 8 < bits.bytes.len() * 8 {
        assert_eq!(bits.take(1), 0, "BFINAL");
        let (literals, distances) = match bits.take(2) {
            0 => {
                bits.at = bits.at.next_multiple_of(8);
                let length = bits.take(16);
                bits.at += 16 + 8 * length;
                continue;
            }
            1 => {
                let lengths: Vec<usize> = (0..288)
                    .map(|symbol| match symbol {
                        144..=255 => 9,
                        256..=279 => 7,
                        _ => 8,
                    })
                    .collect();
                (lengths, vec![5; 30])
            }
            _ => bits.dynamic_tables(),
        };
        loop {
            let symbol = bits.symbol(&literals);
            match symbol {
                0..=255 => {}
                256 => break,
                _ => {
                    let extra = match symbol {
                        257..=264 | 285 => 0,
                        _ => (symbol - 261) / 4,
                    };
                    bits.take(extra);
                    let code = bits.symbol(&distances);
                    let extra = (code / 2).saturating_sub(1);
                    let base = match code {
                        0..=3 => code + 1,
                        _ => ((2 + code % 2) << extra) + 1,
                    };
                    longest = longest.max(base + bits.take(extra));
                }
            }
        }
    }
    longest
}

struct Bits {
    bytes: Vec<u8>,
    at: usize,
}

impl Bits {
    fn take(&mut self, count: usize) -> usize {
        let mut value = 0;
        for bit in 0..count {
            value |= usize::from(self.bytes[self.at / 8] >> (self.at % 8) & 1) << bit;
            self.at += 1;
        }
        value
    }

    /// Canonical Huffman decoding, symbol by symbol, from the lengths alone.
    fn symbol(&mut self, lengths: &[usize]) -> usize {
        let (mut code, mut first) = (0, 0);
        for length in 1..=15 {
            code |= self.take(1);
            let count = lengths.iter().filter(|&&of_symbol| of_symbol == length).count();
            if code < first + count {
                let mut with_length =
                    (0..lengths.len()).filter(|&symbol| lengths[symbol] == length);
                return with_length.nth(code - first).expect("a symbol");
            }
            first = (first + count) << 1;
            code <<= 1;
        }
        panic!("no such code")
    }

    fn dynamic_tables(&mut self) -> (Vec<usize>, Vec<usize>) {
        const ORDER: [usize; 19] =
            [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
        let (literals, distances, codes) = (self.take(5) + 257, self.take(5) + 1, self.take(4) + 4);
        let mut code_lengths = vec![0; 19];
        for &symbol in &ORDER[..codes] {
            code_lengths[symbol] = self.take(3);
        }
        let mut lengths = Vec::new();
        while lengths.len() < literals + distances {
            let (value, repeat) = match self.symbol(&code_lengths) {
                16 => (*lengths.last().expect("a length before it"), 3 + self.take(2)),
                17 => (0, 3 + self.take(3)),
                18 => (0, 11 + self.take(7)),
                length => (length, 1),
            };
            lengths.extend(std::iter::repeat_n(value, repeat));
        }
        let distances = lengths.split_off(literals);
        (lengths, distances)
    }
}
