//! The same with compression: what is compressed, in any fragments, means the same however it is cut.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use sansocket::extension::{
    ContextTakeover, Deflate, DeflateParameters, SenderParameters, WindowBits,
};
use sansocket::frame::{FrameHeader, Rsv};
use sansocket::{Config, Connection, Message, Role};

use crate::laws::reference::{Frame, TEXT};
use crate::laws::setup::Setup;
use crate::laws::transcript::write;
use crate::laws::{decoder, differential, halves};
use crate::strategies::{Fault, fragments, input, setup, sizes, text_or_binary};

/// The bit RSV1, above those of an opcode.
const COMPRESSED: u8 = 0x40;

/// What may be agreed on for one direction.
fn sender() -> impl Strategy<Value = SenderParameters> {
    let window = prop_oneof![2 => Just(None), 1 => (8..16_u8).prop_map(WindowBits::new)];
    (any::<bool>(), window).prop_map(|(takes_over, max_window_bits)| SenderParameters {
        context_takeover: if takes_over { ContextTakeover::Yes } else { ContextTakeover::No },
        max_window_bits,
    })
}

/// What may be agreed on.
pub(crate) fn parameters() -> impl Strategy<Value = DeflateParameters> {
    (sender(), sender()).prop_map(|(server, client)| DeflateParameters { server, client })
}

fn deflating() -> impl Strategy<Value = Setup> {
    (setup(), parameters())
        .prop_map(|(setup, parameters)| Setup { deflate: Some(parameters), ..setup })
}

/// A message as a peer would compress it, or unchanged if that is no shorter.
fn compressed(opcode: u8, payload: &[u8]) -> (u8, Vec<u8>) {
    let sender = SenderParameters { context_takeover: ContextTakeover::No, max_window_bits: None };
    let deflate = Deflate::default().threshold(0);
    let agreed = deflate.agree(DeflateParameters { server: sender, client: sender });
    let mut peer = Connection::new(Role::Server, Config::default()).with_deflate(&agreed);
    let message = match std::str::from_utf8(payload) {
        Ok(text) if opcode == TEXT => Message::from(text),
        _ => Message::from(payload),
    };
    peer.send(message).unwrap();
    let bytes = write(&mut peer, usize::MAX);
    let (header, size) = FrameHeader::decode(&bytes).unwrap().unwrap();
    let bit = if header.rsv == Rsv::RSV1 { COMPRESSED } else { 0 };
    (opcode | bit, bytes[size..].to_vec())
}

/// Compressed messages in fragments, each repeated a few times, or so often that many chunks come out of
/// one read.
fn conversation() -> impl Strategy<Value = Vec<Frame>> {
    let times = prop_oneof![4 => 1..4_usize, 1 => 1000..3000_usize];
    let message = (text_or_binary(), times, sizes()).prop_map(|(message, times, sizes)| {
        let times = times.min(1 + 200_000 / message.1.len().max(1));
        let (opcode, payload) = compressed(message.0, &message.1.repeat(times));
        fragments(opcode, &payload, &sizes)
    });
    vec(message, 0..5).prop_map(|messages| messages.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_cut_of_what_is_compressed_is_the_same_to_a_connection_and_its_halves(
        setup in deflating(), frames in conversation(), fault in option::of(Fault::any()),
        sizes in sizes(),
    ) {
        let bytes = match fault {
            Some(fault) => fault.input(frames, setup.role),
            None => input(&frames, setup.role),
        };
        decoder::any_cut_is_the_same(setup, &bytes, &sizes);
        decoder::chunks_make_up_messages(setup, &bytes, &sizes);
        halves::any_cut_is_the_same(setup, &bytes, &sizes);
    }

    #[test]
    fn what_is_compressed_is_understood_as_the_reference_does(
        setup in deflating(), frames in conversation(), fault in option::of(Fault::any()),
        sizes in sizes(),
    ) {
        let bytes = match fault {
            Some(fault) => fault.input(frames, setup.role),
            None => input(&frames, setup.role),
        };
        differential::same_as_the_reference(setup, &bytes, &sizes);
    }
}
